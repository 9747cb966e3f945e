import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Journal, SEGMENT_BYTES_MAX } from '../../../src/persistence/journal/journal.ts';
import { WAITING_BYTES_MAX } from '../../../src/persistence/journal/segment-queue.ts';
import { StopMemory } from '../../../src/persistence/merge/stop-memory.ts';
import { WatchedStore } from '../../../src/persistence/store/watched-store.ts';
import type { AnnounceRequest } from '../../../src/protocol/announce-request.ts';
import { ClientError } from '../../../src/protocol/client-error.ts';
import { nextTurn } from '../../../src/slices.ts';
import { Counters } from '../../../src/stats/counters.ts';
import { SwarmTable } from '../../../src/swarm/swarm-table.ts';
import { Tracker } from '../../../src/tracker/tracker.ts';
import { noKeys } from '../../builders/keys.ts';
import { memoryLog } from '../../builders/log.ts';
import { seededRandom } from '../../builders/random.ts';
import { contents } from '../../builders/saved-swarms.ts';
import { SERVES_ALL, SETTINGS } from '../../builders/server.ts';
import { makeSaver, restore } from '../../builders/snapshots.ts';
import { MemoryStore } from '../../builders/store.ts';
import { HASH_KEY, infoHash, NOW } from '../../builders/swarm.ts';
import type { Cleanup } from '../../builders/tracker-process.ts';
import { waitUntil } from '../../end-to-end/wait-until.ts';

const MIB = 1024 * 1024;
const PEERS = 100_000;
const SWARMS = 5_000;
const BLOCK_BYTES_MAX = 64 * 1024;

/** What a tracker has of its journal, with a clock that the test moves and a store that does as it is told. */
function startTracker(context: Cleanup) {
  const clock = { nowSeconds: NOW };
  const nowSeconds = (): number => clock.nowSeconds;
  const shared = new MemoryStore();
  shared.nowSeconds = nowSeconds;
  const log = memoryLog();
  const store = new WatchedStore(shared, { log, nowSeconds, monotonicMs: () => performance.now() });
  const table = newTable();
  const journal = new Journal({
    store,
    keys: noKeys(),
    boot: 'boot0001',
    intervalSeconds: 10,
    stops: new StopMemory({ hashKey: HASH_KEY, journalSeconds: 10 }),
    nowSeconds,
    monotonicMs: () => performance.now(),
    log,
  });
  context.after(() => journal.close(AbortSignal.abort()));
  const saver = makeSaver(store, table, { journal, journalSeconds: 10, nowSeconds, log });
  const counters = new Counters({ addressWindowSeconds: 3_600, hashKey: HASH_KEY });
  const tracker = new Tracker({
    table,
    access: SERVES_ALL,
    counters,
    journal,
    settings: SETTINGS,
    random: seededRandom(1),
  });
  return { clock, shared, store, log, table, journal, saver, tracker };
}

function newTable(): SwarmTable {
  return new SwarmTable({
    peersMax: 2 * PEERS,
    swarmsMax: 2 * SWARMS,
    hashKey: HASH_KEY,
    random: seededRandom(2),
  });
}

const hashes = Array.from({ length: SWARMS }, (_, number) => infoHash(number));
const peerId = new Uint8Array(20).fill(7);

function requestOf(number: number, event: AnnounceRequest['event'] = 'none'): AnnounceRequest {
  return {
    infoHash: hashes[number % SWARMS]!,
    peerId,
    port: 1_024 + (number % 60_000),
    left: event === 'completed' || number % 3 === 0 ? 'zero' : 'some',
    event,
    numwant: 0,
    isCompact: true,
    withPeerIds: false,
    ip: undefined,
  };
}

function sourceOf(number: number): Uint8Array {
  return Uint8Array.of(198, 18, (number >> 8) & 255, number & 255);
}

describe('the journal of a tracker whose store is away', () => {
  it('holds at most 16 MiB and the segment that gathers, over an hour of 1,000 announces a second', async (context) => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    const { clock, shared, log, table, journal, saver, tracker } = startTracker(context);
    const random = seededRandom(3);
    const announce = (number: number, event?: AnnounceRequest['event']): void =>
      assert.ok(
        !(
          tracker.announce(requestOf(number, event), sourceOf(number), clock.nowSeconds) instanceof
          ClientError
        ),
      );
    for (let number = 0; number < PEERS; number++) announce(number);
    journal.tick();
    await waitUntil('the journal is stored', () => journal.status.bytesAtRisk === 0);

    shared.failure = 'unreachable';
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    let bytesMax = 0;
    for (let second = 1; second <= 3_600; second++) {
      clock.nowSeconds += 1;
      for (let count = 0; count < 1_000; count++) {
        const number = random() % PEERS;
        const chance = random() % 20;
        announce(number, chance === 0 ? 'completed' : chance === 1 ? 'stopped' : 'none');
      }
      if (second % 10 === 0) {
        journal.tick();
        await nextTurn();
      }
      bytesMax = Math.max(bytesMax, journal.status.bytesAtRisk);
    }
    assert.ok(bytesMax <= WAITING_BYTES_MAX + SEGMENT_BYTES_MAX + BLOCK_BYTES_MAX, `${bytesMax} bytes`);
    assert.ok(bytesMax > WAITING_BYTES_MAX - SEGMENT_BYTES_MAX, 'the bound was reached');
    assert.ok(journal.status.segmentsDropped > 0);
    assert.equal(journal.status.secondsAtRisk > 3_500, true, 'the oldest is not forgotten');
    collectGarbage();
    const grown = process.memoryUsage().arrayBuffers - before;
    context.diagnostic(
      `${(bytesMax / MIB).toFixed(1)} MiB at risk at the most; memory grew by ${(grown / MIB).toFixed(1)} MiB`,
    );
    assert.ok(grown <= WAITING_BYTES_MAX + 2 * SEGMENT_BYTES_MAX, `${grown} bytes more than before`);
    assert.equal(log.messages('error').length, 1, 'one line for the whole hour');
    assert.equal(log.messages('warn').length, 1, 'and one for what was dropped');

    shared.failure = undefined;
    journal.tick();
    await waitUntil('what waited is stored', () => journal.status.segmentsWaiting === 0);
    assert.ok(saver.isOwed, 'a snapshot makes good what was dropped');
    assert.equal((await saver.save('journal')).kind, 'saved');
    assert.ok(!saver.isOwed);
    await journal.close(new AbortController().signal);
    const restored = newTable();
    await restore(shared, restored, { nowSeconds: () => clock.nowSeconds });
    assert.deepEqual(contents(restored, clock.nowSeconds), contents(table, clock.nowSeconds));
  });

  it('counts once for each segment how long the oldest of it had waited', async (context) => {
    const { clock, shared, journal, tracker } = startTracker(context);
    const stored = () => waitUntil('the journal is stored', () => journal.status.bytesAtRisk === 0);
    const { waits } = journal.status;
    tracker.announce(requestOf(1), sourceOf(1), clock.nowSeconds);
    clock.nowSeconds += 4;
    tracker.announce(requestOf(2), sourceOf(2), clock.nowSeconds);
    journal.tick();
    await stored();
    assert.deepEqual([waits.total, waits.sumSeconds], [1, 4]);
    shared.failure = 'unreachable';
    tracker.announce(requestOf(3), sourceOf(3), clock.nowSeconds);
    clock.nowSeconds += 10;
    journal.tick();
    clock.nowSeconds += 90;
    shared.failure = undefined;
    journal.tick();
    await stored();
    assert.deepEqual([waits.total, waits.sumSeconds], [2, 104]);
  });

  it('brings nobody back whom it heard hours ago', async (context) => {
    const { clock, shared, journal, tracker } = startTracker(context);
    shared.failure = 'unreachable';
    tracker.announce(requestOf(1), sourceOf(1), clock.nowSeconds);
    journal.tick();
    tracker.announce(requestOf(2), sourceOf(2), clock.nowSeconds);
    // 18,000 s: 14 bits of seconds would take them for 1,616.
    for (let interval = 0; interval < 1_800; interval++) {
      clock.nowSeconds += 10;
      journal.tick();
    }
    tracker.announce(requestOf(3), sourceOf(3), clock.nowSeconds);
    shared.failure = undefined;
    await journal.close(new AbortController().signal);
    const restored = newTable();
    await restore(shared, restored, { nowSeconds: () => clock.nowSeconds });
    assert.equal(restored.totals.peersIpv4, 1);
  });

  it('makes of all that was heard during a slow put one segment, so that it never falls behind', async (context) => {
    const { clock, shared, journal, tracker } = startTracker(context);
    const releases: (() => void)[] = [];
    shared.hook = ({ verb }) =>
      verb === 'put' ? new Promise((resolve) => releases.push(resolve)) : undefined;
    for (let interval = 0; interval < 12; interval++) {
      tracker.announce(requestOf(interval), sourceOf(interval), clock.nowSeconds);
      journal.tick();
      clock.nowSeconds += 10;
    }
    await waitUntil('the first is being put', () => releases.length === 1);
    assert.equal(journal.status.segmentsWaiting, 1);
    releases[0]!();
    await waitUntil('the second is being put', () => releases.length === 2);
    releases[1]!();
    await waitUntil('all is stored', () => journal.status.bytesAtRisk === 0);
    assert.equal(shared.keys('journal/').length, 2);
  });
});
