/**
 * Brings back one snapshot after the other, and remembers of each what was found: damaged, of a later version, sealed with
 * a key that is not there. Peers are true by themselves and go in from whatever block is valid; completed downloads, the
 * vector and the history come from one whole snapshot only (rule D-R2). Leaves which snapshots to bring back, and when
 * to try again, to the restorer.
 */
import type { Log } from '../../log.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import type { SwarmTable } from '../../swarm/swarm-table.ts';
import { decodeManifest, type Manifest, type ManifestState, swarmParts } from '../format/manifest.ts';
import { ObjectKind } from '../format/object-format.ts';
import { partKey } from '../format/object-keys.ts';
import type { JournalReader } from '../journal/journal-reader.ts';
import { ListedObjects } from '../listing/listed-objects.ts';
import { vectorOf } from '../listing/manifest-cache.ts';
import type { NewerObjects } from '../listing/newer-objects.ts';
import { isComplete, isOversized, type ListedSnapshot } from '../listing/snapshot-listing.ts';
import { HeldTotals } from '../merge/held-totals.ts';
import type { HistoryRestorer } from '../merge/history-restorer.ts';
import { PartRestorer } from '../merge/part-restorer.ts';
import type { RestoreCounts, RestoreSettings, SwarmDestination } from '../merge/restore-settings.ts';
import { inTurn } from '../store/read-ahead.ts';
import type { Store, StoredObject } from '../store/store.ts';

export interface SnapshotRestorerOptions extends Omit<RestoreSettings, 'offsetSeconds'> {
  readonly store: Store;
  readonly table: SwarmDestination & Pick<SwarmTable, 'addCompletedEver'>;
  /** Told what a whole snapshot holds of it. */
  readonly journal: Pick<JournalReader, 'cover'>;
  /** Without it the history is not read. */
  readonly history?: HistoryRestorer | undefined;
  readonly newer: NewerObjects;
  readonly monotonicMs: MonotonicMs;
  readonly log: Log;
}

export class SnapshotRestorer {
  readonly #options: SnapshotRestorerOptions;
  readonly #counts: RestoreCounts;
  readonly #objects: ListedObjects;
  /** Folders of snapshots of which something is damaged, and of which something is sealed with a key that is not there. */
  readonly damaged = new Set<string>();
  readonly locked = new Set<string>();
  /** Snapshots of which something was read. */
  readonly #begun = new Set<string>();
  /** Snapshots that need not be read again at the next try. */
  readonly #done = new Set<string>();
  /** The last whole one that was begun. */
  reading: string | undefined;
  /** When the whole one that was brought back was taken, by this tracker's clock, seconds since the epoch. */
  takenSeconds: number | undefined;
  partsDone = 0;
  parts = 0;
  /** By how much `table.changes` grew by what was restored. */
  changes = 0;

  /** `counts` are added to. */
  constructor(options: SnapshotRestorerOptions, counts: RestoreCounts) {
    this.#options = options;
    this.#counts = counts;
    this.#objects = new ListedObjects(options.store);
  }

  /** How many snapshots anything was read of. */
  get snapshots(): number {
    return this.#begun.size;
  }

  /** The manifest of a snapshot that is whole as far as the listing tells; 'damaged' also when it is unfinished. */
  async manifest(snapshot: ListedSnapshot, signal: AbortSignal): Promise<ManifestState> {
    if (snapshot.manifest === undefined) return 'damaged';
    if (this.#options.newer.has(snapshot.prefix)) return 'newer';
    if (snapshot.isOversized)
      this.#foundDamaged(snapshot, 'an object of it is larger than any that is written');
    if (this.damaged.has(snapshot.prefix)) return 'damaged';
    if (this.locked.has(snapshot.prefix)) return 'locked';
    const { key } = snapshot.manifest;
    const { bytes } = await this.#objects.get(snapshot.manifest, signal);
    const manifest = bytes === undefined ? 'damaged' : decodeManifest(key, bytes, this.#options.keys);
    if (manifest === 'locked') {
      this.locked.add(snapshot.prefix);
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
  async restoreWhole(snapshot: ListedSnapshot, manifest: Manifest, signal: AbortSignal): Promise<boolean> {
    this.reading = snapshot.prefix;
    const { table, monotonicMs } = this.#options;
    await runInSlices(() => table.expectSwarms(manifest.swarms), { monotonicMs, signal });
    const totals = new HeldTotals();
    const parts = Array.from({ length: swarmParts(manifest) }, (_, part) => snapshot.parts.get(part)!);
    const read = await this.#restoreParts(snapshot, parts, totals, signal);
    for (let part = parts.length; part < manifest.partBytes.length; part++) {
      await this.#restoreHistory(snapshot, part, signal);
    }
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
    this.takenSeconds = manifest.takenAtSeconds - settings.offsetSeconds;
    return true;
  }

  /** Of one that is damaged or unfinished: what is valid of it. */
  async restorePeers(snapshot: ListedSnapshot, signal: AbortSignal): Promise<void> {
    if (this.#done.has(snapshot.prefix)) return;
    const parts = [...snapshot.parts.values()].filter((part) => !isOversized(part));
    await this.#restoreParts(snapshot, parts, new HeldTotals(), signal);
    this.#done.add(snapshot.prefix);
  }

  /** Rule D-N5. */
  async #restoreHistory(snapshot: ListedSnapshot, part: number, signal: AbortSignal): Promise<void> {
    const { history, store, log } = this.#options;
    if (history === undefined) return;
    const listed = snapshot.parts.get(part);
    const read = listed && (await this.#objects.get(listed, signal));
    const what =
      read?.bytes === undefined
        ? 'it is not there'
        : await history.restore(ObjectKind.snapshotPart, listed!.key, read.bytes, store.clockOffsetSeconds);
    if (what !== undefined) {
      log.warn('Not all of the saved history could be read.', { part: partKey(snapshot, part), what });
    }
  }

  /** Reads the next part while the one before goes into the table. */
  async #restoreParts(
    snapshot: ListedSnapshot,
    parts: readonly StoredObject[],
    totals: HeldTotals,
    signal: AbortSignal,
  ): Promise<{ isWhole: boolean; isNewer: boolean; swarms: number; peers: number }> {
    const read = { isWhole: true, isNewer: false, swarms: 0, peers: 0 };
    this.#begun.add(snapshot.prefix);
    this.parts += parts.length;
    const reading = inTurn(parts, (part) => this.#objects.get(part, signal));
    for await (const [{ key }, { bytes, what }] of reading) {
      this.partsDone += 1;
      if (bytes === undefined) {
        read.isWhole = false;
        this.#foundDamaged(snapshot, `${key}: ${what}`);
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
        this.locked.add(snapshot.prefix);
      } else if (snapshot.manifest !== undefined) {
        this.#foundDamaged(snapshot, `${key}: ${part.damage}`);
      }
    }
    return read;
  }

  /** Runs the steps in slices, and counts what they change in the table apart from what announces do in between. */
  #runCounted(step: () => boolean, signal: AbortSignal): Promise<void> {
    const { table, monotonicMs } = this.#options;
    const countedStep = (): boolean => {
      const before = table.changes;
      const hasMore = step();
      this.changes += table.changes - before;
      return hasMore;
    };
    return runInSlices(countedStep, { monotonicMs, signal });
  }

  #settings(): RestoreSettings {
    return { ...this.#options, offsetSeconds: this.#options.store.clockOffsetSeconds };
  }

  #foundDamaged(snapshot: ListedSnapshot, what: string): void {
    if (this.damaged.has(snapshot.prefix)) return;
    this.damaged.add(snapshot.prefix);
    this.#options.log.error('A snapshot is damaged; what is valid of it is used, and it is left as it is.', {
      snapshot: snapshot.prefix,
      what,
    });
  }

  #foundNewer(snapshot: ListedSnapshot): void {
    if (!this.#options.newer.add(snapshot.prefix)) return;
    this.#options.log.warn('A snapshot was written by a later version of the tracker; it is left as it is.', {
      snapshot: snapshot.prefix,
    });
  }
}
