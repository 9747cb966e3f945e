/**
 * `trakx snapshots prune`: deletes what the retention would, and what is asked for by name. Says first what and why,
 * and asks before anything goes that a running tracker would have kept. Safe beside one (persistence/survey/prune-plan.ts).
 */
import {
  type PruneItem,
  type PruneReason,
  PruneRefusal,
  planPrune,
  prune,
} from '../../persistence/survey/prune-plan.ts';
import { surveySnapshots } from '../../persistence/survey/snapshot-survey.ts';
import { CommandError } from '../command-error.ts';
import { ExitCode } from '../exit-code.ts';
import { SILENT_LOG } from '../silent-log.ts';
import { bytesText, counted } from '../terminal/quantities.ts';
import { type Around, findSnapshot, nameOf } from './snapshots-around.ts';

export interface PruneCommandOptions {
  readonly names: readonly string[];
  /** undefined: SNAPSHOT_KEEP. */
  readonly keep: number | undefined;
  readonly isDamaged: boolean;
  readonly isDryRun: boolean;
  readonly isYes: boolean;
  readonly isJson: boolean;
}

export interface PruneAround extends Around {
  /** Asks the person at the terminal; undefined when there is none. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
  readonly boot: string;
}

const REASONS: Readonly<Record<PruneReason, string>> = {
  old: 'there are enough newer whole ones',
  leftover: 'was begun over two hours ago and never finished',
  damaged: 'is damaged',
  named: 'was named',
  journal: 'no snapshot that stays needs them',
};

export async function pruneCommand(around: PruneAround, options: PruneCommandOptions): Promise<number> {
  const { store, out, errors, progress, config } = around;
  const surveyed = await surveySnapshots(store, around);
  const wishes = {
    keep: options.keep ?? config.snapshotKeep,
    keepOfTracker: config.snapshotKeep,
    isDamaged: options.isDamaged,
    named: options.names.map((name) => findSnapshot(surveyed, name)),
  };
  let bytesRead = 0;
  const onRead = (bytes: number): void => {
    bytesRead += bytes;
    progress.show(() => `reading what stays: ${bytesText(bytesRead)}`);
  };
  const plan = await planPrune(surveyed, wishes, { ...around, log: SILENT_LOG, onRead }).catch(refused);
  progress.clear();
  const { items, kept } = plan;
  if (!options.isJson) {
    for (const item of items)
      out.write(`${options.isDryRun ? 'would delete' : 'delete'} ${sentence(item)}\n`);
    if (items.length === 0) out.write(`There is nothing to delete in ${store.address}\n`);
    else if (kept !== undefined) out.write(`${nameOf(kept)} was read in full, is whole, and stays\n`);
  }
  const isDone = !options.isDryRun && items.length > 0;
  if (isDone) {
    if (items.some(({ isRetention }) => !isRetention)) await ask(around, options, items);
    let deleted = 0;
    await prune(plan, around, () => {
      deleted += 1;
      progress.show(() => `deleted ${deleted} objects`);
    }).catch(refused);
    progress.clear();
    errors.write(`deleted ${counted(deleted, 'object')}\n`);
  }
  if (options.isJson) {
    const pruned = items.map(({ reason, snapshot, keys, isRetention }) => ({
      snapshot: snapshot === undefined ? null : nameOf(snapshot),
      reason,
      isRetention,
      objects: keys.length,
    }));
    const document = { store: store.address, isDeleted: isDone, kept: kept ? nameOf(kept) : null, pruned };
    out.write(`${JSON.stringify(document, null, 2)}\n`);
  }
  return ExitCode.done;
}

async function ask(
  { confirm, errors }: PruneAround,
  { isYes }: PruneCommandOptions,
  items: readonly PruneItem[],
): Promise<void> {
  if (isYes) return;
  if (confirm === undefined)
    throw new CommandError(
      'A tracker would have kept some of this: say --yes to delete it. Nothing was deleted.',
    );
  const objects = items.reduce((sum, { keys }) => sum + keys.length, 0);
  if (
    await confirm(`A tracker would have kept some of this. Delete these ${objects} objects for good? [y/N] `)
  )
    return;
  errors.write('Nothing was deleted.\n');
  throw new CommandError('Not confirmed.');
}

function sentence({ snapshot, reason, keys, isRetention }: PruneItem): string {
  const what =
    snapshot === undefined
      ? counted(keys.length, 'journal segment')
      : `snapshot ${nameOf(snapshot)} (${counted(keys.length, 'object')})`;
  return `${what}: ${REASONS[reason]}${isRetention ? '' : '; a tracker would keep it'}`;
}

function refused(error: unknown): never {
  throw error instanceof PruneRefusal ? new CommandError(error.message) : error;
}
