/** What the restore is doing or has done, as one sentence for /readyz and /stats. */
import { failureSummary } from '../store/failure-summary.ts';
import type { StoreError } from '../store/store.ts';
import type { RestoreProgress } from './restorer.ts';

/** Fit for everybody, unless `say` tells more of a failure than its summary. */
export function explainRestore(
  progress: RestoreProgress,
  say: (error: StoreError) => string = failureSummary,
): string {
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
      return `the store cannot be read yet, and is tried again: ${lastError === undefined ? 'no reason known' : say(lastError)}`;
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
