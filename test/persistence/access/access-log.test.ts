import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Access, type ListName } from '../../../src/access/access.ts';
import {
  AccessLog,
  type AccessLogOptions,
  CHANGE_HASHES_MAX,
} from '../../../src/persistence/access/access-log.ts';
import { HeaderAt, ObjectKind } from '../../../src/persistence/format/object-format.ts';
import { NewerObjects } from '../../../src/persistence/listing/newer-objects.ts';
import { OBJECT_BYTES_MAX, type Store, StoreError } from '../../../src/persistence/store/store.ts';
import { asVersion, flipBit } from '../../builders/damage.ts';
import { noKeys } from '../../builders/keys.ts';
import { memoryLog } from '../../builders/log.ts';
import { MemoryStore, type StoreDriver, storeDrivers } from '../../builders/store.ts';
import { HASH_KEY, infoHash, NOW } from '../../builders/swarm.ts';

const REASON = 'asked for by its owner';
let boots = 0;

function makeAccess(mode: 'open' | 'allowlist' = 'open', hashesMax = 1_000_000): Access {
  return new Access({
    mode,
    hashKey: HASH_KEY,
    bannedByEnvironment: [infoHash(900)],
    allowedByEnvironment: [infoHash(901)],
    hashesMax,
  });
}

function makeLog(store: Store, access: Access, options: Partial<AccessLogOptions> = {}): AccessLog {
  return new AccessLog({
    store,
    access,
    keys: noKeys(),
    boot: `boot${String(boots++).padStart(4, '0')}`,
    dropSwarm: () => {},
    nowSeconds: () => NOW,
    monotonicMs: () => performance.now(),
    log: memoryLog(),
    retryMs: 1,
    ...options,
  });
}

const change = (list: ListName, isListed: boolean, ...hashes: number[]) => ({
  list,
  isListed,
  hashes: hashes.map(infoHash),
  reason: REASON,
});

/** What a tracker that starts now knows. */
async function startedAnew(store: Store, options: Partial<AccessLogOptions> = {}): Promise<Access> {
  const access = makeAccess();
  const log = makeLog(store, access, options);
  assert.equal(await log.load(new AbortController().signal), true);
  await log.close(new AbortController().signal);
  return access;
}

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A clock by which every step uses up its slice, so that other work comes between any two. */
function tickingClock(): () => number {
  let ms = 0;
  return () => ms++;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

for (const { name, start } of storeDrivers) {
  describe(`the access log (${name})`, () => {
    let driver: StoreDriver;
    before(async () => {
      driver = await start();
    });
    after(() => driver.close());

    it('keeps bans, their reasons and times, and their removal over a restart', async () => {
      const store = await driver.open();
      const access = makeAccess();
      const log = makeLog(store, access);
      await log.load(new AbortController().signal);
      assert.deepEqual(await log.change(change('bans', true, 1, 2, 3)), { kind: 'stored', atSeconds: NOW });
      const removed = await log.change(change('bans', false, 2));
      assert.deepEqual(removed, { kind: 'stored', atSeconds: NOW + 1 }, 'later than what it removes');
      await log.change(change('allowed', true, 4));
      const again = await startedAnew(store);
      assert.deepEqual(
        [1, 2, 3].map((hash) => again.bans.has(infoHash(hash))),
        [true, false, true],
      );
      assert.deepEqual(again.bans.find(infoHash(1)), {
        infoHash: infoHash(1),
        isListed: true,
        atSeconds: NOW,
        reason: REASON,
      });
      assert.ok(again.allowed.has(infoHash(4)));
    });

    it('folds more than a hundred objects into one, and loses nothing by it', async () => {
      const store = await driver.open();
      const access = makeAccess();
      const lines = memoryLog();
      const log = makeLog(store, access, { log: lines });
      await log.load(new AbortController().signal);
      for (let hash = 0; hash < 100; hash++) await log.change(change('bans', true, hash));
      assert.equal((await store.list('access/')).length, 100);
      await log.change(change('bans', false, 7));
      await until(() => lines.messages('info').includes('Folded the access log.'));
      assert.equal((await store.list('access/')).length, 1);
      const again = await startedAnew(store);
      assert.equal(again.bans.size, 99);
      assert.equal(again.bans.find(infoHash(7))?.isListed, false, 'the removal is kept');
    });
  });
}

describe('the access log, when the store is down', () => {
  it('enforces a ban at once, says that it is not stored, and stores it when the store is back', async () => {
    const store = new MemoryStore();
    const dropped: string[] = [];
    const access = makeAccess();
    const log = makeLog(store, access, {
      dropSwarm: (hash) => dropped.push(Buffer.from(hash).toString('hex')),
    });
    await log.load(new AbortController().signal);
    store.failure = 'unreachable';
    assert.deepEqual(await log.change(change('bans', true, 1)), { kind: 'enforced', atSeconds: NOW });
    assert.ok(access.bans.has(infoHash(1)));
    assert.equal(dropped.length, 1);
    assert.equal(log.waiting, 1);
    store.failure = undefined;
    await until(() => log.waiting === 0);
    assert.ok((await startedAnew(store)).bans.has(infoHash(1)));
    const keys = store.calls.filter(({ verb }) => verb === 'put').map(({ key }) => key);
    assert.equal(new Set(keys).size, 1, 'every try was under the same key');
  });

  it('does not make an unban: it is neither in force nor stored, and what may have been put is withdrawn', async () => {
    const store = new MemoryStore();
    const access = makeAccess();
    const log = makeLog(store, access);
    await log.load(new AbortController().signal);
    await log.change(change('bans', true, 1));
    // The put happens, but its answer is lost.
    const { put } = store;
    let puts = 0;
    store.put = async function (this: MemoryStore, key, bytes, signal) {
      await put.call(this, key, bytes, signal);
      puts += 1;
      this.failure = 'timed-out';
      await this.list('');
    };
    assert.deepEqual(await log.change(change('bans', false, 1)), { kind: 'not-stored' });
    assert.equal(puts, 1);
    assert.ok(access.bans.has(infoHash(1)));
    store.put = put;
    store.failure = undefined;
    await until(() => store.keys().length === 1);
    assert.ok((await startedAnew(store)).bans.has(infoHash(1)), 'also after a restart');
  });

  it('stores further changes though one that was not made cannot be withdrawn', async () => {
    const store = new MemoryStore();
    const lines = memoryLog();
    const log = makeLog(store, makeAccess(), { log: lines });
    await log.load(new AbortController().signal);
    await log.change(change('bans', true, 1));
    store.hook = ({ verb }) => {
      store.failure = verb === 'delete' ? 'denied' : verb === 'put' ? 'timed-out' : undefined;
    };
    assert.equal((await log.change(change('bans', false, 1))).kind, 'not-stored');
    store.hook = ({ verb }) => {
      store.failure = verb === 'delete' ? 'denied' : undefined;
    };
    assert.equal((await log.change(change('bans', true, 2))).kind, 'stored');
    assert.equal((await log.change(change('bans', false, 2))).kind, 'stored');
    await log.close(AbortSignal.timeout(20));
    assert.match(lines.messages('error').at(-1) ?? '', /may be stored all the same/);
  });

  it('withdraws nothing that the store refused, for then nothing was put', async () => {
    for (const failure of ['denied', 'no-bucket'] as const) {
      const store = new MemoryStore();
      const log = makeLog(store, makeAccess());
      store.failure = failure;
      assert.equal((await log.change(change('bans', false, 1))).kind, 'not-stored');
      await log.close(new AbortController().signal);
      assert.deepEqual(
        store.calls.map(({ verb }) => verb),
        ['put'],
      );
    }
  });

  it('treats the end of a permission as a ban, and a permission as an unban', async () => {
    const store = new MemoryStore();
    const dropped: Uint8Array[] = [];
    const access = makeAccess('allowlist');
    const log = makeLog(store, access, { dropSwarm: (hash) => dropped.push(hash) });
    await log.load(new AbortController().signal);
    await log.change(change('allowed', true, 1));
    assert.ok(access.isServed(infoHash(1)));
    store.failure = 'denied';
    assert.equal((await log.change(change('allowed', true, 2))).kind, 'not-stored');
    assert.ok(!access.isServed(infoHash(2)));
    assert.equal((await log.change(change('allowed', false, 1))).kind, 'enforced');
    assert.ok(!access.isServed(infoHash(1)));
    assert.deepEqual(dropped, [infoHash(1)]);
    await log.close(AbortSignal.abort());
  });

  it('answers within its limit when the store never does', async () => {
    const store = new MemoryStore();
    const log = makeLog(store, makeAccess(), { changeMsMax: 30, retryMs: 60_000 });
    await log.load(new AbortController().signal);
    const keepsAlive = setInterval(() => {}, 1_000);
    store.hook = (_, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          store.failure = 'timed-out';
          store.hook = undefined;
          reject(Object.assign(new Error('held'), { name: 'held' }));
        });
      }).catch(() => {}) as Promise<void>;
    const outcomes = await Promise.all([
      log.change(change('bans', true, 1)),
      log.change(change('bans', false, 2)),
    ]);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['enforced', 'not-stored'],
    );
    clearInterval(keepsAlive);
    await log.close(AbortSignal.abort());
  });

  it('answers when a put takes long, and lets the put go on', async () => {
    const store = new MemoryStore();
    const log = makeLog(store, makeAccess(), { changeMsMax: 20 });
    await log.load(new AbortController().signal);
    const { opened, open } = gate();
    store.hook = ({ verb }) => (verb === 'put' ? opened : undefined);
    const keepsAlive = setInterval(() => {}, 1_000);
    assert.equal((await log.change(change('bans', true, 1))).kind, 'enforced');
    clearInterval(keepsAlive);
    open();
    await until(() => log.waiting === 0);
    assert.equal(store.calls.filter(({ verb }) => verb === 'put').length, 1);
    assert.ok((await startedAnew(store)).bans.has(infoHash(1)));
  });

  it('tries what is behind a change that took too long, and that one again after them', async () => {
    const store = new MemoryStore();
    const log = makeLog(store, makeAccess());
    await log.load(new AbortController().signal);
    let isSlow = true;
    store.hook = ({ verb, key }) => {
      store.failure = verb === 'put' && key.endsWith('0000000001') && isSlow ? 'timed-out' : undefined;
    };
    const outcomes = await Promise.all([
      log.change(change('bans', true, 1)),
      log.change(change('bans', true, 2)),
      log.change(change('allowed', true, 3)),
    ]);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['enforced', 'stored', 'stored'],
    );
    isSlow = false;
    await until(() => log.waiting === 0);
    assert.ok((await startedAnew(store)).bans.has(infoHash(1)));
  });

  it('gives up what was not tried in time, and never makes it later', async () => {
    const store = new MemoryStore();
    const access = makeAccess();
    const log = makeLog(store, access, { changeMsMax: 20 });
    await log.load(new AbortController().signal);
    const { opened, open } = gate();
    store.hook = ({ verb }) => (verb === 'put' ? opened : undefined);
    const keepsAlive = setInterval(() => {}, 1_000);
    const outcomes = await Promise.all([
      log.change(change('bans', true, 1)),
      log.change(change('allowed', true, 2)),
    ]);
    clearInterval(keepsAlive);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['enforced', 'not-stored'],
    );
    open();
    await log.close(new AbortController().signal);
    assert.equal(store.keys().length, 1);
    assert.ok(!access.allowed.has(infoHash(2)));
  });

  it('stores at shutdown what waits, and says what it could not', async () => {
    const store = new MemoryStore();
    const lines = memoryLog();
    const log = makeLog(store, makeAccess(), { retryMs: 60_000, log: lines });
    await log.load(new AbortController().signal);
    store.failure = 'unreachable';
    await log.change(change('bans', true, 1));
    store.failure = undefined;
    await log.close(new AbortController().signal);
    assert.ok((await startedAnew(store)).bans.has(infoHash(1)));

    const lost = makeLog(store, makeAccess(), { retryMs: 60_000, log: lines });
    store.failure = 'unreachable';
    await lost.change(change('bans', true, 2));
    await lost.close(AbortSignal.timeout(20));
    assert.match(lines.messages('error').at(-1) ?? '', /lost/);
  });

  it('is read later: open trackers serve till then, loudly, and banned swarms go when it has been read', async () => {
    const store = new MemoryStore();
    await makeLog(store, makeAccess()).change(change('bans', true, 1));
    store.failure = 'unreachable';
    const access = makeAccess();
    const lines = memoryLog();
    const dropped: Uint8Array[] = [];
    const log = makeLog(store, access, { log: lines, dropSwarm: (hash) => dropped.push(hash) });
    assert.equal(await log.load(AbortSignal.timeout(5)), false);
    assert.ok(access.isServed(infoHash(1)));
    assert.ok(!access.isServed(infoHash(900)), 'BANNED_HASHES always holds');
    assert.ok(lines.messages('error').some((message) => /NOT in force/.test(message)));
    store.failure = undefined;
    await log.whenLoaded;
    assert.ok(!access.isServed(infoHash(1)));
    assert.deepEqual(dropped, [infoHash(1)]);
  });
});

describe('the access log', () => {
  it('refuses more hashes than one change may have, and removals that only the environment can make', async () => {
    const store = new MemoryStore();
    const log = makeLog(store, makeAccess());
    const many = { ...change('bans', true), hashes: new Array(CHANGE_HASHES_MAX + 1).fill(infoHash(1)) };
    assert.deepEqual(await log.change(many), { kind: 'too-many', hashesMax: 400_000 });
    assert.deepEqual(await log.change(change('bans', false, 5, 900)), {
      kind: 'by-environment',
      infoHash: infoHash(900),
      variable: 'BANNED_HASHES',
    });
    const allowed = await log.change(change('allowed', false, 901));
    assert.equal(allowed.kind === 'by-environment' && allowed.variable, 'ALLOWED_HASHES');
    assert.deepEqual(store.keys(), []);
  });

  it('takes 300,000 bans in one change, as one object, and reads them back', async () => {
    const store = new MemoryStore();
    const access = makeAccess();
    const log = makeLog(store, access);
    const hashes = Array.from({ length: 300_000 }, (_, index) => infoHash(index));
    assert.equal((await log.change({ list: 'bans', isListed: true, hashes, reason: REASON })).kind, 'stored');
    assert.equal(store.keys().length, 1);
    assert.equal((await startedAnew(store)).bans.size, 300_000);
  });

  it('gives each change of a hash a later time than the one before, also when the clock stands or goes back', async () => {
    const store = new MemoryStore();
    const access = makeAccess();
    let now = NOW;
    const log = makeLog(store, access, { nowSeconds: () => now });
    await log.change(change('bans', true, 1));
    await log.change(change('bans', false, 1));
    now -= 1_000;
    await log.change(change('bans', true, 1));
    const last = await log.change(change('bans', false, 1));
    assert.equal(last.kind === 'stored' && last.atSeconds, NOW + 3);
    assert.equal((await startedAnew(store)).bans.has(infoHash(1)), false);
  });

  it('lists again when another tracker folded objects away while it read', async () => {
    const store = new MemoryStore();
    const writer = makeLog(store, makeAccess(), { foldObjectsMin: 1_000 });
    for (let hash = 0; hash < 5; hash++) await writer.change(change('bans', true, hash));
    const folded = new MemoryStore();
    const all = makeLog(folded, makeAccess());
    await all.change(change('bans', true, 0, 1, 2, 3, 4));
    let isFolded = false;
    store.hook = ({ verb }) => {
      if (verb !== 'get' || isFolded) return;
      isFolded = true;
      store.objects.clear();
      for (const [key, object] of folded.objects) store.objects.set(key, object);
    };
    assert.equal((await startedAnew(store)).bans.size, 5);
  });

  it('deletes what it folded only once the fold is stored, and nothing that it did not read', async () => {
    const store = new MemoryStore();
    const other = makeLog(store, makeAccess(), { foldObjectsMin: 1_000 });
    const access = makeAccess();
    const lines = memoryLog();
    const log = makeLog(store, access, { foldObjectsMin: 3, log: lines });
    await log.load(new AbortController().signal);
    let late: Promise<unknown> | undefined;
    store.hook = ({ verb }) => {
      // Another tracker's change comes after the last listing and before the fold is put.
      if (verb === 'put' && access.bans.size === 3 && late === undefined)
        late = other.change(change('bans', true, 50));
    };
    for (let hash = 0; hash < 3; hash++) await log.change(change('bans', true, hash));
    await until(() => lines.messages('info').includes('Folded the access log.'));
    await late;
    const verbs = store.calls.map(({ verb }) => verb);
    assert.ok(verbs.lastIndexOf('put') < verbs.indexOf('delete') || late !== undefined);
    const again = await startedAnew(store, { foldObjectsMin: 1_000 });
    assert.deepEqual(
      [0, 1, 2, 50].map((hash) => again.bans.has(infoHash(hash))),
      [true, true, true, true],
    );
  });

  it('loses nothing of a removal that a fold meets half in force', async () => {
    const store = new MemoryStore();
    const access = makeAccess();
    const lines = memoryLog();
    const log = makeLog(store, access, { foldObjectsMin: 2, log: lines, monotonicMs: tickingClock() });
    await log.load(new AbortController().signal);
    const hashes = Array.from({ length: 5_000 }, (_, index) => infoHash(1_000 + index));
    await log.change({ list: 'bans', isListed: true, hashes, reason: REASON });
    const { opened, open } = gate();
    store.hook = ({ verb }) => (verb === 'list' ? opened : undefined);
    await log.change(change('bans', true, 9_999)); // begins the fold, which waits for its listing
    const { put } = store;
    store.put = async function (this: MemoryStore, ...given) {
      await put.apply(this, given);
      setImmediate(open); // now the removal is stored, and comes into force from the last hash to the first
    };
    await log.change({ list: 'bans', isListed: false, hashes: hashes.toReversed(), reason: REASON });
    await until(() => lines.messages('info').includes('Folded the access log.'));
    assert.equal(access.bans.size, 1);
    assert.equal((await startedAnew(store)).bans.size, 1);
  });

  it('does not make a removal after all because a fold finds what is left of it in the store', async () => {
    const store = new MemoryStore();
    const access = makeAccess();
    const lines = memoryLog();
    const log = makeLog(store, access, { foldObjectsMin: 2, log: lines });
    await log.load(new AbortController().signal);
    const { opened, open } = gate();
    await log.change(change('bans', true, 1));
    store.hook = ({ verb }) => (verb === 'list' ? opened : undefined);
    await log.change(change('bans', true, 2));
    const { put } = store;
    store.put = async function (this: MemoryStore, ...given) {
      await put.apply(this, given);
      this.put = put;
      this.hook = ({ verb }) => {
        if (verb === 'delete') throw new StoreError('denied', 'no deletes');
      };
      throw new StoreError('timed-out', 'the answer is lost');
    };
    assert.equal((await log.change(change('bans', false, 1))).kind, 'not-stored');
    assert.equal(store.keys().length, 3);
    open();
    await until(() => lines.messages('warn').some((message) => /folded/.test(message)));
    assert.ok(access.bans.has(infoHash(1)));
    await log.close(AbortSignal.abort());
  });

  it('warns once that it cannot fold, and folds when it can', async () => {
    const store = new MemoryStore();
    const lines = memoryLog();
    const log = makeLog(store, makeAccess(), { foldObjectsMin: 2, log: lines });
    await log.load(new AbortController().signal);
    store.hook = ({ verb }) => {
      store.failure = verb === 'list' ? 'denied' : undefined;
    };
    const lists = (): number => store.calls.filter(({ verb }) => verb === 'list').length;
    for (let hash = 0; hash < 5; hash++) {
      const before = lists();
      await log.change(change('bans', true, hash));
      if (hash > 0) await until(() => lists() > before);
    }
    assert.equal(lines.messages('warn').length, 1);
    store.hook = undefined;
    store.failure = undefined;
    await log.change(change('bans', true, 6));
    await until(() => lines.messages('info').includes('Folded the access log.'));
  });

  it('folds much into several objects, none of them large, and loses nothing by it', async () => {
    const store = new MemoryStore();
    const lines = memoryLog();
    const log = makeLog(store, makeAccess(), { foldObjectsMin: 2, foldBytesMax: 20_000, log: lines });
    await log.load(new AbortController().signal);
    const hashes = Array.from({ length: 20_000 }, (_, index) => infoHash(index));
    await log.change({ list: 'bans', isListed: true, hashes, reason: REASON });
    await log.change({ list: 'allowed', isListed: true, hashes, reason: REASON });
    await until(() => lines.messages('info').includes('Folded the access log.'));
    const sizes = (await store.list('access/')).map(({ sizeBytes }) => sizeBytes);
    assert.ok(sizes.length > 2 && Math.max(...sizes) < 40_000, `${sizes}`);
    const again = await startedAnew(store, { foldObjectsMin: 1_000 });
    assert.deepEqual([again.bans.size, again.allowed.size], [20_000, 20_000]);
  });

  it('keeps removals for 30 days and forgets them at the first fold after', async () => {
    const store = new MemoryStore();
    const writer = makeLog(store, makeAccess(), {
      foldObjectsMin: 1_000,
      nowSeconds: () => NOW - 31 * 86_400,
    });
    await writer.change(change('bans', true, 1));
    await writer.change(change('bans', false, 1));
    await makeLog(store, makeAccess(), { foldObjectsMin: 1_000 }).change(change('bans', false, 2));
    const lines = memoryLog();
    const log = makeLog(store, makeAccess(), { foldObjectsMin: 2, log: lines });
    await log.load(new AbortController().signal);
    await until(() => lines.messages('info').includes('Folded the access log.'));
    const again = await startedAnew(store);
    assert.equal(again.bans.find(infoHash(1)), undefined);
    assert.equal(again.bans.find(infoHash(2))?.isListed, false);
  });

  it('keeps removals for longer while a damaged object is there, which may hold what they removed', async () => {
    const store = new MemoryStore();
    const nowSeconds = (): number => NOW - 31 * 86_400;
    const writer = makeLog(store, makeAccess(), { foldObjectsMin: 1_000, nowSeconds });
    await writer.change(change('bans', true, 1));
    await writer.change(change('bans', false, 1));
    await writer.change(change('bans', true, 2));
    const [ban] = store.keys();
    const bytes = flipBit(await store.get(ban!), HeaderAt.reserved);
    store.objects.set(ban!, { bytes, lastModifiedSeconds: NOW });
    const lines = memoryLog();
    const log = makeLog(store, makeAccess(), { foldObjectsMin: 2, log: lines });
    await log.load(new AbortController().signal);
    await until(() => lines.messages('info').includes('Folded the access log.'));
    const again = await startedAnew(store);
    assert.deepEqual([again.bans.has(infoHash(1)), again.bans.has(infoHash(2))], [false, true]);
  });

  it('takes an object that is listed three times and never there for damaged, and says so', async () => {
    const store = new MemoryStore();
    await makeLog(store, makeAccess()).change(change('bans', true, 1));
    store.list = async function (this: MemoryStore, prefix) {
      const listed = await MemoryStore.prototype.list.call(this, prefix);
      return [...listed, { key: 'access/bootgone/0000000001', sizeBytes: 100, lastModifiedSeconds: NOW }];
    };
    store.calls.length = 0;
    const lines = memoryLog();
    assert.ok((await startedAnew(store, { log: lines })).bans.has(infoHash(1)));
    assert.equal(store.calls.filter(({ verb }) => verb === 'list').length, 3);
    assert.equal(lines.messages('error').length, 1);
    assert.match(JSON.stringify(lines.lines), /listed and not there/);
  });

  it('does not read an object that is larger than any it writes', async () => {
    const store = new MemoryStore();
    await makeLog(store, makeAccess()).change(change('bans', true, 1));
    const large = { key: 'access/bootlarge/0000000001', sizeBytes: OBJECT_BYTES_MAX + 1 };
    store.list = async function (this: MemoryStore, prefix) {
      return [
        ...(await MemoryStore.prototype.list.call(this, prefix)),
        { ...large, lastModifiedSeconds: NOW },
      ];
    };
    const lines = memoryLog();
    assert.ok((await startedAnew(store, { log: lines })).bans.has(infoHash(1)));
    assert.ok(!store.calls.some(({ verb, key }) => verb === 'get' && key === large.key));
    assert.equal(lines.messages('error').length, 1);
  });

  it('folds nothing once an object of a later version was met anywhere in the store', async () => {
    const store = new MemoryStore();
    const newer = new NewerObjects();
    const log = makeLog(store, makeAccess(), { foldObjectsMin: 2, newer });
    await log.load(new AbortController().signal);
    newer.add('snapshots/0000000001-bootlater/');
    for (let hash = 0; hash < 5; hash++) await log.change(change('bans', true, hash));
    await log.close(new AbortController().signal);
    assert.equal(store.keys().length, 5);
  });

  it('refuses at once what its list has no room for beside the changes on their way, and only that', async () => {
    for (const list of ['bans', 'allowed'] as const) {
      const access = makeAccess('open', 3);
      const log = makeLog(new MemoryStore(), access);
      await log.load(new AbortController().signal);
      const outcomes = await Promise.all([
        log.change(change(list, true, 1, 2)),
        log.change(change(list, true, 3, 4)),
        log.change(change(list, true, 5)),
      ]);
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        ['stored', 'full', 'stored'],
      );
      assert.equal((await log.change(change(list, true, 6))).kind, 'full');
      assert.equal((await log.change(change(list, false, 1))).kind, 'stored', 'it is known');
      assert.equal(access[list].size, 2);
    }
  });

  it('uses what is valid of damaged objects, leaves them, and folds nothing beside a later version', async () => {
    const store = new MemoryStore();
    const writer = makeLog(store, makeAccess(), { foldObjectsMin: 1_000 });
    await writer.change(change('bans', true, 1));
    const hashes = Array.from({ length: 3_000 }, (_, index) => infoHash(1_000 + index));
    await writer.change({ list: 'bans', isListed: true, hashes, reason: REASON });
    await writer.change(change('bans', true, 2));
    const [, large, small] = store.keys('access/');
    const spoil = (key: string, bytes: Uint8Array): void =>
      void store.objects.set(key, { bytes, lastModifiedSeconds: NOW });
    spoil(large!, flipBit(await store.get(large!), 150));
    const lines = memoryLog();
    const access = makeAccess();
    const log = makeLog(store, access, { foldObjectsMin: 2, log: lines });
    await log.load(new AbortController().signal);
    await until(() => lines.messages('info').includes('Folded the access log.'));
    assert.ok(access.bans.size > 1_000 && access.bans.size < 3_002, `${access.bans.size}`);
    assert.equal(store.keys().length, 2);
    assert.ok(store.keys().includes(large!) && !store.keys().includes(small!), 'the damaged object stays');
    assert.equal(lines.messages('error').length, 1);

    spoil('access/bootlater/0000000001', asVersion(await store.get(large!), ObjectKind.accessChange, 2));
    const later = makeLog(store, makeAccess(), { foldObjectsMin: 1, log: lines });
    await later.load(new AbortController().signal);
    assert.equal(lines.messages('warn').length, 1);
    await later.change(change('bans', true, 3));
    await later.close(new AbortController().signal);
    assert.equal(store.keys().length, 4, 'nothing is folded or deleted');
  });
});
