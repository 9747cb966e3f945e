/**
 * Brings the table back from the store while the port already answers (rules D-R2, D-R3): the newest whole
 * snapshot, then every journal segment that it does not hold, then what can still be read of newer snapshots that are
 * damaged or unfinished, for their peers only. Damaged objects are named in the log and left; those of a later version
 * are left and keep everything else in the store.
 * Goes on trying until it is settled: a listing has succeeded, and every object was applied or found damaged.
 */
import { whenAborted } from '../../time-limit.ts';
import { ObjectKind } from '../format/object-format.ts';
import { compareNewestFirst, JOURNAL_PREFIX, SNAPSHOTS_PREFIX } from '../format/object-keys.ts';
import type { JournalReader } from '../journal/journal-reader.ts';
import { NewerObjects } from '../listing/newer-objects.ts';
import type { ListedSegment } from '../listing/segment-listing.ts';
import { type ListedSnapshot, listSnapshots } from '../listing/snapshot-listing.ts';
import { noCounts, type RestoreCounts } from '../merge/restore-settings.ts';
import { pauseMs, RetryPause } from '../store/retry-pause.ts';
import { type StoredObject, StoreError, type StoreFailure } from '../store/store.ts';
import type { RestoreVerdict } from './saver.ts';
import { SnapshotRestorer, type SnapshotRestorerOptions } from './snapshot-restorer.ts';

export interface RestorerOptions extends Omit<SnapshotRestorerOptions, 'newer'> {
  /** Merges the journal, and goes on doing so once the restore has settled. */
  readonly journal: JournalReader;
  /** Shared with the AccessLog. */
  readonly newer?: NewerObjects;
  /** Resolves when `isServed` knows enough: with an allow list, when that has been read. */
  readonly whenServedIsKnown: Promise<unknown>;
  /** The first pause after a failure; each further one is twice as long, up to thirty times it. */
  readonly retryMs?: number;
}

export type RestorePhase = 'waiting' | 'listing' | 'reading' | 'failing' | 'settled';

export interface RestoreProgress extends Readonly<RestoreCounts> {
  readonly phase: RestorePhase;
  /** The snapshot that is or was restored, if any. */
  readonly snapshot: string | undefined;
  readonly partsDone: number;
  readonly parts: number;
  /** Journal segments merged. */
  readonly segments: number;
  readonly damaged: readonly string[];
  readonly lastError: StoreError | undefined;
}

export class Restorer implements RestoreVerdict {
  readonly #options: RestorerOptions;
  readonly #counts: RestoreCounts = noCounts();
  readonly newer: NewerObjects;
  readonly #snapshots: SnapshotRestorer;
  #phase: RestorePhase = 'waiting';
  /** The whole snapshot that the table was restored from. */
  #base: ListedSnapshot | undefined;
  #segments = 0;
  #lastError: StoreError | undefined;
  #lastFailure: StoreFailure | undefined;

  constructor(options: RestorerOptions) {
    this.#options = options;
    this.newer = options.newer ?? new NewerObjects();
    this.#snapshots = new SnapshotRestorer({ ...options, newer: this.newer }, this.#counts);
  }

  get isSettled(): boolean {
    return this.#phase === 'settled';
  }

  get progress(): RestoreProgress {
    return {
      ...this.#counts,
      phase: this.#phase,
      snapshot: this.#base?.prefix ?? this.#snapshots.reading,
      partsDone: this.#snapshots.partsDone,
      parts: this.#snapshots.parts,
      segments: this.#segments,
      damaged: [...this.#snapshots.damaged],
      lastError: this.#lastError,
    };
  }

  /** Whether the snapshot in this folder was found damaged; such ones don't count for the retention. */
  isDamaged(prefix: string): boolean {
    return this.#snapshots.damaged.has(prefix);
  }

  get savedSeconds(): number | undefined {
    return this.#snapshots.takenSeconds;
  }

  get changesSaved(): number {
    const { peersExpired, peersLeftOut, peersNotServed, peersStopped } = this.#counts;
    const isAllThere = peersExpired + peersLeftOut + peersNotServed + peersStopped + this.#segments === 0;
    const isOneWhole =
      this.#base !== undefined && this.#snapshots.snapshots === 1 && this.#snapshots.damaged.size === 0;
    return isOneWhole && isAllThere ? this.#snapshots.changes : 0;
  }

  /** Resolves when the restore has settled, or the signal has fired. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, monotonicMs, retryMs, whenServedIsKnown } = this.#options;
    const startMs = monotonicMs();
    const pause = new RetryPause(retryMs);
    await Promise.race([whenServedIsKnown, whenAborted(signal)]);
    while (!this.isSettled && !signal.aborted) {
      try {
        await this.#try(signal);
        this.#phase = 'settled';
        this.#options.stops.restoreHasSettled();
        this.#lastError = undefined;
        const { peersRestored, peersLeftOut } = this.#counts;
        log.info('The restore has settled.', {
          ...this.#summary(),
          durationMs: Math.round(monotonicMs() - startMs),
        });
        if (peersLeftOut > 0) {
          log.warn('The table is full: not every saved peer could be restored.', {
            peersRestored,
            peersLeftOut,
          });
        }
      } catch (caught) {
        if (signal.aborted) return;
        if (!(caught instanceof StoreError)) throw caught;
        if (caught.failure === 'not-found') {
          // Most likely another tracker rotated it away.
          log.info(`A saved object is gone since it was listed; looking again: ${caught.message}`);
        } else if (this.#lastFailure !== caught.failure) {
          this.#lastFailure = caught.failure;
          log.error(`The restore cannot go on, and will be tried until it can: ${caught.message}`, {
            failure: caught.failure,
          });
        }
        this.#lastError = caught;
        this.#phase = 'failing';
        await pauseMs(pause.nextMs(), signal);
      }
    }
  }

  async #try(signal: AbortSignal): Promise<void> {
    const { store } = this.#options;
    this.#phase = 'listing';
    const segments = await store.list(JOURNAL_PREFIX, signal);
    const listed = listSnapshots(await store.list(SNAPSHOTS_PREFIX, signal));
    this.#phase = 'reading';
    const doubtful: ListedSnapshot[] = [];
    for (const snapshot of listed) {
      if (this.#base !== undefined && compareNewestFirst(snapshot, this.#base) >= 0) break;
      const manifest = await this.#snapshots.manifest(snapshot, signal);
      if (manifest === 'newer' || manifest === 'locked') continue;
      // Completions come from one snapshot only: what is newer than the one of an earlier try gives its peers.
      if (manifest === 'damaged' || this.#base !== undefined) doubtful.push(snapshot);
      else if (await this.#snapshots.restoreWhole(snapshot, manifest, signal)) {
        this.#base = snapshot;
        break;
      }
    }
    await this.#replay(segments, signal);
    for (const snapshot of doubtful) await this.#snapshots.restorePeers(snapshot, signal);
    const { journal, keys } = this.#options;
    const locked = listed.find((snapshot) => this.#isLocked(snapshot))?.prefix ?? journal.firstLocked;
    if (locked !== undefined) throw keys.lockedError(locked);
  }

  /** What is older than the snapshot that was restored is not needed, whether it can be opened or not. */
  #isLocked(snapshot: ListedSnapshot): boolean {
    const isNeeded = this.#base === undefined || compareNewestFirst(snapshot, this.#base) < 0;
    return isNeeded && this.#snapshots.locked.has(snapshot.prefix);
  }

  /** Every segment past what the table holds; one that its writer had to drop leaves a gap that nothing fills. */
  async #replay(segments: readonly StoredObject[], signal: AbortSignal): Promise<void> {
    const { journal, history, store, log } = this.#options;
    const unread = journal.unread(segments).length;
    await journal.rememberStops(segments, signal);
    try {
      const passesGap = ({ boot }: ListedSegment): boolean => {
        log.info('The journal has a gap: its writer dropped segments, or they are deleted.', { boot });
        return true;
      };
      const onMerged = async ({ key }: ListedSegment, bytes: Uint8Array): Promise<void> => {
        await history?.restore(ObjectKind.journalSegment, key, bytes, store.clockOffsetSeconds);
      };
      await journal.merge(segments, this.#counts, { passesGap, onMerged, signal });
    } finally {
      this.#segments += unread - journal.unread(segments).length;
    }
  }

  #summary(): Record<string, number | string | boolean | undefined> {
    return {
      snapshot: this.#base?.prefix,
      ...this.#counts,
      damaged: this.#snapshots.damaged.size,
      hasMetNewer: this.newer.hasAny,
    };
  }
}
