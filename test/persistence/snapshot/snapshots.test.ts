import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { ObjectKind } from '../../../src/persistence/format/object-format.ts';
import type { Store } from '../../../src/persistence/store/store.ts';
import { LEECHER } from '../../../src/swarm/record.ts';
import { asVersion, flipBit } from '../../builders/damage.ts';
import { memoryLog } from '../../builders/log.ts';
import { contents, fillTable } from '../../builders/saved-swarms.ts';
import { makeRestorer, makeSaver, restore } from '../../builders/snapshots.ts';
import { type StoreDriver, storeDrivers } from '../../builders/store.ts';
import { endpoint, infoHash, NOW, peerId, swarmTable } from '../../builders/swarm.ts';

/** Parts so small that a few thousand peers need several. */
const SMALL_PARTS = { partBytesMax: 64 * 1024 };

async function keys(store: Store): Promise<string[]> {
  return (await store.list('')).map((object) => object.key);
}

/** Puts other bytes under a key, as only a fault can. */
async function spoil(store: Store, key: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const bytes = change(Uint8Array.from(await store.get(key)));
  await store.delete(key);
  await store.put(key, bytes);
}

for (const { name, start } of storeDrivers) {
  describe(`snapshots (${name})`, () => {
    let driver: StoreDriver;
    let store: Store;
    before(async () => {
      driver = await start();
    });
    beforeEach(async () => {
      store = await driver.open();
    });
    after(() => driver.close());

    it('bring back every peer, role, flag, last-seen second and count', async () => {
      const table = swarmTable();
      fillTable(table, { peers: 6_000, nowSeconds: NOW });
      const outcome = await makeSaver(store, table, SMALL_PARTS).save('schedule');
      assert.equal(outcome.kind, 'saved');
      assert.ok((await keys(store)).filter((key) => key.includes('part-')).length > 2);

      const restored = swarmTable();
      const restorer = await restore(store, restored);
      assert.ok(restorer.isSettled);
      assert.deepEqual(contents(restored, NOW), contents(table, NOW));
      assert.deepEqual({ ...restored.totals, completed: 0 }, { ...table.totals, completed: 0 });
      assert.equal(restorer.progress.peersRestored, 6_000);
    });

    it('of nothing settle at once, and leave the table empty', async () => {
      const table = swarmTable();
      const restorer = await restore(store, table);
      assert.ok(restorer.isSettled);
      assert.equal(restorer.progress.snapshot, undefined);
      assert.equal(table.peers, 0);
    });

    it('are not written when nothing changed', async () => {
      const table = swarmTable();
      const saver = makeSaver(store, table);
      assert.deepEqual(await saver.save('schedule'), { kind: 'unchanged' });
      fillTable(table, { peers: 10, nowSeconds: NOW });
      assert.equal((await saver.save('schedule')).kind, 'saved');
      const before = await keys(store);
      assert.deepEqual(await saver.save('signal'), { kind: 'unchanged' });
      assert.deepEqual(await saver.save('shutdown'), { kind: 'unchanged' });
      assert.deepEqual(await keys(store), before);
    });

    it('are numbered past the highest in the store, whoever wrote it', async () => {
      const table = swarmTable();
      fillTable(table, { peers: 10, nowSeconds: NOW });
      await makeSaver(store, table, { boot: 'boot0002' }).save('schedule');
      await store.put('snapshots/0000000041-bootgone/part-00000', Uint8Array.of(1));
      const outcome = await makeSaver(store, table).save('schedule');
      assert.equal(outcome.kind === 'saved' && outcome.number, 42);
      assert.ok((await keys(store)).includes('snapshots/0000000042-boot0001/manifest'));
    });

    it('are numbered without regard to numbers that nobody counted to', async () => {
      const table = swarmTable();
      fillTable(table, { peers: 10, nowSeconds: NOW });
      for (const number of ['9999999999', '9999999998']) {
        await store.put(`snapshots/${number}-aaaaaaaa/part-00000`, Uint8Array.of(1));
      }
      const outcome = await makeSaver(store, table).save('schedule');
      assert.equal(outcome.kind === 'saved' && outcome.number, 1);
      const restorer = await restore(store, swarmTable());
      assert.equal(restorer.progress.snapshot, 'snapshots/0000000001-boot0001/');
      assert.equal((await keys(store)).length, 4, 'they are left alone');
    });

    it('are kept, the five newest whole ones, and older ones deleted', async () => {
      const table = swarmTable();
      const saver = makeSaver(store, table);
      for (let round = 1; round <= 7; round++) {
        fillTable(table, { peers: 10, nowSeconds: NOW, seed: round });
        await saver.save('schedule');
      }
      const manifests = (await keys(store)).filter((key) => key.endsWith('manifest'));
      assert.deepEqual(
        manifests.map((key) => Number(key.slice(10, 20))),
        [3, 4, 5, 6, 7],
      );
      assert.equal((await keys(store)).length, 10);
    });

    it('that a kill interrupted are passed over for the one before, and give their peers all the same', async () => {
      const table = swarmTable();
      fillTable(table, { peers: 3_000, nowSeconds: NOW });
      await makeSaver(store, table, SMALL_PARTS).save('schedule');
      const late = infoHash(777_777);
      table.sight(table.open(late, NOW), 0, endpoint(0, 9), peerId(9), LEECHER, true, NOW);
      await makeSaver(store, table, { ...SMALL_PARTS, boot: 'boot0002' }).save('schedule');
      await store.delete('snapshots/0000000002-boot0002/manifest');

      const restored = swarmTable();
      const log = memoryLog();
      const restorer = await restore(store, restored, { log });
      assert.equal(restorer.progress.snapshot, 'snapshots/0000000001-boot0001/');
      assert.deepEqual(log.messages('error'), [], 'an unfinished snapshot is no damage');
      const slot = restored.find(late);
      assert.ok(slot >= 0, 'a peer that only the unfinished snapshot knows is there');
      assert.equal(restored.completed(slot), 0, 'its completions are not');
      table.drop(late);
      restored.drop(late);
      assert.deepEqual(contents(restored, NOW), contents(table, NOW));
    });

    it('among several, one cut off, one with a flipped bit, one of a later version: the newest whole one counts', async () => {
      const table = swarmTable();
      const saver = makeSaver(store, table, { ...SMALL_PARTS, keep: 10 });
      for (let round = 1; round <= 5; round++) {
        fillTable(table, { peers: 2_000, nowSeconds: NOW, seed: round });
        await saver.save('schedule');
        if (round === 2) break;
      }
      const expected = contents(table, NOW);
      const marks = [3, 4, 5].map((round) => infoHash(1_000_000 + round));
      for (const mark of marks) {
        // A completed download that only this snapshot and those after it know.
        table.sight(table.open(mark, NOW), 0, endpoint(0, 5), peerId(5), LEECHER, true, NOW);
        await saver.save('schedule');
      }
      const folder = (number: number): string => `snapshots/000000000${number}-boot0001`;
      await spoil(store, `${folder(3)}/part-00001`, (bytes) => bytes.subarray(0, bytes.length >> 1));
      await spoil(store, `${folder(4)}/part-00001`, (bytes) => flipBit(bytes, 20_000));
      await spoil(store, `${folder(5)}/manifest`, (bytes) => asVersion(bytes, ObjectKind.manifest, 2));
      const before = await keys(store);

      const restored = swarmTable();
      const log = memoryLog();
      const restorer = await restore(store, restored, { log });
      assert.ok(restorer.isSettled);
      assert.equal(restorer.progress.snapshot, `${folder(2)}/`);
      assert.deepEqual([...restorer.progress.damaged].sort(), [`${folder(3)}/`, `${folder(4)}/`]);
      assert.equal(log.messages('error').length, 2);
      assert.equal(log.messages('warn').length, 1);
      const known = new Set(contents(restored, NOW));
      assert.deepEqual(
        expected.filter((line) => !known.has(line)),
        [],
        'everything of the whole snapshot is there',
      );
      for (const mark of marks) {
        const slot = restored.find(mark);
        assert.equal(
          slot < 0 ? 0 : restored.completed(slot),
          0,
          'completions come from the whole snapshot only',
        );
      }
      assert.equal(restored.find(marks[2]!), -1, 'nothing comes from the later version');

      // And nothing is deleted while an object of a later version is in the store.
      fillTable(restored, { peers: 10, nowSeconds: NOW, seed: 99 });
      const next = makeSaver(store, restored, { boot: 'boot0009', keep: 1, restore: restorer });
      assert.equal((await next.save('schedule')).kind, 'saved');
      const afterwards = await keys(store);
      assert.deepEqual(
        before.filter((key) => !afterwards.includes(key)),
        [],
      );
    });

    it('that are damaged stay, and do not count for the retention', async () => {
      const table = swarmTable();
      const saver = makeSaver(store, table, { keep: 10 });
      for (let round = 1; round <= 3; round++) {
        fillTable(table, { peers: 50, nowSeconds: NOW, seed: round });
        await saver.save('schedule');
      }
      await spoil(store, 'snapshots/0000000003-boot0001/part-00000', (bytes) => flipBit(bytes, 100));
      const restored = swarmTable();
      const restorer = await restore(store, restored);
      fillTable(restored, { peers: 50, nowSeconds: NOW, seed: 9 });
      await makeSaver(store, restored, { boot: 'boot0009', keep: 2, restore: restorer }).save('schedule');
      const manifests = (await keys(store)).filter((key) => key.endsWith('manifest'));
      assert.deepEqual(
        manifests.map((key) => Number(key.slice(10, 20))),
        [2, 3, 4],
      );
    });

    it('are not saved before the restore has settled', async () => {
      const table = swarmTable();
      fillTable(table, { peers: 10, nowSeconds: NOW });
      const saver = makeSaver(store, table, { restore: makeRestorer(store, swarmTable()) });
      for (const cause of ['schedule', 'signal', 'shutdown'] as const) {
        assert.deepEqual(await saver.save(cause), { kind: 'not-settled' });
      }
      assert.deepEqual(await keys(store), []);
    });
  });
}
