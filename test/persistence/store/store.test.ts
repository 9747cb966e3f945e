import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Store } from '../../../src/persistence/store/store.ts';
import { failsWith, type StoreDriver, storeDrivers } from '../../builders/store.ts';

for (const { name, start } of storeDrivers) {
  describe(`a store (${name})`, () => {
    let driver: StoreDriver;
    let store: Store;
    before(async () => {
      driver = await start();
    });
    after(() => driver.close());

    it('gives back what was put, byte for byte, also nothing and a megabyte', async () => {
      store = await driver.open();
      for (const bytes of [
        new Uint8Array(0),
        Uint8Array.of(0, 255, 10, 13),
        new Uint8Array(1 << 20).fill(7),
      ]) {
        await store.put(`a/${bytes.length}`, bytes);
        assert.deepEqual(Buffer.from(await store.get(`a/${bytes.length}`)), Buffer.from(bytes));
      }
    });

    it('has nothing in it at first, and an empty listing is no error', async () => {
      store = await driver.open();
      assert.deepEqual(await store.list(''), []);
      assert.deepEqual(await store.list('snapshots/'), []);
    });

    it('says not-found of an object that is not there', async () => {
      store = await driver.open();
      await assert.rejects(store.get('a/b'), failsWith('not-found'));
      await store.put('a/b', Uint8Array.of(1));
      await assert.rejects(store.get('a/c'), failsWith('not-found'));
    });

    it('lists what begins with the prefix, in byte order, with sizes and times', async () => {
      store = await driver.open();
      for (const key of ['b/2', 'a/b/10', 'a/b/1', 'a/b-c', 'a/bc/1', 'B'])
        await store.put(key, Buffer.from(key));
      const keys = async (prefix: string) => (await store.list(prefix)).map((object) => object.key);
      assert.deepEqual(await keys(''), ['B', 'a/b-c', 'a/b/1', 'a/b/10', 'a/bc/1', 'b/2']);
      assert.deepEqual(await keys('a/'), ['a/b-c', 'a/b/1', 'a/b/10', 'a/bc/1']);
      assert.deepEqual(await keys('a/b'), ['a/b-c', 'a/b/1', 'a/b/10', 'a/bc/1']);
      assert.deepEqual(await keys('a/b/'), ['a/b/1', 'a/b/10']);
      assert.deepEqual(await keys('a/b/1'), ['a/b/1', 'a/b/10']);
      assert.deepEqual(await keys('c'), []);
      const [object] = await store.list('a/b/10');
      assert.equal(object!.sizeBytes, 6);
      assert.ok(Math.abs(object!.lastModifiedSeconds - Date.now() / 1000) < 600);
    });

    it('shows a delete at once, and is content to delete what is not there', async () => {
      store = await driver.open();
      await store.put('a/b/c', Uint8Array.of(1));
      await store.put('a/d', Uint8Array.of(1));
      await store.delete('a/b/c');
      await store.delete('a/b/c');
      assert.deepEqual(
        (await store.list('')).map((object) => object.key),
        ['a/d'],
      );
      await assert.rejects(store.get('a/b/c'), failsWith('not-found'));
      await store.put('a/b/c', Uint8Array.of(2));
      assert.deepEqual([...(await store.get('a/b/c'))], [2]);
    });

    it('takes the same bytes under the same key again', async () => {
      store = await driver.open();
      await Promise.all([store.put('a', Uint8Array.of(1, 2)), store.put('a', Uint8Array.of(1, 2))]);
      assert.deepEqual([...(await store.get('a'))], [1, 2]);
    });

    it('does not keep the bytes given to put', async () => {
      store = await driver.open();
      const bytes = new Uint8Array(300_000).fill(1);
      await store.put('a', bytes);
      bytes.fill(2);
      assert.ok((await store.get('a')).every((byte) => byte === 1));
    });

    it('refuses keys that could leave the store', async () => {
      store = await driver.open();
      for (const key of [
        '',
        '/a',
        'a/',
        'a//b',
        '../a',
        'a/../b',
        '.a',
        'a/.b',
        'a\\b',
        'a\0',
        'ä',
        'a b',
        'x'.repeat(2000),
      ]) {
        await assert.rejects(async () => store.put(key, new Uint8Array(1)), RangeError, key);
        await assert.rejects(async () => store.get(key), RangeError, key);
        await assert.rejects(async () => store.delete(key), RangeError, key);
      }
    });

    it('ends every call when the signal fires before it', async () => {
      store = await driver.open();
      const signal = AbortSignal.abort();
      await assert.rejects(store.put('a', new Uint8Array(1), signal), failsWith('aborted'));
      await assert.rejects(store.get('a', signal), failsWith('aborted'));
      await assert.rejects(store.list('', signal), failsWith('aborted'));
      await assert.rejects(store.delete('a', signal), failsWith('aborted'));
    });

    it('lists more than a page of a thousand', async () => {
      store = await driver.open();
      const keys = Array.from({ length: 1_010 }, (_, index) => `many/${String(index).padStart(5, '0')}`);
      for (let at = 0; at < keys.length; at += 20) {
        await Promise.all(keys.slice(at, at + 20).map((key) => store.put(key, new Uint8Array(1))));
      }
      assert.deepEqual(
        (await store.list('many/')).map((object) => object.key),
        keys,
      );
    });
  });
}
