import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoreFailure } from '../../../src/persistence/store/store.ts';
import { WatchedStore } from '../../../src/persistence/store/watched-store.ts';
import { memoryLog } from '../../builders/log.ts';
import { fillTable } from '../../builders/saved-swarms.ts';
import { makeSaver } from '../../builders/snapshots.ts';
import { failsWith, MemoryStore } from '../../builders/store.ts';
import { NOW, swarmTable } from '../../builders/swarm.ts';

const monotonicMs = (): number => performance.now();

function watch(store: MemoryStore): WatchedStore {
  return new WatchedStore(store, { log: memoryLog(), nowSeconds: () => NOW, monotonicMs });
}

describe('what a store was asked for', () => {
  it('is counted by kind of call, with the bytes that went either way', async () => {
    const store = watch(new MemoryStore());
    await store.put('a', new Uint8Array(100));
    await store.put('b', new Uint8Array(20));
    await store.get('b');
    await store.list('');
    await store.delete('a');
    assert.deepEqual(store.operations, {
      puts: 2,
      gets: 1,
      lists: 1,
      deletes: 1,
      failures: 0,
      bytesPut: 120,
      bytesGot: 20,
    });
  });

  it('counts a listing once for each page of a thousand objects', async () => {
    const memory = new MemoryStore();
    const object = { bytes: new Uint8Array(1), lastModifiedSeconds: NOW };
    for (let index = 0; index < 2_001; index++) memory.objects.set(`k-${index}`, object);
    const store = watch(memory);
    await store.list('');
    assert.equal(store.operations.lists, 3);
    await store.list('none');
    assert.equal(store.operations.lists, 4);
  });

  it('counts what failed as asked for and failed, and no bytes of it', async () => {
    const memory = new MemoryStore();
    const store = watch(memory);
    memory.failure = 'throttled';
    await assert.rejects(store.put('a', new Uint8Array(100)), failsWith('throttled'));
    await assert.rejects(store.list(''), failsWith('throttled'));
    memory.failure = undefined;
    await assert.rejects(store.get('a'), failsWith('not-found'));
    const { puts, lists, gets, failures, bytesPut } = store.operations;
    assert.deepEqual(
      { puts, lists, gets, failures, bytesPut },
      { puts: 1, lists: 1, gets: 1, failures: 2, bytesPut: 0 },
    );
  });

  it('is timed by kind of call, failures included, and not what its caller gave up', async () => {
    const memory = new MemoryStore();
    let nowMs = 0;
    // Each call lies between two looks at the clock.
    const clock = (): number => (nowMs += 300);
    const store = new WatchedStore(memory, {
      log: memoryLog(),
      nowSeconds: () => NOW,
      monotonicMs: clock,
    });
    await store.put('a', new Uint8Array(100));
    await store.get('a');
    await store.list('');
    await store.delete('a');
    memory.failure = 'throttled';
    await assert.rejects(store.get('a'), failsWith('throttled'));
    memory.failure = 'aborted';
    await assert.rejects(store.get('a'), failsWith('aborted'));
    const { put, get, list, delete: deleted } = store.latency;
    assert.deepEqual(
      [put, get, list, deleted].map(({ total }) => total),
      [1, 2, 1, 1],
    );
    assert.equal(get.sumSeconds, 0.6);
  });

  it('is nothing at all for a save when nothing changed', async () => {
    const store = watch(new MemoryStore());
    const table = swarmTable();
    const saver = makeSaver(store, table);
    fillTable(table, { peers: 100, nowSeconds: NOW });
    assert.equal((await saver.save('schedule')).kind, 'saved');
    const before = { ...store.operations };
    assert.equal(before.puts, 2, 'a part and a manifest');
    assert.equal((await saver.save('schedule')).kind, 'unchanged');
    assert.deepEqual(store.operations, before);
  });
});

function start() {
  const shared = new MemoryStore();
  const log = memoryLog();
  const store = new WatchedStore(shared, { log, nowSeconds: () => NOW, monotonicMs });
  const tryAll = async (): Promise<void> => {
    await store.list('').catch(() => {});
    await store.put('a', Uint8Array.of(1)).catch(() => {});
    await store.get('a').catch(() => {});
  };
  return { shared, log, store, tryAll };
}

describe('a store that is watched', () => {
  it('tells of a loss and of its end once each, however often it is tried', async () => {
    const { shared, log, store, tryAll } = start();
    await tryAll();
    shared.failure = 'unreachable';
    for (let count = 0; count < 3; count++) await tryAll();
    assert.equal(store.failure?.failure, 'unreachable');
    shared.failure = undefined;
    for (let count = 0; count < 3; count++) await tryAll();
    assert.deepEqual([log.messages('error').length, log.messages('info').length], [1, 1]);
    assert.ok(store.isReachable);
    assert.equal(store.failure, undefined);
  });

  it('is lost while it can be read and not written, and tells of it once', async () => {
    const { shared, log, store, tryAll } = start();
    shared.hook = ({ verb }) => {
      shared.failure = verb === 'put' ? 'no-space' : undefined;
    };
    for (let count = 0; count < 3; count++) await tryAll();
    assert.deepEqual([log.messages('error').length, log.messages('info').length], [1, 0]);
    assert.ok(!store.isReachable);
    shared.hook = undefined;
    shared.failure = undefined;
    await tryAll();
    assert.deepEqual(log.messages('info'), ['The store is back.']);
  });

  it('tells of another reason', async () => {
    const { shared, log, tryAll } = start();
    for (const failure of ['unreachable', 'denied', 'denied'] satisfies StoreFailure[]) {
      shared.failure = failure;
      await tryAll();
    }
    assert.equal(log.messages('error').length, 2);
  });
});
