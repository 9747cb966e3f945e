/**
 * Brings the table back from the store while the port already answers (rules D-R2, D-R3): the newest whole
 * snapshot, then every journal segment that it does not hold, then what can still be read of newer snapshots that are
 * damaged or unfinished, for their peers only. Damaged
 * objects are named in the log and left; those of a later version are left and keep everything else in the store.
 * Goes on trying until it is settled: a listing has succeeded, and every object was applied or found damaged.
 */
import type { Log } from '../../log.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import type { UniqueAddresses } from '../../stats/unique-addresses.ts';
import type { SwarmTable } from '../../swarm/swarm-table.ts';
import { decodeManifest, type Manifest, type ManifestState, swarmParts } from '../format/manifest.ts';
import { ObjectKind } from '../format/object-format.ts';
import {
  compareNewestFirst,
  JOURNAL_PREFIX,
  manifestKey,
  partKey,
  SNAPSHOTS_PREFIX,
} from '../format/object-keys.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import type { JournalReader } from '../journal/journal-reader.ts';
import { vectorOf } from '../listing/manifest-cache.ts';
import { MissingObjects } from '../listing/missing-objects.ts';
import { NewerObjects } from '../listing/newer-objects.ts';
import type { ListedSegment } from '../listing/segment-listing.ts';
import { isComplete, isOversized, type ListedSnapshot, listSnapshots } from '../listing/snapshot-listing.ts';
import type { HistoryRestorer } from '../merge/history-restorer.ts';
import {
  HeldTotals,
  noCounts,
  PartRestorer,
  type RestoreCounts,
  type RestoreSettings,
  type SwarmDestination,
} from '../merge/part-restorer.ts';
import type { StopMemory } from '../merge/stop-memory.ts';
import { pauseMs, RetryPause } from '../store/retry-pause.ts';
import { type Store, type StoredObject, StoreError, type StoreFailure } from '../store/store.ts';
import type { RestoreVerdict } from './saver.ts';

export interface RestorerOptions {
  readonly store: Store;
  readonly table: SwarmDestination & Pick<SwarmTable, 'addCompletedEver'>;
  /** Merges the journal, and goes on doing so once the restore has settled. */
  readonly journal: JournalReader;
  readonly stops: StopMemory;
  /** Without it the history is not read. */
  readonly history?: HistoryRestorer | undefined;
  /** Shared with the AccessLog. */
  readonly newer?: NewerObjects;
  readonly keys: StoreKeys;
  readonly isServed: (infoHash: Uint8Array) => boolean;
  /** Resolves when `isServed` knows enough: with an allow list, when that has been read. */
  readonly whenServedIsKnown: Promise<unknown>;
  readonly peerTtlSeconds: number;
  /** Counts each restored peer's address as if it had been heard. */
  readonly addresses: Pick<UniqueAddresses, 'add'>;
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
  readonly log: Log;
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
  readonly lastError: string | undefined;
}

export class Restorer implements RestoreVerdict {
  readonly #options: RestorerOptions;
  readonly #counts: RestoreCounts = noCounts();
  readonly #damaged = new Set<string>();
  readonly newer: NewerObjects;
  /** Snapshots of which something is sealed with a key that is not there. */
  readonly #locked = new Set<string>();
  /** Snapshots of which something was read. */
  readonly #begun = new Set<string>();
  /** Snapshots that need not be read again at the next try. */
  readonly #done = new Set<string>();
  #phase: RestorePhase = 'waiting';
  #base: ListedSnapshot | undefined;
  #reading: string | undefined;
  #partsDone = 0;
  #parts = 0;
  #segments = 0;
  #lastError: string | undefined;
  #lastFailure: StoreFailure | undefined;
  /** Listings that named an object which was not there. */
  readonly #missing = new MissingObjects();
  /** By how much `table.changes` grew by what was restored. */
  #changes = 0;

  constructor(options: RestorerOptions) {
    this.#options = options;
    this.newer = options.newer ?? new NewerObjects();
  }

  get isSettled(): boolean {
    return this.#phase === 'settled';
  }

  get progress(): RestoreProgress {
    return {
      ...this.#counts,
      phase: this.#phase,
      snapshot: this.#base?.prefix ?? this.#reading,
      partsDone: this.#partsDone,
      parts: this.#parts,
      segments: this.#segments,
      damaged: [...this.#damaged],
      lastError: this.#lastError,
    };
  }

  /** Whether the snapshot in this folder was found damaged; such ones don't count for the retention. */
  isDamaged(prefix: string): boolean {
    return this.#damaged.has(prefix);
  }

  get changesSaved(): number {
    const { peersExpired, peersLeftOut, peersNotServed, peersStopped } = this.#counts;
    const isAllThere = peersExpired + peersLeftOut + peersNotServed + peersStopped + this.#segments === 0;
    const isOneWhole = this.#base !== undefined && this.#begun.size === 1 && this.#damaged.size === 0;
    return isOneWhole && isAllThere ? this.#changes : 0;
  }

  /** Resolves when the restore has settled, or the signal has fired. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, monotonicMs, retryMs, whenServedIsKnown } = this.#options;
    const startMs = monotonicMs();
    const pause = new RetryPause(retryMs);
    await Promise.race([whenServedIsKnown, aborted(signal)]);
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
        this.#lastError = caught.message;
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
      const manifest = await this.#manifest(snapshot, signal);
      if (manifest === 'newer' || manifest === 'locked') continue;
      // Completions come from one snapshot only: what is newer than the one of an earlier try gives its peers.
      if (manifest === 'damaged' || this.#base !== undefined) doubtful.push(snapshot);
      else if (await this.#restoreWhole(snapshot, manifest, signal)) break;
    }
    await this.#replay(segments, signal);
    for (const snapshot of doubtful) await this.#restorePeersOnly(snapshot, signal);
    const { journal, keys } = this.#options;
    const locked = listed.find((snapshot) => this.#isLocked(snapshot))?.prefix ?? journal.firstLocked;
    if (locked !== undefined) throw keys.lockedError(locked);
  }

  /** What is older than the snapshot that was restored is not needed, whether it can be opened or not. */
  #isLocked(snapshot: ListedSnapshot): boolean {
    const isNeeded = this.#base === undefined || compareNewestFirst(snapshot, this.#base) < 0;
    return isNeeded && this.#locked.has(snapshot.prefix);
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

  /** The manifest of a snapshot that is whole as far as the listing tells; 'damaged' also when it is unfinished. */
  async #manifest(snapshot: ListedSnapshot, signal: AbortSignal): Promise<ManifestState> {
    if (snapshot.manifest === undefined) return 'damaged';
    if (this.newer.has(snapshot.prefix)) return 'newer';
    if (snapshot.isOversized)
      this.#foundDamaged(snapshot, 'an object of it is larger than any that is written');
    if (this.#damaged.has(snapshot.prefix)) return 'damaged';
    if (this.#locked.has(snapshot.prefix)) return 'locked';
    const key = manifestKey(snapshot);
    const bytes = await this.#get(key, signal);
    const manifest = bytes === undefined ? 'damaged' : decodeManifest(key, bytes, this.#options.keys);
    if (manifest === 'locked') {
      this.#locked.add(snapshot.prefix);
    } else if (manifest === 'newer') {
      this.#foundNewer(snapshot);
    } else if (manifest === 'damaged') {
      this.#foundDamaged(snapshot, 'its manifest cannot be read');
    } else if (!isComplete(snapshot, manifest)) {
      this.#foundDamaged(snapshot, 'parts are missing or have another size than the manifest says');
      return 'damaged';
    }
    return manifest;
  }

  /** True when all of it was valid. When not, its peers are in the table all the same, its completions are not. */
  async #restoreWhole(snapshot: ListedSnapshot, manifest: Manifest, signal: AbortSignal): Promise<boolean> {
    this.#reading = snapshot.prefix;
    const totals = new HeldTotals();
    const keys = manifest.partBytes.map((_, part) => partKey(snapshot, part));
    const historyKeys = keys.splice(swarmParts(manifest));
    const read = await this.#restoreParts(snapshot, keys, totals, signal);
    for (const key of historyKeys) await this.#restoreHistory(key, signal);
    if (read.isNewer) return false;
    if (read.isWhole && (read.swarms !== manifest.swarms || read.peers !== manifest.peers)) {
      this.#foundDamaged(snapshot, 'its parts do not hold what the manifest says');
      read.isWhole = false;
    }
    this.#done.add(snapshot.prefix);
    if (!read.isWhole) return false;
    const settings = this.#settings();
    await this.#runCounted(() => totals.step(settings), signal);
    this.#options.table.addCompletedEver(manifest.completed ?? totals.completed);
    this.#options.journal.cover(vectorOf(manifest));
    this.#base = snapshot;
    return true;
  }

  /** Rule D-N5. */
  async #restoreHistory(key: string, signal: AbortSignal): Promise<void> {
    const { history, store, log } = this.#options;
    if (history === undefined) return;
    const bytes = await this.#get(key, signal);
    const what =
      bytes === undefined
        ? 'it is not there'
        : await history.restore(ObjectKind.snapshotPart, key, bytes, store.clockOffsetSeconds);
    if (what !== undefined) log.warn('Not all of the saved history could be read.', { part: key, what });
  }

  async #restorePeersOnly(snapshot: ListedSnapshot, signal: AbortSignal): Promise<void> {
    if (this.#done.has(snapshot.prefix)) return;
    const parts = [...snapshot.parts.values()].filter((part) => !isOversized(part));
    const keys = parts.map((part) => part.key);
    await this.#restoreParts(snapshot, keys, new HeldTotals(), signal);
    this.#done.add(snapshot.prefix);
  }

  /** Reads the next part while the one before goes into the table. */
  async #restoreParts(
    snapshot: ListedSnapshot,
    keys: readonly string[],
    totals: HeldTotals,
    signal: AbortSignal,
  ): Promise<{ isWhole: boolean; isNewer: boolean; swarms: number; peers: number }> {
    const read = { isWhole: true, isNewer: false, swarms: 0, peers: 0 };
    this.#begun.add(snapshot.prefix);
    this.#parts += keys.length;
    let ahead = keys[0] === undefined ? undefined : this.#get(keys[0], signal);
    for (const [index, key] of keys.entries()) {
      const bytes = await ahead!;
      const next = keys[index + 1];
      ahead = next === undefined ? undefined : this.#get(next, signal);
      ahead?.catch(() => {}); // it is awaited in the next round, or this round ends in a failure of its own
      this.#partsDone += 1;
      if (bytes === undefined) {
        read.isWhole = false;
        this.#foundDamaged(snapshot, `${key} is listed and not there`);
        continue;
      }
      const part = new PartRestorer(key, bytes, this.#settings(), this.#counts, totals);
      await this.#runCounted(() => part.step(), signal);
      read.swarms += part.swarms;
      read.peers += part.peers;
      if (part.state === 'whole') continue;
      read.isWhole = false;
      if (part.state === 'newer') {
        read.isNewer = true;
        this.#foundNewer(snapshot);
      } else if (part.state === 'locked') {
        this.#locked.add(snapshot.prefix);
      } else if (snapshot.manifest !== undefined) {
        this.#foundDamaged(snapshot, `${key}: ${part.damage}`);
      }
    }
    return read;
  }

  /** Rejects with 'not-found' so that the store is listed again, until several listings named what is not there. */
  async #get(key: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      return await this.#options.store.get(key, signal);
    } catch (error) {
      if (!(error instanceof StoreError) || error.failure !== 'not-found') throw error;
      if (!this.#missing.note(key)) throw error;
      return undefined;
    }
  }

  /** Runs the steps in slices, and counts what they change in the table apart from what announces do in between. */
  #runCounted(step: () => boolean, signal: AbortSignal): Promise<void> {
    const { table, monotonicMs } = this.#options;
    const countedStep = (): boolean => {
      const before = table.changes;
      const hasMore = step();
      this.#changes += table.changes - before;
      return hasMore;
    };
    return runInSlices(countedStep, { monotonicMs, signal });
  }

  #settings(): RestoreSettings {
    return { ...this.#options, offsetSeconds: this.#options.store.clockOffsetSeconds };
  }

  #foundDamaged(snapshot: ListedSnapshot, what: string): void {
    if (this.#damaged.has(snapshot.prefix)) return;
    this.#damaged.add(snapshot.prefix);
    this.#options.log.error('A snapshot is damaged; what is valid of it is used, and it is left as it is.', {
      snapshot: snapshot.prefix,
      what,
    });
  }

  #foundNewer(snapshot: ListedSnapshot): void {
    if (!this.newer.add(snapshot.prefix)) return;
    this.#options.log.warn('A snapshot was written by a later version of the tracker; it is left as it is.', {
      snapshot: snapshot.prefix,
    });
  }

  #summary(): Record<string, number | string | boolean | undefined> {
    return {
      snapshot: this.#base?.prefix,
      ...this.#counts,
      damaged: this.#damaged.size,
      hasMetNewer: this.newer.hasAny,
    };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
