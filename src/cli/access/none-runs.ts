/** Whether a tracker seems to run on a store, so that nobody changes its lists behind its back. */
import { JOURNAL_PREFIX, parseSnapshotKey, SNAPSHOTS_PREFIX } from '../../persistence/format/object-keys.ts';
import type { Store } from '../../persistence/store/store.ts';
import { CommandError } from '../command-error.ts';
import { NoAnswer, statsOf } from '../tracker-client.ts';

/** A tracker to which anybody announces writes each JOURNAL_SECONDS. */
const FRESH_SECONDS_MIN = 60;
const FRESH_INTERVALS = 3;

/**
 * Throws a CommandError when a tracker seems to run on this store: one answers on this machine, or a journal is younger than
 * the last snapshot and has just been written (a tracker that was stopped saves a snapshot last).
 */
export async function assertNoneRuns(
  store: Store,
  options: {
    readonly urls: readonly string[];
    readonly journalSeconds: number;
    readonly nowSeconds: () => number;
    readonly signal: AbortSignal;
    readonly isForced: boolean;
  },
): Promise<void> {
  const { urls, signal, isForced } = options;
  for (const url of new Set(urls)) {
    const stats = await statsOf(url, signal);
    if (stats !== undefined && !(stats instanceof NoAnswer))
      throw new CommandError(
        `A tracker runs at ${url}: leave --store away, and the change is in force at once.`,
      );
  }
  if (isForced) return;
  const segments = await store.list(JOURNAL_PREFIX, signal);
  const manifests = (await store.list(SNAPSHOTS_PREFIX, signal)).filter(
    ({ key }) => parseSnapshotKey(key) !== undefined && key.endsWith('/manifest'),
  );
  const youngest = (objects: readonly { readonly lastModifiedSeconds: number }[]): number =>
    objects.reduce((latest, { lastModifiedSeconds }) => Math.max(latest, lastModifiedSeconds), 0);
  const journal = youngest(segments);
  const ageSeconds = options.nowSeconds() + store.clockOffsetSeconds - journal;
  const freshSeconds = Math.max(FRESH_SECONDS_MIN, FRESH_INTERVALS * options.journalSeconds);
  if (journal > youngest(manifests) && ageSeconds < freshSeconds)
    throw new CommandError(
      `A tracker seems to run on ${store.address}: it wrote a journal segment ${Math.max(0, ageSeconds)} s ago, and no snapshot after ` +
        'it. Change the list through it (--url), or stop it first. If it was stopped or killed just now, wait a minute or say --force.',
    );
}
