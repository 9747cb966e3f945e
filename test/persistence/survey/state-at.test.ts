import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JOURNAL_PREFIX, SNAPSHOTS_PREFIX } from '../../../src/persistence/format/object-keys.ts';
import {
  checkJournal,
  journalPast,
  missingSegments,
} from '../../../src/persistence/survey/journal-survey.ts';
import { planPrune, prune } from '../../../src/persistence/survey/prune-plan.ts';
import { whatIsThere, writeSingleSnapshot } from '../../../src/persistence/survey/single-snapshot.ts';
import { surveySnapshots } from '../../../src/persistence/survey/snapshot-survey.ts';
import { type FoundState, loadStateAt } from '../../../src/persistence/survey/state-at.ts';
import { announceTo, type PeerAnnounce } from '../../builders/announces.ts';
import { flipBit } from '../../builders/damage.ts';
import { noKeys } from '../../builders/keys.ts';
import { memoryLog } from '../../builders/log.ts';
import { seededRandom } from '../../builders/random.ts';
import { contents, fillTable } from '../../builders/saved-swarms.ts';
import { SimulatedTracker } from '../../builders/simulated-tracker.ts';
import { PEER_TTL_SECONDS, restore } from '../../builders/snapshots.ts';
import { failsWith, MemoryStore } from '../../builders/store.ts';
import { NOW, swarmTable } from '../../builders/swarm.ts';

const JOURNAL_SECONDS = 10;
/** Each tracker has swarms of its own, so that it is known which of them heard what. */
const SWARMS_EACH = 100;

function isOwn(swarm: number, tracker: number): boolean {
  return Math.floor(swarm / SWARMS_EACH) === tracker;
}

/** A store with the history of trackers, and what each had heard by the end of each second. */
class History {
  readonly store = new MemoryStore();
  readonly trackers: SimulatedTracker[] = [];
  readonly tables = new Map<number, string[][]>();
  #now = NOW;
  readonly #random = seededRandom(11);

  constructor() {
    this.store.nowSeconds = () => this.#now;
  }

  get now(): number {
    return this.#now;
  }

  async start(boot: string): Promise<SimulatedTracker> {
    const tracker = new SimulatedTracker({
      boot,
      shared: this.store,
      trueSeconds: () => this.#now,
      keep: 100,
    });
    await tracker.start();
    this.trackers.push(tracker);
    return tracker;
  }

  /** Announces of every kind, each second two to each tracker, whose peers are its own. */
  async run(seconds: number, { savesEvery = 1_000_000 } = {}): Promise<void> {
    for (let end = this.#now + seconds; this.#now < end; ) {
      this.#now += 1;
      for (const [index, tracker] of this.trackers.entries()) {
        for (let count = 0; count < 2; count++) announceTo(tracker.tracker, this.#any(index), this.#now);
      }
      this.tables.set(
        this.#now,
        this.trackers.map(({ table }, index) =>
          contents(table, this.#now).filter((line) => isOwn(Number.parseInt(line.slice(0, 8), 16), index)),
        ),
      );
      if (this.#now % JOURNAL_SECONDS === 0) {
        for (const one of this.trackers) await one.writeJournal();
        for (const one of this.trackers) await one.follow();
      }
      if (this.#now % savesEvery === 0) for (const one of this.trackers) await one.saver.save('admin');
    }
  }

  #any(tracker: number): PeerAnnounce {
    const number = this.#random();
    const events = ['none', 'none', 'none', 'completed', 'stopped'] as const;
    return {
      swarm: tracker * SWARMS_EACH + (number % 7),
      peer: tracker * 1_000 + ((number >>> 4) % 40),
      isIpv6: ((number >>> 12) & 3) === 0,
      event: events[(number >>> 16) % events.length]!,
      left: ((number >>> 20) & 1) === 0 ? 'some' : 'zero',
      hasOtherId: (number >>> 24) % 16 === 0,
    };
  }
}

function stateAt(store: MemoryStore, atSeconds: number): Promise<FoundState> {
  return loadStateAt({
    store,
    atSeconds,
    keys: noKeys(),
    peerTtlSeconds: PEER_TTL_SECONDS,
    random: seededRandom(3),
    monotonicMs: () => performance.now(),
  });
}

describe('the state at a moment', () => {
  it('is the table as it was at the end of that second, at every second', async () => {
    const history = new History();
    await history.start('boot0001');
    await history.run(60);
    await history.run(140, { savesEvery: 50 });
    const saved = (await surveySnapshots(history.store, { keys: noKeys() })).length;
    assert.ok(saved >= 3);
    let fromSnapshots = 0;
    for (let at = NOW + 110; at <= history.now; at++) {
      const { state, passedOver } = await stateAt(history.store, at);
      assert.deepEqual(passedOver, []);
      assert.equal(state?.asOfSeconds, at);
      assert.deepEqual(contents(state.table, at), history.tables.get(at)![0], `at ${at - NOW}`);
      fromSnapshots += Number(state.segments === 0);
    }
    assert.ok(fromSnapshots < 10, 'most of it is from the journal');
  });

  it('is what all trackers on the store held together', async () => {
    const history = new History();
    await history.start('boot0001');
    await history.start('boot0002');
    await history.run(100, { savesEvery: 70 });
    for (const at of [NOW + 75, NOW + 88, NOW + 100]) {
      const { state } = await stateAt(history.store, at);
      const both = history.tables.get(at)!.flat().sort();
      assert.deepEqual(contents(state!.table, at), both, `at ${at - NOW}`);
    }
  });

  it('is that of the journal alone before the first snapshot', async () => {
    const history = new History();
    await history.start('boot0001');
    await history.run(30);
    const { state } = await stateAt(history.store, NOW + 17);
    assert.equal(state?.snapshot, undefined);
    assert.deepEqual(contents(state!.table, NOW + 17), history.tables.get(NOW + 17)![0]);
    history.store.objects.delete('journal/boot0001/0000000001');
    assert.equal((await stateAt(history.store, NOW + 17)).state, undefined, 'not without its beginning');
    assert.equal((await stateAt(new MemoryStore(), NOW)).state, undefined);
  });

  it('is that of the last second that the store knows, when nothing later is known', async () => {
    const history = new History();
    await history.start('boot0001');
    await history.run(40, { savesEvery: 20 });
    const { state } = await stateAt(history.store, history.now + 5 * 86_400);
    assert.equal(state?.asOfSeconds, history.now);
    assert.deepEqual(contents(state!.table, history.now), history.tables.get(history.now)![0]);
  });

  it('says which segments are missing or damaged, and has all the rest', async () => {
    const history = new History();
    await history.start('boot0001');
    await history.run(100, { savesEvery: 70 });
    const keys = history.store.keys(JOURNAL_PREFIX);
    const [gone, harmed] = keys.slice(-2);
    history.store.objects.delete(gone!);
    await history.store.put(harmed!, flipBit(await history.store.get(harmed!), 60));
    const { state, passedOver } = await stateAt(history.store, history.now);
    assert.deepEqual(
      passedOver.map(({ key }) => key),
      [gone, harmed],
    );
    assert.match(passedOver[0]!.what, /missing/);
    assert.match(passedOver[1]!.what, /damaged/);
    assert.ok(state!.table.peers > 0);
  });

  it('says that it must be tried again when a tracker deletes what it reads', async () => {
    const history = new History();
    await history.start('boot0001');
    await history.run(60, { savesEvery: 50 });
    const last = history.store.keys(JOURNAL_PREFIX).at(-1)!;
    history.store.hook = ({ verb, key }) => {
      if (verb === 'get' && key === last) history.store.objects.delete(last);
    };
    await assert.rejects(stateAt(history.store, history.now), /Try again/);
  });

  it('is written so that a tracker starts with it', async () => {
    const history = new History();
    await history.start('boot0001');
    await history.run(60, { savesEvery: 50 });
    const at = NOW + 57;
    const { state } = await stateAt(history.store, at);
    const to = new MemoryStore();
    assert.equal(await whatIsThere(to), undefined);
    const options = {
      store: to,
      boot: 'boot0009',
      table: state!.table,
      takenAtSeconds: at,
      keys: noKeys(),
      monotonicMs: () => performance.now(),
      partBytesMax: 1_000,
    };
    const { manifest } = await writeSingleSnapshot(options);
    assert.equal(manifest.completed, state!.table.totals.completed);
    const table = swarmTable();
    await restore(to, table, { nowSeconds: () => at });
    assert.deepEqual(contents(table, at), history.tables.get(at)![0]);
    assert.match((await whatIsThere(to)) ?? '', /objects of snapshots/);
  });

  it('leaves nothing behind when it cannot be written, or when somebody else writes there', async () => {
    const table = swarmTable();
    fillTable(table, { peers: 3_000, nowSeconds: NOW });
    const options = {
      boot: 'boot0009',
      table,
      takenAtSeconds: NOW,
      keys: noKeys(),
      monotonicMs: () => performance.now(),
      partBytesMax: 500,
    };
    const full = new MemoryStore();
    full.hook = ({ verb }) => {
      if (verb === 'put' && full.objects.size === 2) full.failure = 'no-space';
      if (verb === 'delete') full.failure = undefined;
    };
    await assert.rejects(writeSingleSnapshot({ ...options, store: full }), failsWith('no-space'));
    assert.deepEqual(full.keys(), []);

    const shared = new MemoryStore();
    const foreign = 'snapshots/0000000001-boot0008/part-00000';
    shared.hook = ({ verb, key }) => {
      if (verb === 'put' && key.endsWith('part-00001'))
        shared.objects.set(foreign, { bytes: new Uint8Array(9), lastModifiedSeconds: NOW });
    };
    await assert.rejects(writeSingleSnapshot({ ...options, store: shared }), /Somebody else/);
    assert.deepEqual(shared.keys(), [foreign]);
  });
});

describe('a look at the journal', () => {
  const options = { keys: noKeys(), monotonicMs: () => performance.now() };

  it('tells per boot what lies past a snapshot, and what is missing', async () => {
    const history = new History();
    await history.start('boot0001');
    await history.run(60);
    const segments = await history.store.list(JOURNAL_PREFIX);
    const [past] = journalPast(segments, new Map([['boot0001', 2]]));
    assert.deepEqual(
      [past!.boot, past!.first, past!.last, past!.segments.length, past!.missing],
      ['boot0001', 3, 6, 4, []],
    );
    assert.deepEqual(journalPast(segments, new Map([['boot0001', 6]])), []);
    const gapped = journalPast(
      segments.filter(({ key }) => !/000000000[45]$/.test(key)),
      new Map([['boot0001', 2]]),
    );
    assert.deepEqual(gapped[0]!.missing, [4, 5]);
    assert.deepEqual(missingSegments(gapped), [
      { key: 'journal/boot0001/0000000004', what: 'it is missing, and 1 more after it' },
    ]);
  });

  it('reads every byte of it, and names what is damaged', async () => {
    const history = new History();
    await history.start('boot0001');
    await history.run(40);
    assert.deepEqual((await checkJournal(history.store, options)).problems, []);
    const key = 'journal/boot0001/0000000002';
    const bytes = await history.store.get(key);
    for (let at = 0; at < bytes.length; at++) {
      await history.store.put(key, flipBit(bytes, at));
      const { segments, problems } = await checkJournal(history.store, options);
      assert.equal(segments, 4);
      assert.deepEqual(
        problems.map((problem) => problem.key),
        [key],
        `byte ${at}`,
      );
    }
  });
});

describe('a prune by hand', () => {
  const wishes = { keep: 5, keepOfTracker: 5, isDamaged: false, named: [] };

  function optionsFor(store: MemoryStore) {
    return {
      store,
      keys: noKeys(),
      boot: 'boot0009',
      nowSeconds: () => store.nowSeconds(),
      monotonicMs: () => performance.now(),
      log: memoryLog(),
    };
  }

  it('deletes the journal that no snapshot needs that stays, and no other', async () => {
    const history = new History();
    await history.start('boot0001');
    await history.run(200, { savesEvery: 40 });
    await history.run(25);
    const { store } = history;
    const survey = () => surveySnapshots(store, { keys: noKeys() });
    const none = await planPrune(
      await survey(),
      { ...wishes, keep: 100, keepOfTracker: 100 },
      optionsFor(store),
    );
    const plan = await planPrune(await survey(), { ...wishes, keep: 1 }, optionsFor(store));
    assert.ok(
      none.items.every(({ reason }) => reason === 'journal'),
      'but what is before the oldest',
    );
    const before = store.keys().length;
    const [journal] = plan.items.filter(({ reason }) => reason === 'journal');
    assert.ok(journal !== undefined && journal.keys.length > 5);
    assert.equal(store.keys().length, before, 'a plan deletes nothing');
    await prune(plan, optionsFor(store), () => {});
    assert.equal((await survey()).length, 1);
    const { state, passedOver } = await stateAt(store, history.now);
    assert.deepEqual(passedOver, []);
    assert.deepEqual(contents(state!.table, state!.asOfSeconds), history.tables.get(state!.asOfSeconds)![0]);
    const after = await planPrune(await survey(), { ...wishes, keep: 1 }, optionsFor(store));
    assert.deepEqual(after.items, []);
  });

  it('deletes in an order that never leaves a manifest without its parts', async () => {
    const history = new History();
    await history.start('boot0001');
    await history.run(160, { savesEvery: 40 });
    const { store } = history;
    const surveyed = await surveySnapshots(store, { keys: noKeys() });
    const plan = await planPrune(surveyed, { ...wishes, keep: 1 }, optionsFor(store));
    await prune(plan, optionsFor(store), () => {
      const whole = new Set(surveyed.map(({ listed }) => listed.prefix));
      for (const { listed } of surveyed) {
        const hasManifest = store.objects.has(`${listed.prefix}manifest`);
        const parts = store.keys(`${listed.prefix}part-`).length;
        assert.ok(!hasManifest || parts === listed.parts.size, listed.prefix);
        if (!hasManifest) whole.delete(listed.prefix);
      }
      assert.ok(whole.size >= 1);
    });
    assert.equal(store.keys(SNAPSHOTS_PREFIX).filter((key) => key.endsWith('manifest')).length, 1);
  });

  it('deletes nothing when the snapshot that was to stay is gone meanwhile', async () => {
    const history = new History();
    await history.start('boot0001');
    await history.run(160, { savesEvery: 40 });
    const { store } = history;
    const surveyed = await surveySnapshots(store, { keys: noKeys() });
    const plan = await planPrune(surveyed, { ...wishes, keep: 1 }, optionsFor(store));
    store.objects.delete(plan.kept!.listed.manifest!.key);
    const before = store.keys();
    await assert.rejects(
      prune(plan, optionsFor(store), () => {}),
      /nothing was deleted/,
    );
    assert.deepEqual(store.keys(), before);
  });
});
