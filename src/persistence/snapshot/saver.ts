/**
 * Saves the table when it is asked to, if a snapshot is allowed and due, and lets the retention run after each (rules
 * D-N4, D-R3, D-T1). How one is taken is take-snapshot.ts's.
 *
 * One save at a time. An ask for a save while one runs joins it, but for that of a shutdown: that gives up the
 * one that runs, which does not know what was announced since it began, and saves anew.
 */
import type { Log } from '../../log.ts';
import { Histogram, STORE_BOUNDS_SECONDS } from '../../stats/histogram.ts';
import { timeLimit } from '../../time-limit.ts';
import { assertBootId, SNAPSHOTS_PREFIX, type SnapshotId } from '../format/object-keys.ts';
import type { Journal } from '../journal/journal.ts';
import type { JournalReader } from '../journal/journal-reader.ts';
import type { ManifestCache } from '../listing/manifest-cache.ts';
import type { NewerObjects } from '../listing/newer-objects.ts';
import { Retention } from '../listing/retention.ts';
import { listSnapshots } from '../listing/snapshot-listing.ts';
import { abortedError, type StoredObject, StoreError } from '../store/store.ts';
import { isSnapshotDue } from './snapshot-due.ts';
import { type SnapshotSources, takeSnapshot } from './take-snapshot.ts';

const WALK_MS_MAX = 5 * 60_000;

/** What a saver needs to know of the restore. */
export interface RestoreVerdict {
  readonly isSettled: boolean;
  /** `table.changes` as the restore alone would have made it, when a whole snapshot is all that it brought; else 0. */
  readonly changesSaved: number;
  /** When the snapshot that was restored was taken, by the tracker's clock; undefined when there was none. */
  readonly savedSeconds: number | undefined;
  readonly newer: NewerObjects;
  isDamaged(prefix: string): boolean;
}

export interface SaverOptions extends SnapshotSources {
  readonly restore: RestoreVerdict;
  readonly journal: Pick<Journal, 'cut' | 'stored' | 'lostSequence'>;
  /** Of the other boots' journals: what of them is part of the table, and what is damaged. */
  readonly others: Pick<JournalReader, 'vector' | 'isDamaged'>;
  /** Merges what other boots have stored, and gives the listing of the journal. Rejects with a StoreError. */
  readonly follow: (signal: AbortSignal) => Promise<readonly StoredObject[]>;
  readonly manifests: ManifestCache;
  /** JOURNAL_SECONDS; with 0 every scheduled snapshot is due. */
  readonly journalSeconds: number;
  /** Of this process: 8 to 32 characters of a-z and 0-9, random, new at each start. */
  readonly boot: string;
  /** Whole snapshots to keep (SNAPSHOT_KEEP). */
  readonly keep: number;
  readonly log: Log;
  readonly walkMsMax?: number;
}

/** `journal`: it has lost a segment, which only a snapshot makes good. */
export type SaveCause = 'schedule' | 'journal' | 'signal' | 'shutdown' | 'admin';

export type SaveOutcome =
  | {
      readonly kind: 'saved';
      readonly number: number;
      readonly bytes: number;
      readonly swarms: number;
      readonly peers: number;
    }
  /** Nothing changed since the last snapshot, so nothing was written. */
  | { readonly kind: 'unchanged' }
  /** The journal is small beside the last snapshot, and that is young: nothing was written (rule D-N4). */
  | { readonly kind: 'not-due' }
  /** The restore has not settled: a snapshot now could push out what it has not read. */
  | { readonly kind: 'not-settled' }
  | { readonly kind: 'failed'; readonly error: StoreError };

export interface SaveStatus {
  readonly isSaving: boolean;
  /** Of the last save, or of the snapshot that was restored; undefined when there is none. */
  readonly lastSavedAtSeconds: number | undefined;
  /** How often one was saved; or asked for, and none was needed or allowed; or failed. */
  readonly snapshots: number;
  readonly skipped: number;
  readonly failed: number;
  readonly lastBytes: number | undefined;
  readonly lastPeers: number | undefined;
  readonly lastDurationMs: number | undefined;
  /** Of the last try, undefined when it went well. */
  readonly lastError: StoreError | undefined;
}

interface Saved {
  readonly atSeconds: number;
  readonly bytes: number;
  readonly peers: number;
  readonly durationMs: number;
}

interface Running {
  readonly done: Promise<SaveOutcome>;
  readonly giveUp: AbortController;
}

export class Saver {
  readonly #options: SaverOptions;
  readonly #retention: Retention;
  #running: Running | undefined;
  /** What `table.changes` was at the cut of the last snapshot of this process. */
  #changesSaved: number | undefined;
  #cutSaved = 0;
  #numberLast = 0;
  /** How long each took that was saved. */
  readonly durations = new Histogram(STORE_BOUNDS_SECONDS);
  #snapshots = 0;
  #skipped = 0;
  #failed = 0;
  #last: Saved | undefined;
  #lastError: StoreError | undefined;

  constructor(options: SaverOptions) {
    assertBootId(options.boot);
    this.#options = options;
    this.#retention = new Retention({
      ...options,
      newer: options.restore.newer,
      isDamaged: (prefix) => options.restore.isDamaged(prefix),
      isSegmentDamaged: (key) => options.others.isDamaged(key),
    });
  }

  get status(): SaveStatus {
    return {
      isSaving: this.#running !== undefined,
      lastSavedAtSeconds: this.#last?.atSeconds ?? this.#options.restore.savedSeconds,
      snapshots: this.#snapshots,
      skipped: this.#skipped,
      failed: this.#failed,
      lastBytes: this.#last?.bytes,
      lastPeers: this.#last?.peers,
      lastDurationMs: this.#last?.durationMs,
      lastError: this.#lastError,
    };
  }

  /** Whether the journal has lost what no snapshot holds yet. */
  get isOwed(): boolean {
    return this.#options.journal.lostSequence > this.#cutSaved;
  }

  /** Never rejects for what the store does. `signal` ends it soon, as a failure. */
  async save(cause: SaveCause, signal?: AbortSignal): Promise<SaveOutcome> {
    while (this.#running !== undefined) {
      const { done, giveUp } = this.#running;
      if (cause !== 'shutdown') return done;
      giveUp.abort();
      await done;
    }
    const { restore, table, log } = this.#options;
    if (!restore.isSettled) {
      if (cause !== 'schedule') log.warn('No snapshot is saved: the restore has not settled.', { cause });
      this.#skipped += 1;
      return { kind: 'not-settled' };
    }
    if (table.changes === (this.#changesSaved ?? restore.changesSaved)) {
      this.#skipped += 1;
      return { kind: 'unchanged' };
    }
    const giveUp = new AbortController();
    const limit = timeLimit(this.#options.walkMsMax ?? WALK_MS_MAX, giveUp.signal, signal);
    const done = this.#try(cause, limit.signal);
    this.#running = { done, giveUp };
    try {
      return await done;
    } finally {
      limit.end();
      this.#running = undefined;
    }
  }

  async #try(cause: SaveCause, signal: AbortSignal): Promise<SaveOutcome> {
    const { log } = this.#options;
    try {
      const outcome = await this.#save(cause, signal);
      if (this.#lastError !== undefined) log.info('Saving works again.');
      this.#lastError = undefined;
      if (outcome.kind === 'not-due') this.#skipped += 1;
      if (outcome.kind === 'saved') {
        log.info('snapshot saved', { cause, ...outcome, durationMs: this.#last?.durationMs });
      }
      return outcome;
    } catch (caught) {
      const error = asStoreError(caught, signal);
      this.#failed += 1;
      if (this.#lastError === undefined || (cause !== 'schedule' && cause !== 'journal')) {
        log.error(`A snapshot could not be saved: ${error.message}`, { cause, failure: error.failure });
      }
      this.#lastError = error;
      return { kind: 'failed', error };
    }
  }

  async #save(cause: SaveCause, signal: AbortSignal): Promise<SaveOutcome> {
    const { store, boot, nowSeconds, monotonicMs, journalSeconds, manifests } = this.#options;
    const startMs = monotonicMs();
    const journal = await this.#options.follow(signal);
    const listed = listSnapshots(await store.list(SNAPSHOTS_PREFIX, signal));
    const storeSeconds = nowSeconds() + store.clockOffsetSeconds;
    const isOptional = cause === 'schedule' && journalSeconds > 0;
    if (
      isOptional &&
      !(await isSnapshotDue(listed, journal, { manifests, nowSeconds: storeSeconds, signal }))
    ) {
      return { kind: 'not-due' };
    }
    const id: SnapshotId = { number: Math.max(this.#numberLast, listed[0]?.number ?? 0) + 1, boot };
    this.#numberLast = id.number;

    const { manifest, bytes, changesAtCut, listed: after } = await takeSnapshot(id, this.#options, signal);
    this.#changesSaved = changesAtCut;
    this.#cutSaved = manifest.cutSequence;
    this.#snapshots += 1;
    const durationMs = Math.round(monotonicMs() - startMs);
    this.durations.record(durationMs / 1_000);
    const { number, swarms, peers } = manifest;
    this.#last = { atSeconds: nowSeconds(), bytes, peers, durationMs };
    await this.#retain(after, journal, signal);
    return { kind: 'saved', number, bytes, swarms, peers };
  }

  /** The snapshot stands whatever becomes of the old ones. */
  async #retain(
    objects: readonly StoredObject[],
    journal: readonly StoredObject[],
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#retention.run(listSnapshots(objects), journal, signal);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#options.log.warn(`Old snapshots stay for now: ${error.message}`, { failure: error.failure });
    }
  }
}

/** What ends a save is the store or a signal; anything else is a bug and goes on up. */
function asStoreError(caught: unknown, signal: AbortSignal): StoreError {
  if (caught instanceof StoreError) return caught;
  if (signal.aborted && caught === signal.reason) return abortedError('The walk over the table', signal);
  throw caught;
}
