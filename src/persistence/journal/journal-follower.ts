/**
 * Keeps this tracker together with the others on the same store (rules D-J4, D-J5, D-P4): each interval it looks for
 * segments that they have written and merges them, and for access changes at the same time. While no other writer has
 * been seen for ten minutes it looks once a minute.
 *
 * Where segments of a boot are missing it merges nothing more of that boot until there is a whole snapshot that
 * holds them, merges that, and goes on from there. The same when it was away for so long that segments may have been
 * deleted without a trace. So a slow reader costs itself one snapshot, and nobody waits for it.
 */
import type { Log } from '../../log.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import type { SwarmTable } from '../../swarm/swarm-table.ts';
import { type Manifest, swarmParts } from '../format/manifest.ts';
import { JOURNAL_PREFIX, partKey, SNAPSHOTS_PREFIX } from '../format/object-keys.ts';
import { type ManifestCache, vectorOf } from '../listing/manifest-cache.ts';
import { JOURNAL_AGE_SECONDS_MIN } from '../listing/retention.ts';
import type { ListedSegment } from '../listing/segment-listing.ts';
import { type ListedSnapshot, listSnapshots } from '../listing/snapshot-listing.ts';
import { COMPANY_SECONDS } from '../merge/company.ts';
import { HeldTotals } from '../merge/held-totals.ts';
import { PartRestorer } from '../merge/part-restorer.ts';
import { noCounts, type RestoreSettings } from '../merge/restore-settings.ts';
import type { StopMemory } from '../merge/stop-memory.ts';
import type { TableTurn } from '../merge/table-turn.ts';
import { type Store, type StoredObject, StoreError } from '../store/store.ts';
import type { Gap, JournalReader } from './journal-reader.ts';

const ALONE_INTERVAL_SECONDS = 60;

export interface JournalFollowerOptions extends Omit<RestoreSettings, 'offsetSeconds'> {
  readonly store: Store;
  readonly table: RestoreSettings['table'] & Pick<SwarmTable, 'raiseCompletedEver'>;
  readonly journal: JournalReader;
  readonly manifests: ManifestCache;
  readonly stops: StopMemory;
  readonly boot: string;
  readonly turn: TableTurn;
  /** JOURNAL_SECONDS; 0 as when alone. */
  readonly intervalSeconds: number;
  /** Looks for changes of bans and allowed hashes. Rejects with a StoreError. */
  readonly refreshAccess: (signal: AbortSignal) => Promise<void>;
  readonly monotonicMs: MonotonicMs;
  readonly log: Log;
}

export class JournalFollower {
  readonly #options: JournalFollowerOptions;
  /** Of what was merged since the restore. */
  readonly counts = noCounts();
  /** Snapshots merged because journal segments were missing. */
  snapshotsMerged = 0;
  readonly #gaps = new Map<string, Gap>();
  /** The locked segment that the log was told of. */
  #locked: string | undefined;
  #lookedSeconds = Number.NEGATIVE_INFINITY;
  /** Until then nothing was missed: whatever was deleted since is younger than any that may be deleted. */
  #followedSeconds: number;
  readonly #looking = new Set<string>();
  #following: Promise<unknown> = Promise.resolve();

  constructor(options: JournalFollowerOptions) {
    this.#options = options;
    // Another may just be about to end, as in a deploy.
    this.#followedSeconds = options.nowSeconds();
    options.stops.company.wasSeen(options.nowSeconds());
  }

  /** Whether another tracker wrote to the store within the last ten minutes. */
  get hasCompany(): boolean {
    return this.#options.stops.company.isThere(this.#options.nowSeconds());
  }

  /** Looks if it is time to; called once an interval. Never rejects for what the store does. */
  async tick(signal: AbortSignal, isSettled: boolean): Promise<void> {
    const { nowSeconds, intervalSeconds } = this.#options;
    const pauseSeconds =
      this.hasCompany && intervalSeconds > 0
        ? intervalSeconds
        : Math.max(ALONE_INTERVAL_SECONDS, intervalSeconds);
    if (nowSeconds() - this.#lookedSeconds < pauseSeconds) return;
    this.#lookedSeconds = nowSeconds();
    await Promise.all([
      this.#lookFor('access changes', () => this.#options.refreshAccess(signal), signal),
      // Nothing is merged before the restore has settled: it reads the journal itself.
      isSettled && this.#lookFor('the journal', () => this.follow(signal), signal),
    ]);
  }

  /** Not twice at once: the journal may have to wait for a walk, and access changes must not wait with it. */
  async #lookFor(what: string, look: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
    if (this.#looking.has(what)) return;
    this.#looking.add(what);
    try {
      await look();
    } catch (error) {
      // The log has a line for each change of the store's state; there is a next time.
      if (!(error instanceof StoreError) && !(signal.aborted && error === signal.reason)) throw error;
    } finally {
      this.#looking.delete(what);
    }
  }

  /**
   * Merges what others have stored till now. A snapshot asks for it, too: one that lacked what only an older snapshot
   * still holds would in time push that out.
   *
   * @returns the listing of the journal; rejects with a StoreError
   */
  follow(signal: AbortSignal): Promise<readonly StoredObject[]> {
    const following = this.#following.then(() => this.#follow(signal));
    this.#following = following.catch(() => {});
    return following;
  }

  async #follow(signal: AbortSignal): Promise<readonly StoredObject[]> {
    const { store, journal, stops, nowSeconds } = this.#options;
    const listedSeconds = nowSeconds();
    const isLate = listedSeconds - this.#followedSeconds > JOURNAL_AGE_SECONDS_MIN;
    const objects = await store.list(JOURNAL_PREFIX, signal);
    if (journal.unread(objects).length > 0) {
      stops.company.wasSeen(nowSeconds());
      // What they hold may be served only since a change that was stored before them.
      await this.#options.refreshAccess(signal);
    }
    // Of a writer that is gone no snapshot will come: as a restart would, this goes on over its gaps.
    const silentSeconds = listedSeconds + store.clockOffsetSeconds - COMPANY_SECONDS;
    const passesGap = (last: ListedSegment): boolean => {
      const isSilent = last.lastModifiedSeconds < silentSeconds;
      if (isSilent) this.#passOver(last.boot);
      return isSilent;
    };
    const gaps = await journal.merge(objects, this.counts, { passesGap, signal });
    this.#noteLocked();
    this.#note(gaps);
    if (gaps.length > 0 || isLate) await this.#catchUp(gaps, isLate, signal);
    this.#followedSeconds = listedSeconds;
    return objects;
  }

  #noteLocked(): void {
    const { journal, keys, log } = this.#options;
    if (journal.firstLocked === this.#locked) return;
    this.#locked = journal.firstLocked;
    if (this.#locked === undefined) log.info('What other trackers on this store write can be opened again.');
    else log.error(`Another tracker is not heard: ${keys.lockedError(this.#locked).message}`);
  }

  #note(gaps: readonly Gap[]): void {
    for (const gap of gaps) {
      if (this.#gaps.has(gap.boot)) continue;
      this.#gaps.set(gap.boot, gap);
      this.#options.log.warn(
        'Journal segments of another tracker are missing; waiting for a snapshot that holds what they held.',
        { ...gap },
      );
    }
  }

  #passOver(boot: string): void {
    this.#gaps.delete(boot);
    this.#options.log.warn(
      'A tracker that is gone left a gap in its journal, which nothing fills any more.',
      {
        boot,
      },
    );
  }

  /** Merges a snapshot that holds what is missing: at a gap, or, when it `isLate`, whatever may have been deleted. */
  async #catchUp(gaps: readonly Gap[], isLate: boolean, signal: AbortSignal): Promise<void> {
    const { store, manifests, boot, journal } = this.#options;
    for (const snapshot of listSnapshots(await store.list(SNAPSHOTS_PREFIX, signal))) {
      // What this tracker has missed its own snapshots have missed, too.
      if (snapshot.boot === boot) continue;
      const manifest = await manifests.whole(snapshot, signal);
      if (manifest === undefined) continue;
      const vector = vectorOf(manifest);
      const closed = gaps.filter((gap) => (vector.get(gap.boot) ?? 0) >= gap.sequence);
      const isAhead = [...vector].some(
        (part) => part[0] !== boot && part[1] > (journal.vector.get(part[0]) ?? 0),
      );
      if (closed.length === 0 && !(isLate && isAhead)) continue;
      if (!(await this.#mergeSnapshot(snapshot, manifest, signal))) continue;
      for (const gap of closed) this.#gaps.delete(gap.boot);
      this.#options.log.info('A snapshot made good what was missing of the journal.', {
        snapshot: snapshot.prefix,
      });
      return;
    }
  }

  /** False when not all of it could be read. Its peers are true all the same. */
  async #mergeSnapshot(snapshot: ListedSnapshot, manifest: Manifest, signal: AbortSignal): Promise<boolean> {
    const { store, journal, table, turn, monotonicMs } = this.#options;
    const totals = new HeldTotals({ isGreaterWins: true });
    return turn.take(async () => {
      const settings = { ...this.#options, offsetSeconds: store.clockOffsetSeconds };
      for (let part = 0; part < swarmParts(manifest); part++) {
        const key = partKey(snapshot, part);
        const bytes = await store.get(key, signal);
        const restorer = new PartRestorer(key, bytes, settings, this.counts, totals);
        await runInSlices(() => restorer.step(), { monotonicMs });
        if (restorer.state !== 'whole') return false;
      }
      await runInSlices(() => totals.step(settings), { monotonicMs });
      table.raiseCompletedEver(manifest.completed ?? totals.completed);
      journal.cover(vectorOf(manifest));
      this.snapshotsMerged += 1;
      return true;
    });
  }
}
