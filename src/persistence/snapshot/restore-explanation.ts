/** What the restore is doing or has done, as one sentence for /readyz and /stats. */
import type { RestoreProgress } from './restorer.ts';

export function explainRestore(progress: RestoreProgress): string {
  const { phase, peersRestored, peersLeftOut, partsDone, parts, damaged, lastError } = progress;
  switch (phase) {
    case 'waiting':
      return 'waiting for the access lists to be read';
    case 'listing':
      return 'listing what the store holds';
    case 'reading':
      if (partsDone >= parts) return `reading the journal, ${peersRestored} peers so far`;
      return `reading part ${Math.min(partsDone + 1, parts)} of ${parts}, ${peersRestored} peers so far`;
    case 'failing':
      return `the store cannot be read yet, and is tried again: ${lastError ?? 'no reason known'}`;
    case 'settled': {
      const leftOut = peersLeftOut > 0 ? `, ${peersLeftOut} left out because the table is full` : '';
      const harmed = damaged.length > 0 ? `, ${damaged.length} damaged snapshots passed over` : '';
      const restored =
        progress.snapshot === undefined && progress.segments === 0
          ? 'nothing was saved before'
          : `${peersRestored} peers restored`;
      return `${restored}${leftOut}${harmed}`;
    }
  }
}
