import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Access } from '../../src/access/access.ts';
import { AccessLog, type AccessLogOptions } from '../../src/persistence/access-log.ts';
import { GuardedStore } from '../../src/persistence/guarded-store.ts';
import { Journal } from '../../src/persistence/journal.ts';
import { isSealedHeader } from '../../src/persistence/object-format.ts';
import { explainRestore } from '../../src/persistence/restore-explanation.ts';
import type { Restorer } from '../../src/persistence/restorer.ts';
import { StopMemory } from '../../src/persistence/stop-memory.ts';
import type { Store } from '../../src/persistence/store.ts';
import type { StoreKeys } from '../../src/persistence/store-keys.ts';
import { WatchedStore } from '../../src/persistence/watched-store.ts';
import type { SwarmTable } from '../../src/swarm/swarm-table.ts';
import { announceTo, type PeerAnnounce } from '../builders/announces.ts';
import { flipBit } from '../builders/damage.ts';
import { noKeys, storeKeys } from '../builders/keys.ts';
import { type MemoryLog, memoryLog } from '../builders/log.ts';
import { contents, fillTable } from '../builders/saved-swarms.ts';
import { SimulatedTracker } from '../builders/simulated-tracker.ts';
import { makeRestorer, makeSaver, restore } from '../builders/snapshots.ts';
import { failsWith, MemoryStore } from '../builders/store.ts';
import { HASH_KEY, infoHash, NOW, swarmTable } from '../builders/swarm.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const smallTable = (): SwarmTable => swarmTable({ peersMax: 2_000, swarmsMax: 1_000 });

function filledTable(peers = 300): SwarmTable {
  const table = smallTable();
  fillTable(table, { peers, nowSeconds: NOW });
  return table;
}

const seeder = (peer: number): PeerAnnounce => ({
  swarm: 1,
  peer,
  isIpv6: false,
  event: 'none',
  left: 'zero',
  hasOtherId: false,
});

/** Saves the table as the tracker of this boot would; what is there before need not be readable. */
async function save(store: Store, table: SwarmTable, keys: StoreKeys, boot: string, keep = 5): Promise<void> {
  const outcome = await makeSaver(store, table, { keys, boot, keep }).save('schedule');
  assert.equal(outcome.kind, 'saved');
}

/** A restore that has tried often enough to be seen not to settle. */
async function stuck(
  store: MemoryStore,
  table: SwarmTable,
  keys: StoreKeys,
): Promise<{ readonly restorer: Restorer; readonly log: MemoryLog }> {
  const log = memoryLog();
  const restorer = makeRestorer(store, table, { keys, log });
  const ending = new AbortController();
  const running = restorer.run(ending.signal);
  const listings = (): number => store.calls.filter(({ verb }) => verb === 'list').length;
  for (const before = listings(); listings() < before + 4; ) {
    await nextTurn();
    assert.equal(restorer.isSettled, false);
  }
  while (restorer.progress.phase !== 'failing') await nextTurn();
  ending.abort();
  await running;
  assert.equal(restorer.isSettled, false);
  return { restorer, log };
}

function openAccess(
  store: Store,
  keys: StoreKeys,
  boot: string,
  options: Partial<AccessLogOptions> = {},
): { readonly access: Access; readonly accessLog: AccessLog; readonly log: MemoryLog } {
  const access = new Access({
    mode: 'open',
    hashKey: HASH_KEY,
    bannedByEnvironment: [],
    allowedByEnvironment: [],
  });
  const log = memoryLog();
  const accessLog = new AccessLog({
    store,
    access,
    keys,
    boot,
    dropSwarm: () => {},
    nowSeconds: () => NOW,
    monotonicMs: () => performance.now(),
    log,
    retryMs: 1,
    ...options,
  });
  return { access, accessLog, log };
}

const ban = (number: number) =>
  ({ list: 'bans', isListed: true, hashes: [infoHash(number)], reason: 'asked for' }) as const;
const unban = (number: number) => ({ ...ban(number), isListed: false }) as const;

/** The store as the tracker has it. */
function guard(store: MemoryStore, keys: StoreKeys): GuardedStore {
  return new GuardedStore(new WatchedStore(store, { log: memoryLog(), nowSeconds: () => NOW }), keys);
}

/** A signal that has fired: what was loaded by now is all that is waited for. */
const soon = (): AbortSignal => AbortSignal.timeout(20);
const never = (): AbortSignal => new AbortController().signal;

const isSealed = ({ objects }: MemoryStore, key: string): boolean =>
  isSealedHeader(Buffer.from(objects.get(key)!.bytes));

describe('a snapshot in a sealed store (rule D-O5)', () => {
  it('comes back with the key, and holds no word in the open', async () => {
    const store = new MemoryStore();
    const table = filledTable(900);
    await save(store, table, storeKeys(1), 'boot0001');
    assert.ok(store.keys().length >= 2);
    for (const [key, { bytes }] of store.objects) {
      assert.ok(isSealed(store, key), key);
      for (const word of ['boot', 'part', 'takenAt']) assert.ok(!Buffer.from(bytes).includes(word), word);
    }
    const restored = smallTable();
    const restorer = await restore(store, restored, { keys: storeKeys(1) });
    assert.deepEqual(contents(restored, NOW), contents(table, NOW));
    assert.deepEqual(restorer.progress.damaged, []);
  });

  it('comes back in parts of which each is bound to its place', async () => {
    const store = new MemoryStore();
    const table = filledTable(1_500);
    await makeSaver(store, table, { keys: storeKeys(1), partBytesMax: 40_000 }).save('schedule');
    const parts = store.keys('snapshots/').filter((key) => key.includes('part-'));
    assert.ok(parts.length >= 2, `${parts.length} parts`);
    const restored = smallTable();
    await restore(store, restored, { keys: storeKeys(1) });
    assert.deepEqual(contents(restored, NOW), contents(table, NOW));
  });

  it('never lets a restore settle without the key, and says in one line what to do', async () => {
    const store = new MemoryStore();
    await save(store, filledTable(), storeKeys(1), 'boot0001');
    const before = new Map(store.objects);
    for (const [keys, advice] of [
      [noKeys(), /STORE_KEY is not set/],
      [storeKeys(2), /sealed with a key that is not in STORE_KEY/],
    ] as const) {
      const table = smallTable();
      const { restorer, log } = await stuck(store, table, keys);
      assert.equal(table.peers, 0);
      assert.match(explainRestore(restorer.progress), advice);
      assert.equal(log.messages('error').length, 1);
      assert.match(log.messages('error')[0]!, advice);
      fillTable(table, { peers: 10, nowSeconds: NOW });
      for (const cause of ['schedule', 'signal', 'shutdown', 'admin'] as const) {
        const saver = makeSaver(store, table, { keys, restore: restorer, keep: 1, boot: 'boot0002' });
        assert.deepEqual(await saver.save(cause), { kind: 'not-settled' });
      }
    }
    assert.deepEqual(store.objects, before);
  });

  it('tells the log of the key also when the store was out of reach before', async () => {
    const store = new MemoryStore();
    await save(store, filledTable(), storeKeys(1), 'boot0001');
    store.failure = 'unreachable';
    store.hook = () => {
      if (store.calls.length > 12) store.failure = undefined;
    };
    const log = memoryLog();
    const ending = new AbortController();
    const running = makeRestorer(store, smallTable(), { keys: storeKeys(2), log }).run(ending.signal);
    while (log.messages('error').length < 2) await nextTurn();
    ending.abort();
    await running;
    const [first, second] = log.messages('error');
    assert.match(first!, /unreachable/);
    assert.match(second!, /STORE_KEY/);
  });

  it('that is newer than any that opens keeps the restore open, while the older one serves', async () => {
    const store = new MemoryStore();
    const older = filledTable();
    await save(store, older, storeKeys(1), 'boot0001');
    const newer = filledTable(500);
    await save(store, newer, storeKeys(2), 'boot0002');
    const restored = smallTable();
    const { restorer } = await stuck(store, restored, storeKeys(1));
    assert.deepEqual(contents(restored, NOW), contents(older, NOW));
    assert.match(restorer.progress.lastError!, /^snapshots\/0000000002-boot0002\/ is sealed with a key/);
  });

  it('settles a restore once what was locked is gone', async () => {
    const store = new MemoryStore();
    await save(store, filledTable(), storeKeys(1), 'boot0001');
    await save(store, filledTable(500), storeKeys(2), 'boot0002');
    const restorer = makeRestorer(store, smallTable(), { keys: storeKeys(1) });
    const running = restorer.run(never());
    while (restorer.progress.phase !== 'failing') await nextTurn();
    for (const key of store.keys('snapshots/0000000002')) store.objects.delete(key);
    await running;
    assert.ok(restorer.isSettled);
  });

  it('without a manifest keeps the restore open too, for nobody knows what it holds', async () => {
    const store = new MemoryStore();
    await save(store, filledTable(), storeKeys(1), 'boot0001');
    store.objects.delete('snapshots/0000000001-boot0001/manifest');
    await stuck(store, smallTable(), storeKeys(2));
    const restored = smallTable();
    await restore(store, restored, { keys: storeKeys(1) });
    assert.equal(restored.peers, 300);
  });

  it('that is older than the one restored is left, and counts for nothing', async () => {
    const store = new MemoryStore();
    await save(store, filledTable(), storeKeys(1), 'boot0001');
    const table = filledTable(400);
    await save(store, table, storeKeys(2), 'boot0002');
    const restored = smallTable();
    const keys = storeKeys(2);
    const restorer = await restore(store, restored, { keys });
    const saver = makeSaver(store, restored, { keys, restore: restorer, keep: 2, boot: 'boot0003' });
    for (let round = 0; round < 4; round++) {
      fillTable(restored, { peers: 5, nowSeconds: NOW, seed: 100 + round });
      assert.equal((await saver.save('schedule')).kind, 'saved');
    }
    const folders = new Set(store.keys('snapshots/').map((key) => key.split('/')[1]));
    assert.deepEqual([...folders], ['0000000001-boot0001', '0000000005-boot0003', '0000000006-boot0003']);
  });

  it('that is locked counts as needing all of the journal, as long as it is among those to keep', async () => {
    for (const [keep, isKept] of [
      [3, true],
      [2, false],
    ] as const) {
      const shared = new MemoryStore();
      const start = async (boot: string, keys: StoreKeys): Promise<SimulatedTracker> => {
        const tracker = new SimulatedTracker({ boot, shared, keys, keep, trueSeconds: () => NOW });
        await tracker.start();
        assert.ok(tracker.restorer.isSettled);
        return tracker;
      };
      const hear = ({ tracker }: SimulatedTracker, peer: number): void =>
        announceTo(tracker, seeder(peer), NOW);
      const first = await start('boot0001', storeKeys(1));
      hear(first, 1);
      await first.saver.save('shutdown');
      hear(first, 2);
      await first.writeJournal();
      first.kill();
      const segment = shared.keys('journal/boot0001').at(-1);
      const heir = await start('boot0002', storeKeys(2, 1));
      await heir.saver.save('shutdown');
      heir.kill();
      assert.ok(shared.objects.has(segment!));
      const last = await start('boot0003', storeKeys(2));
      assert.equal(last.table.peers, 2);
      hear(last, 3);
      await last.saver.save('shutdown');
      assert.equal(shared.objects.has(segment!), isKept);
      assert.ok(shared.objects.has('snapshots/0000000001-boot0001/manifest'));
      last.kill();
    }
  });

  it('outlives a change of keys, and the old key may go when its last snapshot has', async () => {
    const store = new MemoryStore();
    const table = filledTable();
    await save(store, table, storeKeys(1), 'boot0001');
    const both = storeKeys(2, 1);
    const restored = smallTable();
    const restorer = await restore(store, restored, { keys: both });
    assert.deepEqual(contents(restored, NOW), contents(table, NOW));
    const saver = makeSaver(store, restored, { keys: both, restore: restorer, keep: 2, boot: 'boot0002' });
    for (let round = 0; round < 2; round++) {
      fillTable(restored, { peers: 5, nowSeconds: NOW, seed: 100 + round });
      await saver.save('schedule');
    }
    assert.deepEqual(store.keys('snapshots/0000000001'), []);
    const again = smallTable();
    await restore(store, again, { keys: storeKeys(2) });
    assert.deepEqual(contents(again, NOW), contents(restored, NOW));
  });

  it('takes the place of plain ones when a key is set for the first time', async () => {
    const store = new MemoryStore();
    const table = filledTable();
    await save(store, table, noKeys(), 'boot0001');
    const keys = storeKeys(1);
    const restored = smallTable();
    const restorer = await restore(store, restored, { keys });
    assert.deepEqual(contents(restored, NOW), contents(table, NOW));
    fillTable(restored, { peers: 5, nowSeconds: NOW, seed: 100 });
    const guarded = guard(store, keys);
    await makeSaver(guarded, restored, { keys, restore: restorer, keep: 1, boot: 'boot0002' }).save(
      'schedule',
    );
    assert.deepEqual(store.keys('snapshots/0000000001'), []);
    for (const key of store.keys()) assert.ok(isSealed(store, key), key);
  });
});

describe('the access lists in a sealed store', () => {
  it('come back with the key', async () => {
    const store = new MemoryStore();
    const first = openAccess(store, storeKeys(1), 'boot0001');
    await first.accessLog.load(never());
    assert.equal((await first.accessLog.change(ban(1))).kind, 'stored');
    assert.ok(isSealed(store, 'access/boot0001/0000000001'));
    const second = openAccess(store, storeKeys(1), 'boot0002');
    assert.equal(await second.accessLog.load(never()), true);
    assert.equal(second.access.isServed(infoHash(1)), false);
  });

  it('are not loaded without the key, and say so; what can be opened is in force all the same', async () => {
    const store = new MemoryStore();
    for (const [keys, boot, number] of [
      [storeKeys(1), 'boot0001', 1],
      [noKeys(), 'boot0009', 2],
    ] as const) {
      const { accessLog } = openAccess(store, keys, boot);
      assert.equal((await accessLog.change(ban(number))).kind, 'stored');
      await accessLog.close(never());
    }
    for (const keys of [noKeys(), storeKeys(2)]) {
      const { access, accessLog, log } = openAccess(store, keys, 'boot0002');
      assert.equal(await accessLog.load(soon()), false);
      assert.equal(access.isLoaded, false);
      assert.equal(access.isServed(infoHash(2)), false);
      const errors = log.messages('error');
      assert.equal(errors.filter((message) => message.includes('STORE_KEY')).length, 1, errors.join('\n'));
      assert.ok(errors.some((message) => message.includes('NOT in force')));
      await accessLog.close(never());
    }
  });

  it('load once what was locked is gone', async () => {
    const store = new MemoryStore();
    const first = openAccess(store, storeKeys(1), 'boot0001');
    await first.accessLog.load(never());
    await first.accessLog.change(ban(1));
    const { accessLog, access } = openAccess(store, storeKeys(2), 'boot0002');
    const loading = accessLog.load(never());
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    assert.equal(access.isLoaded, false);
    store.objects.clear();
    assert.equal(await loading, true);
    await accessLog.close(never());
  });

  it('take a ban in force and store it nowhere, and no unban, as long as the keys do not fit', async () => {
    const store = new MemoryStore();
    await save(store, filledTable(), storeKeys(1), 'boot0001');
    const before = new Map(store.objects);
    for (const keys of [noKeys(), storeKeys(2)]) {
      const guarded = guard(store, keys);
      const { access, accessLog, log } = openAccess(guarded, keys, 'boot0002');
      await accessLog.load(never());
      assert.equal((await accessLog.change(ban(1))).kind, 'enforced');
      assert.equal(access.isServed(infoHash(1)), false);
      assert.equal((await accessLog.change(unban(3))).kind, 'not-stored');
      await accessLog.close(never()); // which does not wait for a key
      assert.ok(log.messages('error').some((message) => message.includes('are lost')));
      assert.deepEqual(store.objects, before);
    }
    assert.deepEqual(
      store.calls.filter(({ verb }) => verb === 'delete'),
      [],
      'nothing was put that had to be taken back',
    );
  });

  it('are sealed anew with the first key at the next start, so that an older one can go', async () => {
    const store = new MemoryStore();
    for (const [keys, boot, number] of [
      [noKeys(), 'boot0001', 1],
      [storeKeys(1), 'boot0002', 2],
    ] as const) {
      const { accessLog } = openAccess(store, keys, boot, { foldObjectsMin: 1_000 });
      await accessLog.load(never());
      await accessLog.change(ban(number));
      await accessLog.close(never());
    }
    const { accessLog } = openAccess(store, storeKeys(2, 1), 'boot0003');
    await accessLog.load(never());
    while (!store.keys('access/').every((key) => key.startsWith('access/boot0003/'))) await nextTurn();
    await accessLog.close(never());
    const { access, accessLog: last } = openAccess(store, storeKeys(2), 'boot0004');
    assert.equal(await last.load(never()), true);
    for (const number of [1, 2]) assert.equal(access.isServed(infoHash(number)), false);
    await last.close(never());
  });

  it('are sealed anew once, not by turns, by two trackers whose keys stand in another order', async () => {
    const store = new MemoryStore();
    const writer = openAccess(store, storeKeys(1), 'boot0003').accessLog;
    await writer.change(ban(100));
    await writer.close(never());
    const trackers = [
      openAccess(store, storeKeys(1, 2), 'boot0001'),
      openAccess(store, storeKeys(2, 1), 'boot0002'),
    ];
    for (const { accessLog } of trackers) await accessLog.load(never());
    while (store.objects.has('access/boot0003/0000000001')) await nextTurn();
    let puts = 0;
    store.hook = ({ verb }) => {
      if (verb === 'put') puts += 1;
    };
    for (let number = 0; number < 10; number++) {
      await trackers[number % 2]!.accessLog.change(ban(number));
      for (let turn = 0; turn < 10; turn++) await nextTurn();
    }
    assert.equal(puts, 10);
    for (const { accessLog } of trackers) await accessLog.close(never());
  });
});

describe('the journal of a tracker whose keys do not fit', () => {
  it('is not written, waits, and is given up at the end without waiting for a key', async () => {
    const store = new MemoryStore();
    await save(store, filledTable(), storeKeys(1), 'boot0001');
    const before = new Map(store.objects);
    const keys = storeKeys(2);
    const log = memoryLog();
    const journal = new Journal({
      store: guard(store, keys),
      keys,
      boot: 'boot0002',
      intervalSeconds: 10,
      stops: new StopMemory({ hashKey: HASH_KEY, journalSeconds: 10 }),
      nowSeconds: () => NOW,
      monotonicMs: () => performance.now(),
      log,
      retryMs: 1,
    });
    journal.completed(infoHash(1));
    journal.cut();
    const listings = (): number => store.calls.filter(({ verb }) => verb === 'list').length;
    while (listings() < 8) await nextTurn();
    assert.equal(journal.status.segmentsWaiting, 1);
    await journal.close(never());
    assert.ok(log.messages('error').some((message) => message.includes('is lost')));
    assert.deepEqual(store.objects, before);
  });
});

describe('a guarded store', () => {
  const bytes = Uint8Array.of(1, 2, 3);

  it('takes what is put when nothing is there, and asks only once', async () => {
    for (const keys of [noKeys(), storeKeys(1)]) {
      const store = new MemoryStore();
      const guarded = guard(store, keys);
      await guarded.put('access/boot0001/0000000001', bytes);
      const asked = store.calls.length;
      await guarded.put('access/boot0001/0000000002', bytes);
      assert.equal(store.calls.length, asked + 1);
      assert.equal(store.keys().length, 2);
    }
  });

  it('takes it beside plain objects, with a key or without', async () => {
    for (const keys of [noKeys(), storeKeys(1)]) {
      const store = new MemoryStore();
      await save(store, filledTable(), noKeys(), 'boot0001');
      await guard(store, keys).put('a', bytes);
      assert.ok(store.objects.has('a'));
    }
  });

  it('takes it when the keys open what is there, whatever kind of object that is', async () => {
    for (const kind of ['manifest', 'part', 'access'] as const) {
      for (const [keys, fits] of [
        [storeKeys(1), true],
        [storeKeys(2, 1), true],
        [storeKeys(2), false],
        [noKeys(), false],
      ] as const) {
        const store = new MemoryStore();
        if (kind === 'access') {
          const { accessLog } = openAccess(store, storeKeys(1), 'boot0001');
          await accessLog.load(never());
          await accessLog.change(ban(1));
        } else {
          await save(store, filledTable(), storeKeys(1), 'boot0001');
          if (kind === 'part') store.objects.delete('snapshots/0000000001-boot0001/manifest');
        }
        const guarded = guard(store, keys);
        if (fits) await guarded.put('a', bytes);
        else await assert.rejects(guarded.put('a', bytes), failsWith('locked'));
        assert.equal(store.objects.has('a'), fits, kind);
      }
    }
  });

  it('goes by what tells: a damaged object does not', async () => {
    const store = new MemoryStore();
    store.nowSeconds = () => NOW;
    await save(store, filledTable(), storeKeys(1), 'boot0001');
    store.nowSeconds = () => NOW + 100;
    await save(store, filledTable(), storeKeys(1), 'boot0002');
    const newest = 'snapshots/0000000002-boot0002/manifest';
    for (const at of [3, 60]) {
      const object = store.objects.get(newest)!;
      store.objects.set(newest, { ...object, bytes: flipBit(object.bytes, at) });
      await assert.rejects(guard(store, storeKeys(2)).put('a', bytes), failsWith('locked'));
      await guard(store, storeKeys(1)).put('a', bytes);
      store.objects.delete('a');
      store.objects.set(newest, object);
    }
  });

  it('asks nothing when a reader has opened something before', async () => {
    const store = new MemoryStore();
    await save(store, filledTable(), storeKeys(1), 'boot0001');
    const keys = storeKeys(1);
    await restore(store, smallTable(), { keys });
    const asked = store.calls.length;
    await guard(store, keys).put('a', bytes);
    assert.equal(store.calls.length, asked + 1);
  });

  it('goes by what a reader has found locked before', async () => {
    const store = new MemoryStore();
    await save(store, filledTable(), storeKeys(1), 'boot0001');
    const keys = storeKeys(2);
    await stuck(store, smallTable(), keys);
    await assert.rejects(guard(store, keys).put('a', bytes), failsWith('locked'));
  });

  it('goes on taking it when a successor with another key begins to write', async () => {
    const store = new MemoryStore();
    for (const keys of [noKeys(), storeKeys(1)]) {
      store.objects.clear();
      const guarded = guard(store, keys);
      await guarded.put('a', bytes);
      await save(store, filledTable(), storeKeys(2), 'boot0002');
      await stuck(store, smallTable(), keys);
      await guarded.put('b', bytes);
      assert.ok(store.objects.has('b'));
    }
  });

  it('takes it again once the store was emptied', async () => {
    const store = new MemoryStore();
    await save(store, filledTable(), storeKeys(1), 'boot0001');
    const guarded = guard(store, storeKeys(2));
    await assert.rejects(guarded.put('a', bytes), failsWith('locked'));
    store.objects.clear();
    await guarded.put('a', bytes);
  });

  it('does not take what it cannot ask about', async () => {
    const store = new MemoryStore();
    store.failure = 'unreachable';
    await assert.rejects(guard(store, noKeys()).put('a', bytes), failsWith('unreachable'));
    assert.deepEqual(
      store.calls.filter(({ verb }) => verb === 'put'),
      [],
    );
  });
});
