import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeManifest } from '../../../src/persistence/format/manifest.ts';
import { ObjectKind } from '../../../src/persistence/format/object-format.ts';
import { NewerObjects } from '../../../src/persistence/listing/newer-objects.ts';
import { WatchedStore } from '../../../src/persistence/store/watched-store.ts';
import { IPV4, LEECHER } from '../../../src/swarm/record.ts';
import { asVersion } from '../../builders/damage.ts';
import { noKeys } from '../../builders/keys.ts';
import { memoryLog } from '../../builders/log.ts';
import { contents, fillTable } from '../../builders/saved-swarms.ts';
import { makeRestorer, makeSaver, restore } from '../../builders/snapshots.ts';
import { MemoryStore } from '../../builders/store.ts';
import { endpoint, infoHash, NOW, peerId, swarmTable } from '../../builders/swarm.ts';

function filledTable(peers = 500): ReturnType<typeof swarmTable> {
  const table = swarmTable();
  fillTable(table, { peers, nowSeconds: NOW });
  return table;
}

/** Resolves once the store is asked for `verb`, and holds that call until it is let go or its signal fires. */
function holdAt(store: MemoryStore, verb: string): { held: Promise<void>; letGo: () => void } {
  let letGo: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const held = new Promise<void>((resolve) => {
    store.hook = async (call, signal) => {
      if (call.verb !== verb) return;
      resolve();
      const isAborted = new Promise<never>((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
      });
      await Promise.race([gate, isAborted]);
    };
  });
  return { held, letGo };
}

describe('a save', () => {
  it('writes the parts, looks at them, and only then the manifest', async () => {
    const store = new MemoryStore();
    await makeSaver(store, filledTable()).save('schedule');
    const prefix = 'snapshots/0000000001-boot0001/';
    assert.deepEqual(
      store.calls.map(({ verb, key }) => `${verb} ${key}`),
      [
        'list journal/',
        'list snapshots/',
        `put ${prefix}part-00000`,
        'list snapshots/',
        `put ${prefix}manifest`,
        `get ${prefix}manifest`,
      ],
    );
  });

  it('says whose segments it holds, also those merged since it listed the journal (rule D-T1)', async () => {
    const store = new MemoryStore();
    await store.put('journal/boot0007/0000000003', Uint8Array.of(1));
    const vector = new Map([
      ['boot0007', 3],
      ['boot0008', 9], // all of its segments are gone, but it may be heard again
    ]);
    store.hook = ({ verb, key }) => {
      if (verb === 'list' && key === 'snapshots/') vector.set('boot0009', 1); // it has just joined
    };
    await makeSaver(store, filledTable(), { others: { vector, isDamaged: () => false } }).save('signal');
    const key = 'snapshots/0000000001-boot0001/manifest';
    const manifest = decodeManifest(key, await store.get(key), noKeys());
    assert.ok(typeof manifest === 'object');
    assert.deepEqual(manifest.vector, { boot0007: 3, boot0008: 9, boot0009: 1 });
  });

  it('writes no manifest when a part is missing or has another size', async () => {
    for (const spoil of [
      (store: MemoryStore, key: string) => store.objects.delete(key),
      (store: MemoryStore, key: string) =>
        store.objects.set(key, { bytes: new Uint8Array(9), lastModifiedSeconds: NOW }),
    ]) {
      const store = new MemoryStore();
      store.hook = ({ verb }) => {
        if (verb === 'list') for (const key of store.keys()) spoil(store, key);
      };
      const outcome = await makeSaver(store, filledTable()).save('schedule');
      assert.equal(outcome.kind, 'failed');
      assert.deepEqual(
        store.calls.filter(({ verb, key }) => verb === 'put' && key.endsWith('manifest')),
        [],
      );
    }
  });

  it('says in the manifest what it wrote and when', async () => {
    const store = new MemoryStore();
    store.clockOffsetSeconds = 100;
    const table = filledTable();
    await makeSaver(store, table).save('schedule');
    const part = store.objects.get('snapshots/0000000001-boot0001/part-00000')!;
    const key = 'snapshots/0000000001-boot0001/manifest';
    assert.deepEqual(decodeManifest(key, await store.get(key), noKeys()), {
      number: 1,
      boot: 'boot0001',
      takenAtSeconds: NOW + 100,
      partBytes: [part.bytes.length],
      swarms: table.totals.swarms,
      peers: 500,
      completed: table.totals.completed,
      cutSequence: 0,
      vector: {},
    });
  });

  it('that fails leaves what was saved before, says so once, and is made up by the next', async () => {
    const store = new MemoryStore();
    const log = memoryLog();
    const table = filledTable();
    const saver = makeSaver(store, table, { log });
    await saver.save('schedule');
    const saved = contents(table, NOW);
    fillTable(table, { peers: 5, nowSeconds: NOW, seed: 2 });
    store.failure = 'throttled';
    for (let round = 0; round < 3; round++) assert.equal((await saver.save('schedule')).kind, 'failed');
    assert.equal(log.messages('error').length, 1);
    assert.match(saver.status.lastError?.message ?? '', /throttled/);
    assert.equal(saver.status.snapshots, 1);
    assert.equal(saver.status.failed, 3);
    store.failure = undefined;
    const restored = swarmTable();
    await restore(store, restored);
    assert.deepEqual(contents(restored, NOW), saved);
    assert.equal((await saver.save('schedule')).kind, 'saved');
    assert.equal(saver.status.lastError, undefined);
  });

  it('at every put that fails leaves a store from which everything of the save before comes back', async () => {
    for (let failing = 1; failing <= 6; failing++) {
      const store = new MemoryStore();
      const table = filledTable(3_000);
      const options = { partBytesMax: 64 * 1024, keep: 1 };
      await makeSaver(store, table, options).save('schedule');
      const saved = contents(table, NOW);
      fillTable(table, { peers: 5, nowSeconds: NOW, seed: 2 });
      let puts = 0;
      store.hook = ({ verb }) => {
        if (verb === 'put') puts += 1;
        store.failure = puts >= failing ? 'unreachable' : undefined;
      };
      const outcome = await makeSaver(store, table, { ...options, boot: 'boot0002' }).save('schedule');
      store.hook = undefined;
      store.failure = undefined;
      const restored = swarmTable();
      await restore(store, restored);
      const known = new Set(contents(restored, NOW));
      assert.ok(
        saved.every((line) => known.has(line)),
        `put ${failing} failed (${outcome.kind})`,
      );
    }
  });

  it('goes on while announces come in, and keeps every peer that was there all the time', async () => {
    const store = new MemoryStore();
    const table = filledTable(20_000);
    const before = contents(table, NOW);
    let announced = 0;
    let isSaved = false;
    const announce = (): void => {
      for (let index = 0; index < 20; index++) {
        const number = announced++;
        const slot = table.open(infoHash(number % 5_000), NOW);
        table.sight(slot, IPV4, endpoint(0, number), peerId(number), LEECHER, false, NOW);
      }
      if (!isSaved) setImmediate(announce);
    };
    setImmediate(announce);
    // By this clock every step uses up its slice, so announces come between any two.
    let ms = 0;
    await makeSaver(store, table, { partBytesMax: 64 * 1024, monotonicMs: () => ms++ }).save('schedule');
    isSaved = true;
    assert.ok(announced > 1_000, 'announces came between the slices');
    const restored = swarmTable();
    await restore(store, restored);
    const known = new Set(contents(restored, NOW));
    assert.deepEqual(
      before.filter((line) => !known.has(line)),
      [],
    );
  });

  it('writes nothing after a restore of one whole snapshot, until something is announced', async () => {
    const store = new MemoryStore();
    await makeSaver(store, filledTable()).save('schedule');
    const table = swarmTable();
    const saver = makeSaver(store, table, { boot: 'boot0002', restore: await restore(store, table) });
    assert.deepEqual(await saver.save('schedule'), { kind: 'unchanged' });
    table.sight(table.open(infoHash(5), NOW), IPV4, endpoint(0, 1), peerId(1), LEECHER, false, NOW);
    assert.equal((await saver.save('schedule')).kind, 'saved');
    assert.deepEqual(await saver.save('schedule'), { kind: 'unchanged' });
    const { snapshots, skipped, failed } = saver.status;
    assert.deepEqual({ snapshots, skipped, failed }, { snapshots: 1, skipped: 2, failed: 0 });
    assert.equal(saver.durations.total, 1);
  });

  it('counts the age of what is saved from the restored snapshot, by its own clock, until it has saved itself', async () => {
    const store = new MemoryStore();
    store.clockOffsetSeconds = 100;
    const empty = await restore(store, swarmTable());
    assert.equal(makeSaver(store, swarmTable(), { restore: empty }).status.lastSavedAtSeconds, undefined);
    await makeSaver(store, filledTable()).save('schedule');
    const table = swarmTable();
    store.clockOffsetSeconds = 40;
    const options = { restore: await restore(store, table), nowSeconds: () => NOW + 300 };
    const saver = makeSaver(store, table, options);
    assert.equal(saver.status.lastSavedAtSeconds, NOW + 60);
    table.sight(
      table.open(infoHash(1), NOW),
      IPV4,
      endpoint(IPV4, 9_999),
      peerId(9_999),
      LEECHER,
      false,
      NOW,
    );
    assert.equal((await saver.save('schedule')).kind, 'saved');
    assert.equal(saver.status.lastSavedAtSeconds, NOW + 300);
  });

  it('writes after a restore to which something was announced meanwhile, or that is not all of one snapshot', async () => {
    const store = new MemoryStore();
    const saved = swarmTable();
    fillTable(saved, { peers: 50, nowSeconds: NOW - 100, seed: 9 });
    fillTable(saved, { peers: 500, nowSeconds: NOW });
    await makeSaver(store, saved).save('schedule');
    const live = swarmTable();
    live.sight(live.open(infoHash(5), NOW), IPV4, endpoint(0, 1), peerId(1), LEECHER, false, NOW);
    const late = swarmTable();
    const small = swarmTable({ peersMax: 200 });
    const picky = swarmTable();
    for (const [what, table, options] of [
      ['announced', live, {}],
      ['expired', late, { nowSeconds: () => NOW + 3_550 }],
      ['left out', small, {}],
      ['not served', picky, { isServed: (hash: Uint8Array) => Buffer.compare(hash, infoHash(0)) !== 0 }],
    ] as const) {
      const restorer = await restore(store, table, options);
      const outcome = await makeSaver(store, table, { boot: 'boot0002', restore: restorer }).save('schedule');
      assert.equal(outcome.kind, 'saved', what);
      for (const key of store.keys('snapshots/0000000002')) store.objects.delete(key);
    }
    const part = store.objects.get('snapshots/0000000001-boot0001/part-00000')!;
    store.objects.set('snapshots/0000000002-bootgone/part-00000', part);
    const table = swarmTable();
    const restorer = await restore(store, table);
    const outcome = await makeSaver(store, table, { boot: 'boot0002', restore: restorer }).save('schedule');
    assert.equal(outcome.kind, 'saved', 'also when an unfinished one gave its peers');
  });

  it('that somebody asked for and that the restore does not allow yet leaves a warning', async () => {
    const store = new MemoryStore();
    const log = memoryLog();
    const saver = makeSaver(store, filledTable(), { log, restore: makeRestorer(store, swarmTable()) });
    await saver.save('schedule');
    assert.equal(log.messages('warn').length, 0);
    for (const cause of ['signal', 'shutdown'] as const) await saver.save(cause);
    assert.deepEqual(
      log.lines.map(({ level, fields }) => [level, fields.cause]),
      [
        ['warn', 'signal'],
        ['warn', 'shutdown'],
      ],
    );
  });

  it('asked for while one runs joins it', async () => {
    const store = new MemoryStore();
    const saver = makeSaver(store, filledTable());
    const { held, letGo } = holdAt(store, 'put');
    const first = saver.save('schedule');
    await held;
    assert.ok(saver.status.isSaving);
    const second = saver.save('signal');
    letGo();
    assert.deepEqual(await second, await first);
    assert.equal(saver.status.snapshots, 1);
    assert.equal(saver.status.isSaving, false);
  });

  it('at shutdown gives up one that runs and saves what has come since', async () => {
    const store = new MemoryStore();
    const table = filledTable();
    const saver = makeSaver(store, table);
    const { held, letGo } = holdAt(store, 'put');
    const first = saver.save('schedule');
    await held;
    table.sight(table.open(infoHash(5), NOW), IPV4, endpoint(0, 1), peerId(1), LEECHER, false, NOW);
    store.hook = undefined;
    const last = await saver.save('shutdown');
    letGo();
    assert.equal((await first).kind, 'failed');
    assert.equal(last.kind, 'saved');
    const restored = swarmTable();
    await restore(store, restored);
    assert.deepEqual(contents(restored, NOW), contents(table, NOW));
  });

  it('into a store that never answers ends with the signal, and leaves the table free for the next', async () => {
    const store = new MemoryStore();
    const saver = makeSaver(store, filledTable());
    for (const verb of ['list', 'put']) {
      const { held } = holdAt(store, verb);
      const controller = new AbortController();
      const saving = saver.save('shutdown', controller.signal);
      await held;
      controller.abort(new Error('time is up'));
      assert.equal((await saving).kind, 'failed');
    }
    store.hook = undefined;
    assert.equal((await saver.save('schedule')).kind, 'saved');
  });

  it('is given up when the walk takes too long', async () => {
    const store = new MemoryStore();
    const saver = makeSaver(store, filledTable(), { walkMsMax: 20 });
    holdAt(store, 'put');
    const keepsAlive = setInterval(() => {}, 1_000);
    const outcome = await saver.save('schedule');
    clearInterval(keepsAlive);
    assert.equal(outcome.kind, 'failed');
    assert.equal(outcome.kind === 'failed' && outcome.error.failure, 'timed-out');
  });
});

describe('the retention', () => {
  it('sweeps unfinished snapshots: of this boot at once, of another when two hours old', async () => {
    const store = new MemoryStore();
    const put = (key: string, ageSeconds: number): void =>
      void store.objects.set(key, { bytes: Uint8Array.of(1), lastModifiedSeconds: NOW - ageSeconds });
    put('snapshots/0000000001-boot0001/part-00000', 10);
    put('snapshots/0000000002-bootaaaa/part-00000', 7_000);
    put('snapshots/0000000003-bootbbbb/part-00000', 7_300);
    put('snapshots/0000000003-bootbbbb/part-00001', 7_000);
    put('snapshots/0000000004-bootcccc/part-00000', 7_300);
    put('journal/bootcccc/0000000001', 99_999);
    put('somebody/elses', 99_999);
    await makeSaver(store, filledTable()).save('schedule');
    assert.deepEqual(store.keys(), [
      'journal/bootcccc/0000000001',
      'snapshots/0000000002-bootaaaa/part-00000',
      'snapshots/0000000003-bootbbbb/part-00000',
      'snapshots/0000000003-bootbbbb/part-00001',
      'snapshots/0000000005-boot0001/manifest',
      'snapshots/0000000005-boot0001/part-00000',
      'somebody/elses',
    ]);
  });

  it('deletes the manifest before the parts', async () => {
    const store = new MemoryStore();
    const table = filledTable();
    const saver = makeSaver(store, table, { keep: 1 });
    await saver.save('schedule');
    fillTable(table, { peers: 5, nowSeconds: NOW, seed: 2 });
    await saver.save('schedule');
    const deleted = store.calls.filter(({ verb }) => verb === 'delete').map(({ key }) => key.split('/')[2]);
    assert.deepEqual(deleted, ['manifest', 'part-00000']);
  });

  it('deletes nothing once an object of a later version was met anywhere in the store, and tells the others', async () => {
    const store = new MemoryStore();
    const table = filledTable();
    const restorer = await restore(store, swarmTable());
    const saver = makeSaver(store, table, { keep: 1, restore: restorer });
    restorer.newer.add('access/bootlater/0000000001');
    await saver.save('schedule');
    fillTable(table, { peers: 5, nowSeconds: NOW, seed: 2 });
    await saver.save('schedule');
    assert.equal(store.keys().length, 4);

    const met = new NewerObjects();
    const other = makeSaver(store, table, {
      boot: 'boot0002',
      restore: {
        isSettled: true,
        changesSaved: 0,
        savedSeconds: undefined,
        newer: met,
        isDamaged: () => false,
      },
    });
    const later = 'snapshots/0000000001-boot0001/manifest';
    const bytes = asVersion(await store.get(later), ObjectKind.manifest, 2);
    store.objects.set(later, { bytes, lastModifiedSeconds: NOW });
    await other.save('schedule');
    assert.ok(met.has('snapshots/0000000001-boot0001/'));
  });

  it('deletes nothing when a manifest cannot be read because the store refuses', async () => {
    const store = new MemoryStore();
    const table = filledTable();
    await makeSaver(store, table, { boot: 'boot0002' }).save('schedule');
    store.hook = ({ verb }) => {
      store.failure = verb === 'get' ? 'denied' : undefined;
    };
    const outcome = await makeSaver(store, table, { keep: 1 }).save('schedule');
    assert.equal(outcome.kind, 'saved', 'the snapshot stands all the same');
    assert.deepEqual(
      store.calls.filter(({ verb }) => verb === 'delete'),
      [],
    );
  });
});

describe('a watched store', () => {
  it('tells the log once that it is lost, again when for another reason, and once that it is back', async () => {
    const store = new MemoryStore();
    const log = memoryLog();
    let now = NOW;
    const watched = new WatchedStore(store, {
      log,
      nowSeconds: () => now,
      monotonicMs: () => performance.now(),
    });
    const ask = (): Promise<unknown> => watched.list('').catch(() => {});
    await ask();
    store.failure = 'unreachable';
    for (let tries = 0; tries < 5; tries++) await ask();
    store.failure = 'denied';
    for (let tries = 0; tries < 5; tries++) await ask();
    assert.equal(watched.isReachable, false);
    store.failure = undefined;
    now += 60;
    for (let tries = 0; tries < 5; tries++) await ask();
    assert.equal(watched.isReachable, true);
    assert.deepEqual(
      log.lines.map(({ level, fields }) => [level, fields.failure, fields.lostForSeconds]),
      [
        ['error', 'unreachable', undefined],
        ['error', 'denied', undefined],
        ['info', 'denied', 60],
      ],
    );
  });

  it('does not take a missing object or a call that was given up for a loss', async () => {
    const store = new MemoryStore();
    const log = memoryLog();
    const watched = new WatchedStore(store, {
      log,
      nowSeconds: () => NOW,
      monotonicMs: () => performance.now(),
    });
    await watched.get('a').catch(() => {});
    store.failure = 'aborted';
    await watched.get('a').catch(() => {});
    assert.deepEqual(log.lines, []);
  });
});
