/**
 * A tracker without its port: the table and all that keeps it beyond the process, over a store that is shared, with a
 * clock of its own that the test moves. Dies without a word, and another is started on the same store.
 */
import type { StoreKeys } from '../../src/persistence/format/store-keys.ts';
import { Journal } from '../../src/persistence/journal/journal.ts';
import { JournalFollower } from '../../src/persistence/journal/journal-follower.ts';
import { JournalReader } from '../../src/persistence/journal/journal-reader.ts';
import { ManifestCache } from '../../src/persistence/listing/manifest-cache.ts';
import { NewerObjects } from '../../src/persistence/listing/newer-objects.ts';
import { HistoryRestorer } from '../../src/persistence/merge/history-restorer.ts';
import { StopMemory } from '../../src/persistence/merge/stop-memory.ts';
import { TableTurn } from '../../src/persistence/merge/table-turn.ts';
import { Restorer } from '../../src/persistence/snapshot/restorer.ts';
import { Saver } from '../../src/persistence/snapshot/saver.ts';
import {
  type Store,
  type StoredObject,
  StoreError,
  withinSignal,
} from '../../src/persistence/store/store.ts';
import { WatchedStore } from '../../src/persistence/store/watched-store.ts';
import { Counters } from '../../src/stats/counters.ts';
import type { History } from '../../src/stats/history.ts';
import type { SwarmTable } from '../../src/swarm/swarm-table.ts';
import type { AnnounceJournal } from '../../src/tracker/announce-journal.ts';
import { Tracker } from '../../src/tracker/tracker.ts';
import { noKeys } from './keys.ts';
import { type MemoryLog, memoryLog } from './log.ts';
import { SERVES_ALL, SETTINGS } from './server.ts';
import { PEER_TTL_SECONDS } from './snapshots.ts';
import type { MemoryStore } from './store.ts';
import { HASH_KEY, swarmTable } from './swarm.ts';

export interface SimulatedTrackerOptions {
  readonly boot: string;
  readonly shared: MemoryStore;
  /** The true time, which is the store's. */
  readonly trueSeconds: () => number;
  /** How far this tracker's own clock is behind the store's. */
  readonly behindSeconds?: number;
  readonly waitingBytesMax?: number;
  readonly keep?: number;
  readonly keys?: StoreKeys;
  readonly refreshAccess?: (signal: AbortSignal) => Promise<void>;
  /** Hears what the journal hears. */
  readonly witness?: AnnounceJournal;
  readonly history?: History;
}

/** What one tracker sees of the shared store: its own clock's offset, and nothing once it is dead or cut off. */
class StoreView implements Store {
  readonly address = 'simulated:';
  isAway = false;
  /** The next put is stored, and its acknowledgement lost. */
  losesNextAcknowledgement = false;
  readonly #shared: MemoryStore;
  readonly #offsetSeconds: number;

  constructor(shared: MemoryStore, offsetSeconds: number) {
    this.#shared = shared;
    this.#offsetSeconds = offsetSeconds;
  }

  get clockOffsetSeconds(): number {
    return this.#offsetSeconds;
  }

  async put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    this.#assertThere();
    await withinSignal('A put', this.#shared.put(key, bytes), signal);
    if (this.losesNextAcknowledgement) {
      this.losesNextAcknowledgement = false;
      throw new StoreError('timed-out', 'no answer');
    }
  }

  async get(key: string): Promise<Uint8Array> {
    this.#assertThere();
    return this.#shared.get(key);
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    this.#assertThere();
    return this.#shared.list(prefix);
  }

  async delete(key: string): Promise<void> {
    this.#assertThere();
    await this.#shared.delete(key);
  }

  #assertThere(): void {
    if (this.isAway) throw new StoreError('unreachable', 'no route to the store');
  }
}

export class SimulatedTracker {
  readonly boot: string;
  readonly table: SwarmTable;
  readonly tracker: Tracker;
  readonly view: StoreView;
  readonly stops: StopMemory;
  readonly journal: Journal;
  readonly others: JournalReader;
  readonly follower: JournalFollower;
  readonly restorer: Restorer;
  readonly saver: Saver;
  readonly log: MemoryLog = memoryLog();
  readonly nowSeconds: () => number;
  readonly #ending = new AbortController();

  constructor(options: SimulatedTrackerOptions) {
    const { boot, shared, trueSeconds, behindSeconds = 0, waitingBytesMax, witness, keep = 2 } = options;
    this.boot = boot;
    this.nowSeconds = () => trueSeconds() - behindSeconds;
    this.table = swarmTable();
    this.view = new StoreView(shared, behindSeconds);
    this.stops = new StopMemory({ hashKey: HASH_KEY, journalSeconds: 10 });
    const { nowSeconds, log, table, stops } = this;
    const store = new WatchedStore(this.view, { log, nowSeconds, monotonicMs: () => performance.now() });
    const counters = new Counters();
    const keys = options.keys ?? noKeys();
    const parts = {
      store,
      keys,
      table,
      stops,
      boot,
      newer: new NewerObjects(),
      turn: new TableTurn(),
      manifests: new ManifestCache(store, keys),
      isServed: () => true,
      peerTtlSeconds: PEER_TTL_SECONDS,
      addresses: counters.addresses,
      nowSeconds,
      monotonicMs: () => performance.now(),
      retryMs: 1,
      log,
    };
    this.journal = new Journal({
      ...parts,
      history: options.history,
      intervalSeconds: 10,
      ...(waitingBytesMax !== undefined && { waitingBytesMax }),
    });
    this.others = new JournalReader(parts);
    this.follower = new JournalFollower({
      ...parts,
      journal: this.others,
      intervalSeconds: 10,
      refreshAccess: options.refreshAccess ?? (() => Promise.resolve()),
    });
    this.restorer = new Restorer({
      ...parts,
      journal: this.others,
      history: options.history && new HistoryRestorer({ ...parts, history: options.history }),
      whenServedIsKnown: Promise.resolve(),
    });
    this.saver = new Saver({
      ...parts,
      history: options.history,
      journal: this.journal,
      others: this.others,
      follow: (signal) => this.follower.follow(signal),
      restore: this.restorer,
      journalSeconds: 10,
      keep,
      // So that a walk has several parts even in a small table.
      partBytesMax: 8 * 1024,
    });
    this.tracker = new Tracker({
      table,
      access: SERVES_ALL,
      counters,
      journal: witness === undefined ? this.journal : both(witness, this.journal),
      settings: { ...SETTINGS, peerTtlSeconds: PEER_TTL_SECONDS },
      random: () => 0,
    });
  }

  async start(): Promise<void> {
    await this.restorer.run(this.#ending.signal);
  }

  /** Cuts the journal, and waits until all of it is stored or the store is away. */
  async writeJournal(): Promise<void> {
    this.journal.cut();
    while (this.journal.status.segmentsWaiting > 0 && !this.view.isAway) await turn();
  }

  follow(): Promise<void> {
    return this.follower.tick(this.#ending.signal, true);
  }

  /** Like SIGTERM: the end of the journal goes out, then a snapshot. */
  async stop(): Promise<void> {
    const { signal } = new AbortController();
    await this.journal.close(signal);
    await this.saver.save('shutdown', signal);
    this.kill();
  }

  /** Like SIGKILL: whatever it has under way is never heard of again. */
  kill(): void {
    this.view.isAway = true;
    this.#ending.abort();
    void this.journal.close(AbortSignal.abort());
  }
}

function both(one: AnnounceJournal, other: AnnounceJournal): AnnounceJournal {
  return {
    sighted: (...args) => {
      one.sighted(...args);
      other.sighted(...args);
    },
    stopped: (...args) => {
      one.stopped(...args);
      other.stopped(...args);
    },
    completed: (...args) => {
      one.completed(...args);
      other.completed(...args);
    },
  };
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
