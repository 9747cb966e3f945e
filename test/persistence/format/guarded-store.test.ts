import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Journal } from '../../../src/persistence/journal/journal.ts';
import { StopMemory } from '../../../src/persistence/merge/stop-memory.ts';
import { flipBit } from '../../builders/damage.ts';
import { noKeys, storeKeys } from '../../builders/keys.ts';
import { memoryLog } from '../../builders/log.ts';
import {
  ban,
  filledTable,
  guard,
  never,
  nextTurn,
  openAccess,
  saveWith,
  smallTable,
  stuckRestore,
} from '../../builders/sealed-stores.ts';
import { restore } from '../../builders/snapshots.ts';
import { failsWith, MemoryStore } from '../../builders/store.ts';
import { HASH_KEY, infoHash, NOW } from '../../builders/swarm.ts';

describe('the journal of a tracker whose keys do not fit', () => {
  it('is not written, waits, and is given up at the end without waiting for a key', async () => {
    const store = new MemoryStore();
    await saveWith(store, filledTable(), storeKeys(1), 'boot0001');
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
      await saveWith(store, filledTable(), noKeys(), 'boot0001');
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
          await saveWith(store, filledTable(), storeKeys(1), 'boot0001');
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
    await saveWith(store, filledTable(), storeKeys(1), 'boot0001');
    store.nowSeconds = () => NOW + 100;
    await saveWith(store, filledTable(), storeKeys(1), 'boot0002');
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
    await saveWith(store, filledTable(), storeKeys(1), 'boot0001');
    const keys = storeKeys(1);
    await restore(store, smallTable(), { keys });
    const asked = store.calls.length;
    await guard(store, keys).put('a', bytes);
    assert.equal(store.calls.length, asked + 1);
  });

  it('goes by what a reader has found locked before', async () => {
    const store = new MemoryStore();
    await saveWith(store, filledTable(), storeKeys(1), 'boot0001');
    const keys = storeKeys(2);
    await stuckRestore(store, smallTable(), keys);
    await assert.rejects(guard(store, keys).put('a', bytes), failsWith('locked'));
  });

  it('goes on taking it when a successor with another key begins to write', async () => {
    const store = new MemoryStore();
    for (const keys of [noKeys(), storeKeys(1)]) {
      store.objects.clear();
      const guarded = guard(store, keys);
      await guarded.put('a', bytes);
      await saveWith(store, filledTable(), storeKeys(2), 'boot0002');
      await stuckRestore(store, smallTable(), keys);
      await guarded.put('b', bytes);
      assert.ok(store.objects.has('b'));
    }
  });

  it('takes it again once the store was emptied', async () => {
    const store = new MemoryStore();
    await saveWith(store, filledTable(), storeKeys(1), 'boot0001');
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
