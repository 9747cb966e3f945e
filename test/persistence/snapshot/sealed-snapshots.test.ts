import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoreKeys } from '../../../src/persistence/format/store-keys.ts';
import { explainRestore } from '../../../src/persistence/snapshot/restore-explanation.ts';
import { announceTo } from '../../builders/announces.ts';
import { noKeys, storeKeys } from '../../builders/keys.ts';
import { memoryLog } from '../../builders/log.ts';
import { contents, fillTable } from '../../builders/saved-swarms.ts';
import {
  filledTable,
  guard,
  isSealed,
  never,
  nextTurn,
  saveWith,
  seeder,
  smallTable,
  stuckRestore,
} from '../../builders/sealed-stores.ts';
import { SimulatedTracker } from '../../builders/simulated-tracker.ts';
import { makeRestorer, makeSaver, restore } from '../../builders/snapshots.ts';
import { MemoryStore } from '../../builders/store.ts';
import { NOW } from '../../builders/swarm.ts';

describe('a snapshot in a sealed store (rule D-O5)', () => {
  it('comes back with the key, and holds no word in the open', async () => {
    const store = new MemoryStore();
    const table = filledTable(900);
    await saveWith(store, table, storeKeys(1), 'boot0001');
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
    await saveWith(store, filledTable(), storeKeys(1), 'boot0001');
    const before = new Map(store.objects);
    for (const [keys, advice] of [
      [noKeys(), /STORE_KEY is not set/],
      [storeKeys(2), /sealed with a key that is not in STORE_KEY/],
    ] as const) {
      const table = smallTable();
      const { restorer, log } = await stuckRestore(store, table, keys);
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
    await saveWith(store, filledTable(), storeKeys(1), 'boot0001');
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
    await saveWith(store, older, storeKeys(1), 'boot0001');
    const newer = filledTable(500);
    await saveWith(store, newer, storeKeys(2), 'boot0002');
    const restored = smallTable();
    const { restorer } = await stuckRestore(store, restored, storeKeys(1));
    assert.deepEqual(contents(restored, NOW), contents(older, NOW));
    assert.match(
      restorer.progress.lastError!.message,
      /^snapshots\/0000000002-boot0002\/ is sealed with a key/,
    );
  });

  it('settles a restore once what was locked is gone', async () => {
    const store = new MemoryStore();
    await saveWith(store, filledTable(), storeKeys(1), 'boot0001');
    await saveWith(store, filledTable(500), storeKeys(2), 'boot0002');
    const restorer = makeRestorer(store, smallTable(), { keys: storeKeys(1) });
    const running = restorer.run(never());
    while (restorer.progress.phase !== 'failing') await nextTurn();
    for (const key of store.keys('snapshots/0000000002')) store.objects.delete(key);
    await running;
    assert.ok(restorer.isSettled);
  });

  it('without a manifest keeps the restore open too, for nobody knows what it holds', async () => {
    const store = new MemoryStore();
    await saveWith(store, filledTable(), storeKeys(1), 'boot0001');
    store.objects.delete('snapshots/0000000001-boot0001/manifest');
    await stuckRestore(store, smallTable(), storeKeys(2));
    const restored = smallTable();
    await restore(store, restored, { keys: storeKeys(1) });
    assert.equal(restored.peers, 300);
  });

  it('that is older than the one restored is left, and counts for nothing', async () => {
    const store = new MemoryStore();
    await saveWith(store, filledTable(), storeKeys(1), 'boot0001');
    const table = filledTable(400);
    await saveWith(store, table, storeKeys(2), 'boot0002');
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
      let now = NOW;
      shared.nowSeconds = () => now;
      const start = async (boot: string, keys: StoreKeys): Promise<SimulatedTracker> => {
        const tracker = new SimulatedTracker({ boot, shared, keys, keep, trueSeconds: () => now });
        await tracker.start();
        assert.ok(tracker.restorer.isSettled);
        return tracker;
      };
      const hear = ({ tracker }: SimulatedTracker, peer: number): void =>
        announceTo(tracker, seeder(peer), now);
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
      now += 1_000; // the journal stays for a while whoever has it
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
    await saveWith(store, table, storeKeys(1), 'boot0001');
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
    await saveWith(store, table, noKeys(), 'boot0001');
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
