import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noKeys, storeKeys } from '../../builders/keys.ts';
import {
  ban,
  filledTable,
  guard,
  isSealed,
  never,
  nextTurn,
  openAccess,
  saveWith,
  soon,
  unban,
} from '../../builders/sealed-stores.ts';
import { MemoryStore } from '../../builders/store.ts';
import { infoHash } from '../../builders/swarm.ts';

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
    await saveWith(store, filledTable(), storeKeys(1), 'boot0001');
    const before = new Map(store.objects);
    for (const keys of [noKeys(), storeKeys(2)]) {
      const guarded = guard(store, keys);
      const { access, accessLog, log } = openAccess(guarded, keys, 'boot0002');
      await accessLog.load(never());
      assert.equal((await accessLog.change(unban(3))).kind, 'not-stored');
      assert.equal((await accessLog.change(ban(1))).kind, 'enforced');
      assert.equal(access.isServed(infoHash(1)), false);
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
