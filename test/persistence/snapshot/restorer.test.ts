import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreError } from '../../../src/persistence/store/store.ts';
import { UniqueAddresses } from '../../../src/stats/unique-addresses.ts';
import { IPV4, LEECHER, SEEDER } from '../../../src/swarm/record.ts';
import { memoryLog } from '../../builders/log.ts';
import { contents, fillTable } from '../../builders/saved-swarms.ts';
import { makeRestorer, makeSaver, restore } from '../../builders/snapshots.ts';
import { MemoryStore } from '../../builders/store.ts';
import { endpoint, infoHash, NOW, peerId, swarmTable } from '../../builders/swarm.ts';

const HASH = infoHash(1);

async function storeWith(peers: number): Promise<MemoryStore> {
  const store = new MemoryStore();
  const table = swarmTable();
  fillTable(table, { peers, nowSeconds: NOW });
  await makeSaver(store, table).save('schedule');
  return store;
}

describe('a restore', () => {
  it('does not settle while the store fails, tries on, and tells the log once', async () => {
    const store = await storeWith(100);
    for (const failure of ['denied', 'timed-out', 'unreachable'] as const) {
      store.failure = failure;
      let tries = 0;
      store.hook = () => {
        tries += 1;
        if (tries === 4) store.failure = undefined;
      };
      const log = memoryLog();
      const table = swarmTable();
      const restorer = makeRestorer(store, table, { log });
      const running = restorer.run(new AbortController().signal);
      assert.equal(restorer.isSettled, false);
      await running;
      assert.ok(restorer.isSettled);
      assert.ok(tries >= 4);
      assert.equal(table.peers, 100);
      assert.equal(log.messages('error').length, 1);
    }
  });

  it('does not settle when one part cannot be read, and gives what came before to the table', async () => {
    const store = await storeWith(100);
    store.hook = ({ key }) => {
      store.failure = key.includes('part-') ? 'denied' : undefined;
    };
    const controller = new AbortController();
    const restorer = makeRestorer(store, swarmTable());
    const running = restorer.run(controller.signal);
    while (restorer.progress.phase !== 'failing') await new Promise((resolve) => setImmediate(resolve));
    assert.match(restorer.progress.lastError?.message ?? '', /denied/);
    controller.abort();
    await running;
    assert.equal(restorer.isSettled, false);
  });

  it('looks again when another tracker rotated a snapshot away under its hands', async () => {
    const store = await storeWith(100);
    let isGone = false;
    store.hook = ({ verb, key }) => {
      if (verb !== 'get' || !key.includes('part-') || isGone) return;
      isGone = true;
      store.objects.clear();
    };
    const table = swarmTable();
    const restorer = await restore(store, table);
    assert.ok(restorer.isSettled);
    assert.equal(table.peers, 0);
  });

  it('takes for damaged what three listings name and what is never there, says so, and settles', async () => {
    for (const gone of ['manifest', 'part-00000']) {
      const store = await storeWith(100);
      const later = await storeWith(100);
      for (const [key, object] of later.objects)
        store.objects.set(key.replace('0000000001', '0000000002'), object);
      const key = `snapshots/0000000002-boot0001/${gone}`;
      store.get = async function (this: MemoryStore, asked, signal) {
        if (asked === key) throw new StoreError('not-found', `no ${key}`);
        return MemoryStore.prototype.get.call(this, asked, signal);
      };
      store.calls.length = 0;
      const log = memoryLog();
      const table = swarmTable();
      const restorer = await restore(store, table, { log });
      assert.equal(restorer.progress.snapshot, 'snapshots/0000000001-boot0001/');
      assert.equal(table.peers, 100);
      assert.equal(store.calls.filter((call) => call.verb === 'list' && call.key === 'snapshots/').length, 3);
      assert.match(log.messages('error')[0] ?? '', /damaged/);
      assert.equal(log.messages('info').filter((message) => /looking again/.test(message)).length, 2);
    }
  });

  it('does not read an object that is larger than any it writes, and takes its snapshot for damaged', async () => {
    for (const large of ['manifest', 'part-00000']) {
      const store = await storeWith(100);
      const key = `snapshots/0000000002-boot0001/${large}`;
      store.list = async function (this: MemoryStore, prefix) {
        const listed = await MemoryStore.prototype.list.call(this, prefix);
        const other = `snapshots/0000000002-boot0001/${large === 'manifest' ? 'part-00000' : 'manifest'}`;
        const object = { sizeBytes: 100, lastModifiedSeconds: 0 };
        return [...listed, { ...object, key, sizeBytes: 100 * 2 ** 20 }, { ...object, key: other }];
      };
      store.hook = (call) => {
        if (call.key === key) throw new Error('it was read');
      };
      const restorer = makeRestorer(store, swarmTable());
      await restorer.run(new AbortController().signal);
      assert.equal(restorer.progress.snapshot, 'snapshots/0000000001-boot0001/');
      assert.deepEqual(restorer.progress.damaged, ['snapshots/0000000002-boot0001/']);
      // Nor does the retention read or delete anything of it, however old it is.
      const changed = swarmTable();
      fillTable(changed, { peers: 5, nowSeconds: NOW });
      store.calls.length = 0;
      await makeSaver(store, changed, { boot: 'boot0009', keep: 1 }).save('schedule');
      assert.ok(
        !store.calls.some(({ verb, key: asked }) => verb === 'delete' && asked.includes('0000000002')),
      );
    }
  });

  it('lets live announces win, and adds saved completions to those heard since the start', async () => {
    const store = new MemoryStore();
    const before = swarmTable();
    const slot = before.open(HASH, NOW);
    before.sight(slot, IPV4, endpoint(0, 1), peerId(1), LEECHER, false, NOW);
    before.sight(slot, IPV4, endpoint(0, 2), peerId(2), SEEDER, true, NOW);
    await makeSaver(store, before).save('schedule');

    const table = swarmTable();
    table.sight(table.open(HASH, NOW), IPV4, endpoint(0, 1), peerId(1), SEEDER, true, NOW);
    await restore(store, table);
    const restored = table.find(HASH);
    assert.deepEqual(
      [table.seeders(restored), table.leechers(restored), table.completed(restored)],
      [2, 0, 2],
    );
  });

  it('counts the addresses of those who came back, so that the statistics begin where they ended', async () => {
    const store = new MemoryStore();
    const saved = swarmTable();
    for (let n = 0; n < 500; n++) {
      const slot = saved.open(infoHash(n % 50), NOW);
      saved.sight(slot, IPV4, endpoint(IPV4, n), peerId(n), LEECHER, false, NOW);
    }
    await makeSaver(store, saved).save('schedule');
    const addresses = new UniqueAddresses({ windowSeconds: 3_600, hashKey: [1, 2] });
    await restore(store, swarmTable(), { addresses });
    assert.ok(Math.abs(addresses.count(NOW) - 500) < 25, `${addresses.count(NOW)} addresses`);
  });

  it('adds completions once, however often it had to begin again', async () => {
    const store = await storeWith(400);
    const clean = swarmTable();
    await restore(store, clean);
    for (let failing = 1; failing <= 6; failing++) {
      const troubled = new MemoryStore();
      for (const [key, object] of store.objects) troubled.objects.set(key, object);
      let calls = 0;
      troubled.hook = () => {
        calls += 1;
        troubled.failure = calls === failing ? 'unreachable' : undefined;
      };
      const table = swarmTable();
      await restore(troubled, table);
      assert.deepEqual(contents(table, NOW), contents(clean, NOW), `failing at call ${failing}`);
    }
  });

  it('leaves out peers that were not heard for longer than PEER_TTL', async () => {
    const store = new MemoryStore();
    const before = swarmTable();
    before.sight(
      before.open(HASH, NOW - 3_000),
      IPV4,
      endpoint(0, 1),
      peerId(1),
      LEECHER,
      false,
      NOW - 3_000,
    );
    before.sight(before.open(HASH, NOW), IPV4, endpoint(0, 2), peerId(2), LEECHER, false, NOW);
    await makeSaver(store, before).save('schedule');
    const table = swarmTable();
    const restorer = await restore(store, table, { nowSeconds: () => NOW + 601 });
    assert.equal(table.peers, 1);
    assert.equal(restorer.progress.peersExpired, 1);
  });

  it('keeps counts of completed downloads of swarms whose peers have all gone', async () => {
    const store = new MemoryStore();
    const before = swarmTable();
    before.sight(before.open(HASH, NOW), IPV4, endpoint(0, 1), peerId(1), SEEDER, true, NOW);
    await makeSaver(store, before).save('schedule');
    const table = swarmTable();
    await restore(store, table, { nowSeconds: () => NOW + 86_400 });
    assert.equal(table.peers, 0);
    assert.equal(table.completed(table.find(HASH)), 1);
  });

  it('skips hashes that are not served, and waits until it is known which are', async () => {
    const store = await storeWith(300);
    let know: () => void = () => {};
    const whenServedIsKnown = new Promise<void>((resolve) => {
      know = resolve;
    });
    const table = swarmTable();
    const banned = infoHash(0);
    const isServed = (hash: Uint8Array): boolean => Buffer.compare(hash, banned) !== 0;
    store.calls.length = 0;
    const restorer = makeRestorer(store, table, { isServed, whenServedIsKnown });
    const running = restorer.run(new AbortController().signal);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(restorer.progress.phase, 'waiting');
    assert.deepEqual(store.calls, []);
    know();
    await running;
    assert.equal(table.find(banned), -1);
    assert.ok(restorer.progress.peersNotServed > 0);
    assert.equal(table.peers + restorer.progress.peersNotServed, 300);
  });

  it('into a table that is too small leaves the rest out, says how many, and pushes nobody out', async () => {
    const store = await storeWith(4_000);
    const log = memoryLog();
    const table = swarmTable({ peersMax: 1_000, swarmsMax: 5_000 });
    table.sight(table.open(HASH, NOW), IPV4, endpoint(0, 1), peerId(1), LEECHER, false, NOW);
    const restorer = await restore(store, table, { log });
    assert.ok(restorer.isSettled);
    assert.equal(table.totals.evicted, 0);
    assert.ok(restorer.progress.peersLeftOut > 2_000);
    assert.equal(table.peers - 1 + restorer.progress.peersLeftOut, 4_000);
    assert.match(log.messages('warn')[0] ?? '', /full/);
  });

  it('into a table with too few swarms pushes no live swarm out', async () => {
    const store = await storeWith(4_000);
    const table = swarmTable({ peersMax: 10_000, swarmsMax: 200 });
    table.sight(table.open(infoHash(9_999_999), NOW), IPV4, endpoint(0, 1), peerId(1), LEECHER, false, NOW);
    const restorer = await restore(store, table);
    assert.equal(table.totals.evicted, 0);
    assert.ok(table.find(infoHash(9_999_999)) >= 0);
    assert.ok(restorer.progress.peersLeftOut > 0);
  });

  it('reads times by the clock of the store, whatever the clocks of the machines were', async () => {
    for (const [writerOffset, readerOffset] of [
      [0, 0],
      [5_000, 0],
      [0, -7_000],
      [-123, 456],
    ] as const) {
      const store = new MemoryStore();
      store.clockOffsetSeconds = writerOffset;
      const writerNow = NOW - writerOffset;
      const before = swarmTable();
      before.sight(
        before.open(HASH, writerNow - 90),
        IPV4,
        endpoint(0, 1),
        peerId(1),
        LEECHER,
        false,
        writerNow - 90,
      );
      before.sight(before.open(HASH, writerNow), IPV4, endpoint(0, 2), peerId(2), LEECHER, false, writerNow);
      await makeSaver(store, before, { nowSeconds: () => writerNow }).save('schedule');

      store.clockOffsetSeconds = readerOffset;
      const readerNow = NOW + 10 - readerOffset;
      const table = swarmTable();
      await restore(store, table, { nowSeconds: () => readerNow });
      const ages = contents(table, readerNow).map((line) => readerNow - Number(line.split(' ')[3]));
      assert.deepEqual(
        ages.sort((a, b) => a - b),
        [10, 100],
        `offsets ${writerOffset} and ${readerOffset}`,
      );
    }
  });
});
