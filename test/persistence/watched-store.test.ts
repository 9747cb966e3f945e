import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoreFailure } from '../../src/persistence/store.ts';
import { WatchedStore } from '../../src/persistence/watched-store.ts';
import { memoryLog } from '../builders/log.ts';
import { MemoryStore } from '../builders/store.ts';
import { NOW } from '../builders/swarm.ts';

function start() {
  const shared = new MemoryStore();
  const log = memoryLog();
  const store = new WatchedStore(shared, { log, nowSeconds: () => NOW });
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
    assert.match(store.failure ?? '', /unreachable/);
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
