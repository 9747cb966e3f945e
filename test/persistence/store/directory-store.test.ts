import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DirectoryStore } from '../../../src/persistence/store/directory-store.ts';
import { failsWith, nowSeconds } from '../../builders/store.ts';

describe('a directory store', () => {
  let path: string;
  before(async () => {
    path = await mkdtemp(join(tmpdir(), 'trakx-directory-'));
  });
  after(() => rm(path, { recursive: true, force: true }));

  it('never lists what a killed writer left, and sweeps it when it is two hours old', async () => {
    const root = join(path, 'swept');
    await mkdir(join(root, 'a'), { recursive: true });
    await writeFile(join(root, 'a', '.b.12-0.tmp'), 'half');
    await writeFile(join(root, 'a', '.c.12-1.tmp'), 'half');
    const old = nowSeconds() - 3 * 3600;
    await utimes(join(root, 'a', '.c.12-1.tmp'), old, old);
    const store = new DirectoryStore({ path: root, nowSeconds });
    assert.deepEqual(await store.list(''), []);
    assert.deepEqual(await readdir(join(root, 'a')), ['.b.12-0.tmp']);
  });

  it('goes by the clock of its files, which the clock of the tracker may have left', async () => {
    const root = join(path, 'clock');
    let ahead = 1;
    const wallSeconds = (): number => nowSeconds() + ahead;
    const store = new DirectoryStore({ path: root, nowSeconds, wallSeconds });
    assert.equal(store.clockOffsetSeconds, 0);
    ahead = 3 * 3600;
    assert.ok(Math.abs(store.clockOffsetSeconds - ahead) <= 1);
    await mkdir(join(root, 'a'), { recursive: true });
    await writeFile(join(root, 'a', '.b.12-0.tmp'), 'half');
    await store.list('');
    assert.deepEqual(await readdir(join(root, 'a')), [], 'by that clock it is old');
  });

  it('leaves no temporary file behind, neither after a put nor after one that failed', async () => {
    const root = join(path, 'clean');
    const store = new DirectoryStore({ path: root, nowSeconds });
    await store.put('a/b', Uint8Array.of(1));
    await mkdir(join(root, 'a', 'c'));
    await writeFile(join(root, 'a', 'c', 'file'), 'in the way');
    await assert.rejects(store.put('a/c', Uint8Array.of(1)), failsWith('failed'));
    assert.deepEqual((await readdir(join(root, 'a'))).sort(), ['b', 'c']);
  });

  it('takes away the folders that it emptied, but not the first level', async () => {
    const root = join(path, 'folders');
    const store = new DirectoryStore({ path: root, nowSeconds });
    await store.put('a/b/c/d', Uint8Array.of(1));
    await store.put('a/b/e', Uint8Array.of(1));
    await store.delete('a/b/c/d');
    assert.deepEqual(await readdir(join(root, 'a', 'b')), ['e']);
    await store.delete('a/b/e');
    assert.deepEqual(await readdir(root), ['a']);
  });

  it("calls a full disk 'no-space', and leaves nothing of the object", async () => {
    const root = join(path, 'full');
    await mkdir(root);
    // The temporary file that the first put will open is a device that is always full.
    await symlink('/dev/full', join(root, `.a.${process.pid}-0.tmp`));
    const store = new DirectoryStore({ path: root, nowSeconds });
    await assert.rejects(store.put('a', new Uint8Array(100_000)), failsWith('no-space'));
    assert.deepEqual(await readdir(root), []);
    await store.put('a', Uint8Array.of(1));
  });

  it("calls a directory that is gone 'unreachable' at a put, for 'not-found' is no failure of a store", async () => {
    const root = join(path, 'link');
    await symlink(join(path, 'unmounted', 'folder'), root);
    const store = new DirectoryStore({ path: root, nowSeconds });
    assert.deepEqual(await store.list(''), []);
    await assert.rejects(store.put('a/b', Uint8Array.of(1)), failsWith('unreachable'));
    await mkdir(join(path, 'unmounted', 'folder'), { recursive: true });
    await store.put('a/b', Uint8Array.of(1));
    assert.deepEqual(await readdir(join(root, 'a')), ['b']);
  });

  it("calls a directory that it may not write to 'denied'", async () => {
    // Nobody makes folders there, root neither, whether it is mounted read-only or not.
    const store = new DirectoryStore({ path: '/sys/trakx-test', nowSeconds });
    await assert.rejects(store.put('a', Uint8Array.of(1)), failsWith('denied'));
  });
});
