/** What the commands of `trakx snapshots` work on: the store, where they write, the clock. */
import type { Config } from '../../config/config.ts';
import { parseSnapshotName, snapshotName } from '../../persistence/format/object-keys.ts';
import type { StoreKeys } from '../../persistence/format/store-keys.ts';
import type { Store } from '../../persistence/store/store.ts';
import type { SurveyedSnapshot } from '../../persistence/survey/snapshot-survey.ts';
import type { MonotonicMs } from '../../slices.ts';
import { CommandError } from '../command-error.ts';
import type { Output } from '../surroundings.ts';
import type { Progress } from '../terminal/progress.ts';

export interface Around {
  readonly config: Config;
  readonly store: Store;
  /** Those of STORE_KEY. */
  readonly keys: StoreKeys;
  readonly out: Output;
  readonly errors: Output;
  readonly progress: Progress;
  /** This machine's clock, seconds since the epoch. */
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
  readonly signal: AbortSignal;
}

/** The store's clock, by which everything in it is dated. */
export function storeSeconds({ store, nowSeconds }: Pick<Around, 'store' | 'nowSeconds'>): number {
  return nowSeconds() + store.clockOffsetSeconds;
}

export function nameOf({ listed }: SurveyedSnapshot): string {
  return snapshotName(listed);
}

/** The snapshot of that number, or number and boot. Throws a CommandError when there is none, or two. */
export function findSnapshot(surveyed: readonly SurveyedSnapshot[], name: string): SurveyedSnapshot {
  const wanted = parseSnapshotName(name);
  const found = surveyed.filter(
    ({ listed }) =>
      listed.number === wanted?.number && (wanted.boot === undefined || wanted.boot === listed.boot),
  );
  if (found.length === 1) return found[0]!;
  if (found.length === 0)
    throw new CommandError(`There is no snapshot ${name}; "trakx snapshots list" names them.`);
  const names = found.map(nameOf).join(' or ');
  throw new CommandError(`Two processes wrote a snapshot ${name}: say ${names}.`);
}

/** The newest that is whole as far as the manifests tell. */
export function newestWhole(surveyed: readonly SurveyedSnapshot[]): SurveyedSnapshot | undefined {
  return surveyed.find(({ state }) => state === 'whole');
}
