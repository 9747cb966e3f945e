/** Rule D-N5: the history comes back with the peers, and no peer depends on it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeManifest } from '../../../src/persistence/format/manifest.ts';
import type { StoreKeys } from '../../../src/persistence/format/store-keys.ts';
import { writeSingleSnapshot } from '../../../src/persistence/survey/single-snapshot.ts';
import { checkSnapshot } from '../../../src/persistence/survey/snapshot-check.ts';
import { surveySnapshots } from '../../../src/persistence/survey/snapshot-survey.ts';
import { loadStateAt } from '../../../src/persistence/survey/state-at.ts';
import { History } from '../../../src/stats/history.ts';
import { announceTo, type PeerAnnounce } from '../../builders/announces.ts';
import { damageOf } from '../../builders/damage.ts';
import { addMinutes, knownMinutes, MINUTE } from '../../builders/history-points.ts';
import { noKeys, storeKeys } from '../../builders/keys.ts';
import { contents } from '../../builders/saved-swarms.ts';
import { SimulatedTracker } from '../../builders/simulated-tracker.ts';
import { MemoryStore } from '../../builders/store.ts';
import { NOW } from '../../builders/swarm.ts';

/** A whole minute. */
const START = Math.ceil(NOW / 600) * 600;

class Trackers {
  readonly shared = new MemoryStore();
  readonly keys: StoreKeys;
  nowSeconds = START;
  #boots = 0;

  constructor(keys: StoreKeys = noKeys()) {
    this.keys = keys;
    this.shared.nowSeconds = () => this.nowSeconds;
  }

  async start(behindSeconds = 0): Promise<{ readonly tracker: SimulatedTracker; readonly history: History }> {
    this.#boots += 1;
    const history = new History();
    const tracker = new SimulatedTracker({
      boot: `boot${String(this.#boots).padStart(4, '0')}`,
      shared: this.shared,
      trueSeconds: () => this.nowSeconds,
      behindSeconds,
      keys: this.keys,
      history,
    });
    await tracker.start();
    assert.ok(tracker.restorer.isSettled);
    return { tracker, history };
  }
}

function announce(tracker: SimulatedTracker, peer: number, changes: Partial<PeerAnnounce> = {}): void {
  const one: PeerAnnounce = {
    swarm: peer % 5,
    peer,
    isIpv6: peer % 3 === 0,
    event: 'completed',
    left: 'zero',
    hasOtherId: false,
    ...changes,
  };
  announceTo(tracker.tracker, one, tracker.nowSeconds());
}

const dayOf = (history: History, nowSeconds: number): number[] =>
  knownMinutes(history.document('day', nowSeconds));

describe('the history of a tracker', () => {
  it('is there again after a stop, the week too, with nothing missing but the outage', async () => {
    const trackers = new Trackers();
    const { tracker, history } = await trackers.start();
    addMinutes(history, START, 3_000);
    announce(tracker, 1);
    await tracker.stop();
    trackers.nowSeconds += 5 * MINUTE;
    const again = await trackers.start();
    for (const span of ['day', 'week'] as const) {
      assert.deepEqual(again.history.document(span, START), history.document(span, START));
    }
    addMinutes(again.history, trackers.nowSeconds + MINUTE, 1);
    const day = dayOf(again.history, trackers.nowSeconds + MINUTE);
    assert.deepEqual(day.slice(-2), [START, START + 6 * MINUTE]);
    assert.equal(again.history.restarts, 1);
  });

  it('is there again after a kill, up to the last segment', async () => {
    const trackers = new Trackers();
    const { tracker, history } = await trackers.start();
    for (let minute = 1; minute <= 5; minute++) {
      trackers.nowSeconds = START + minute * MINUTE;
      addMinutes(history, trackers.nowSeconds, 1);
      announce(tracker, minute);
      if (minute !== 5) await tracker.writeJournal();
      if (minute === 2) await tracker.saver.save('signal');
    }
    tracker.kill();
    const again = await trackers.start();
    assert.deepEqual(
      dayOf(again.history, trackers.nowSeconds),
      [1, 2, 3, 4].map((minute) => START + minute * MINUTE),
    );
    assert.equal(again.tracker.table.peers, 4);
  });

  it('comes back by the store’s time, whatever the clocks of the trackers say', async () => {
    const trackers = new Trackers();
    const { tracker, history } = await trackers.start(120);
    addMinutes(history, tracker.nowSeconds(), 3);
    announce(tracker, 1);
    await tracker.writeJournal();
    tracker.kill();
    const again = await trackers.start(600);
    assert.equal(again.history.endSeconds, START - 600);
  });

  it('is sealed like everything else', async () => {
    const trackers = new Trackers(storeKeys(1));
    const { tracker, history } = await trackers.start();
    addMinutes(history, START, 100);
    announce(tracker, 1);
    await tracker.writeJournal();
    addMinutes(history, START + MINUTE, 1);
    trackers.nowSeconds += MINUTE;
    announce(tracker, 2);
    await tracker.stop();
    for (const [key, { bytes }] of trackers.shared.objects) {
      assert.equal(bytes[10], 1, `${key} is not sealed`);
    }
    const again = await trackers.start();
    assert.equal(dayOf(again.history, trackers.nowSeconds).length, 101);
  });

  it('is taken from the busier of two trackers, minute by minute', async () => {
    const trackers = new Trackers();
    const [one, other] = [await trackers.start(), await trackers.start()];
    addMinutes(one.history, START, 4, 100);
    addMinutes(other.history, START + 2 * MINUTE, 4, 7);
    for (const { tracker } of [one, other]) {
      announce(tracker, 1);
      await tracker.writeJournal();
      tracker.kill();
    }
    trackers.nowSeconds += 2 * MINUTE;
    const { history } = await trackers.start();
    const shown = history.document('hour', trackers.nowSeconds).series.announcesPerSecond;
    assert.deepEqual(shown.slice(-7), [null, 100, 100, 100, 100, 7, 7]);
  });

  it('counts restarts from the first segment of a process on, and over snapshots', async () => {
    const trackers = new Trackers();
    for (let start = 0; start < 4; start++) {
      const { tracker, history } = await trackers.start();
      assert.equal(history.restarts, start);
      if (start === 2) addMinutes(history, START, 1);
      announce(tracker, start);
      if (start === 2) await tracker.stop();
      else {
        // The first process tells nothing of restarts unless it has a point to tell.
        if (start === 0) addMinutes(history, START - MINUTE, 1);
        await tracker.writeJournal();
        tracker.kill();
      }
    }
  });
});

describe('a tracker to which nothing happens', () => {
  it('writes nothing for its points while it runs, and one segment with them when it is stopped', async () => {
    const trackers = new Trackers();
    const { tracker, history } = await trackers.start();
    for (let minute = 1; minute <= 90; minute++) {
      trackers.nowSeconds = START + minute * MINUTE;
      addMinutes(history, trackers.nowSeconds, 1);
      tracker.journal.tick();
      if (minute % 3 === 0) assert.deepEqual(await tracker.saver.save('schedule'), { kind: 'unchanged' });
    }
    assert.deepEqual(trackers.shared.keys(), []);
    await tracker.stop();
    assert.deepEqual(trackers.shared.keys(), ['journal/boot0001/0000000001']);
    const again = await trackers.start();
    assert.equal(dayOf(again.history, trackers.nowSeconds).length, 90);
    await again.tracker.stop();
    assert.equal(trackers.shared.keys().length, 1);
  });

  it('writes all the points that wait when something is heard at last', async () => {
    const trackers = new Trackers();
    const { tracker, history } = await trackers.start();
    addMinutes(history, START, 1_440);
    announce(tracker, 1);
    await tracker.writeJournal();
    tracker.kill();
    const again = await trackers.start();
    assert.equal(dayOf(again.history, START).length, 1_440);
  });
});

describe('damage to the history', () => {
  async function savedOnce(): Promise<{
    trackers: Trackers;
    lines: readonly string[];
    completed: number;
    part: string;
  }> {
    const trackers = new Trackers();
    const { tracker, history } = await trackers.start();
    addMinutes(history, START, 1_440);
    for (let peer = 0; peer < 40; peer++) announce(tracker, peer);
    await tracker.saver.save('signal');
    tracker.kill();
    const part = trackers.shared
      .keys('snapshots/')
      .filter((key) => key.includes('part-'))
      .at(-1)!;
    const lines = contents(tracker.table, trackers.nowSeconds);
    return { trackers, lines, completed: tracker.table.totals.completed, part };
  }

  async function assertAllPeers(saved: Awaited<ReturnType<typeof savedOnce>>): Promise<History> {
    const { tracker, history } = await saved.trackers.start();
    assert.deepEqual(contents(tracker.table, saved.trackers.nowSeconds), saved.lines);
    assert.equal(tracker.table.totals.completed, saved.completed);
    assert.deepEqual(tracker.restorer.progress.damaged, []);
    tracker.kill();
    return history;
  }

  it('costs some of it, and no peer and no completed download', async () => {
    const saved = await savedOnce();
    const { shared, nowSeconds } = saved.trackers;
    const { bytes } = shared.objects.get(saved.part)!;
    const whole = dayOf(await assertAllPeers(saved), nowSeconds).length;
    assert.equal(whole, 1_440);
    let harmed = 0;
    await fc.assert(
      fc.asyncProperty(damageOf(bytes), async (damaged) => {
        shared.objects.set(saved.part, { bytes: damaged, lastModifiedSeconds: nowSeconds });
        const left = dayOf(await assertAllPeers(saved), nowSeconds).length;
        harmed += Number(left < whole);
      }),
      { numRuns: 60, seed: 7 },
    );
    assert.ok(harmed > 20, `${harmed}`);
  });

  it('costs nothing else when its part is gone', async () => {
    const saved = await savedOnce();
    saved.trackers.shared.objects.delete(saved.part);
    assert.deepEqual(dayOf(await assertAllPeers(saved), saved.trackers.nowSeconds), []);
  });

  it('is found by a check of the snapshot, which stays whole', async () => {
    const { trackers, part } = await savedOnce();
    const options = { keys: noKeys(), monotonicMs: () => performance.now() };
    const check = async () => {
      const [snapshot] = await surveySnapshots(trackers.shared, options);
      assert.equal(snapshot?.state, 'whole');
      return checkSnapshot(trackers.shared, snapshot!, options);
    };
    assert.deepEqual((await check()).problems, []);
    const { bytes } = trackers.shared.objects.get(part)!;
    const cut = bytes.subarray(0, 1_000);
    trackers.shared.objects.set(part, { bytes: cut, lastModifiedSeconds: START });
    const { state, problems } = await check();
    assert.equal(state, 'whole');
    assert.ok(
      problems.some(({ key }) => key === part),
      JSON.stringify(problems),
    );
  });

  it('in a segment costs no peer', async () => {
    const trackers = new Trackers();
    const { tracker, history } = await trackers.start();
    addMinutes(history, START, 10);
    announce(tracker, 1);
    announce(tracker, 2);
    await tracker.writeJournal();
    tracker.kill();
    const [key] = trackers.shared.keys('journal/');
    const { bytes } = trackers.shared.objects.get(key!)!;
    const damaged = Uint8Array.from(bytes);
    damaged[bytes.length - 52 - 10]! ^= 1; // within the last block before the end
    trackers.shared.objects.set(key!, { bytes: damaged, lastModifiedSeconds: START });
    const again = await trackers.start();
    assert.equal(again.tracker.table.peers, 2);
    assert.deepEqual(dayOf(again.history, START), []);
  });
});

describe('a snapshot with history', () => {
  it('is copied with it, as it was at the moment that is asked for', async () => {
    const trackers = new Trackers();
    const { tracker, history } = await trackers.start();
    addMinutes(history, START, 30);
    announce(tracker, 1);
    await tracker.saver.save('signal');
    for (let minute = 1; minute <= 4; minute++) {
      trackers.nowSeconds = START + minute * MINUTE;
      addMinutes(history, trackers.nowSeconds, 1);
      announce(tracker, 1 + minute);
      await tracker.writeJournal();
    }
    tracker.kill();
    const around = { keys: noKeys(), monotonicMs: () => performance.now() };
    const { state } = await loadStateAt({
      ...around,
      store: trackers.shared,
      atSeconds: START + 2 * MINUTE,
      peerTtlSeconds: 3_600,
      random: () => 1,
    });
    const copy = new Trackers();
    copy.nowSeconds = trackers.nowSeconds;
    await writeSingleSnapshot({
      ...around,
      ...state!,
      store: copy.shared,
      boot: 'copy0001',
      takenAtSeconds: state!.asOfSeconds,
    });
    const again = await copy.start();
    assert.equal(again.tracker.table.peers, 3);
    const day = dayOf(again.history, copy.nowSeconds);
    assert.deepEqual([day.length, day.at(-1)], [32, START + 2 * MINUTE]);
    assert.equal(again.history.restarts, 1);
  });

  it('says in its manifest which part is history', async () => {
    const trackers = new Trackers();
    const { tracker, history } = await trackers.start();
    addMinutes(history, START, 5);
    for (let peer = 0; peer < 5; peer++) announce(tracker, peer);
    await tracker.saver.save('signal');
    const [key] = trackers.shared.keys('snapshots/').filter((name) => name.endsWith('manifest'));
    const manifest = decodeManifest(key!, trackers.shared.objects.get(key!)!.bytes, noKeys());
    assert.ok(typeof manifest === 'object');
    assert.deepEqual([manifest.partBytes.length, manifest.historyParts], [2, 1]);
  });

  it('makes good what a follower has missed, though its history is damaged', async () => {
    const trackers = new Trackers();
    const { tracker: reader } = await trackers.start();
    const { tracker: writer, history } = await trackers.start();
    addMinutes(history, START, 5);
    announce(writer, 1);
    await writer.writeJournal();
    announce(writer, 2);
    await writer.writeJournal();
    await writer.saver.save('signal');
    for (const key of trackers.shared.keys('journal/boot0002/0000000001'))
      trackers.shared.objects.delete(key);
    const part = trackers.shared
      .keys('snapshots/')
      .filter((key) => key.includes('part-'))
      .at(-1)!;
    trackers.shared.objects.set(part, { bytes: new Uint8Array(3), lastModifiedSeconds: START });
    await reader.follower.follow(new AbortController().signal);
    assert.equal(reader.table.peers, 2);
    assert.equal(reader.follower.snapshotsMerged, 1);
  });
});
