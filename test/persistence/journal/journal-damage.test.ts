import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseSegmentKey, segmentKey } from '../../../src/persistence/format/object-keys.ts';
import type { StoreKeys } from '../../../src/persistence/format/store-keys.ts';
import { noCounts } from '../../../src/persistence/merge/restore-settings.ts';
import { SegmentMerger } from '../../../src/persistence/merge/segment-merger.ts';
import { StopMemory } from '../../../src/persistence/merge/stop-memory.ts';
import type { SwarmTable } from '../../../src/swarm/swarm-table.ts';
import { announceTo, type PeerAnnounce } from '../../builders/announces.ts';
import { blockStarts, damageOf, flipBit, tellingBytes } from '../../builders/damage.ts';
import { noKeys, storeKeys } from '../../builders/keys.ts';
import { contents } from '../../builders/saved-swarms.ts';
import { SimulatedTracker, turn } from '../../builders/simulated-tracker.ts';
import { PEER_TTL_SECONDS } from '../../builders/snapshots.ts';
import { MemoryStore } from '../../builders/store.ts';
import { HASH_KEY, NOW, peerId, swarmTable } from '../../builders/swarm.ts';

const BOOT = 'boot0001';
const keyOf = (sequence: number, boot = BOOT): string => segmentKey({ boot, sequence });
/** More than a block of entries. */
const MANY = 700;
const FEW = 40;
const STAYING = 3 * (FEW * 0.9);
/** Of the peers of a segment these complete, and these stop. */
const COMPLETING = 0.2;
const STOPPING = 0.1;

function start(shared: MemoryStore, boot: string, keys: StoreKeys): SimulatedTracker {
  return new SimulatedTracker({ boot, shared, keys, trueSeconds: () => NOW });
}

const announce = (peer: number, changes: Partial<PeerAnnounce> = {}): PeerAnnounce => ({
  swarm: peer % 20,
  peer,
  isIpv6: peer % 5 === 0,
  event: 'none',
  left: 'some',
  hasOtherId: false,
  ...changes,
});

/** What one boot wrote in three segments, and every line that was ever true of the table while it did. */
async function written(
  keys: StoreKeys,
  peers: number,
): Promise<{ readonly store: MemoryStore; readonly known: ReadonlySet<string> }> {
  const store = new MemoryStore();
  const known = new Set<string>();
  const tracker = start(store, BOOT, keys);
  await tracker.start();
  for (let segment = 0; segment < 3; segment++) {
    const say = (index: number, changes?: Partial<PeerAnnounce>): void =>
      announceTo(tracker.tracker, announce(segment * peers + index, changes), NOW);
    const learn = (): void => {
      for (const line of contents(tracker.table, NOW)) known.add(line);
    };
    for (let index = 0; index < peers; index++) say(index);
    learn();
    for (let index = 0; index < peers * COMPLETING; index++) {
      say(index, { event: 'completed', left: 'zero' });
      learn();
    }
    for (let index = 0; index < peers * STOPPING; index++) say(index, { event: 'stopped' });
    await tracker.writeJournal();
  }
  tracker.kill();
  assert.deepEqual(
    store.keys('journal/'),
    [1, 2, 3].map((sequence) => keyOf(sequence)),
  );
  return { store, known };
}

/** Merges one segment by itself. */
function merge(
  bytes: Uint8Array,
  keys: StoreKeys,
  objectKey = keyOf(1),
): { readonly lines: readonly string[]; readonly state: string } {
  const table = swarmTable({ peersMax: 5_000, swarmsMax: 1_000 });
  const settings = {
    table,
    keys,
    stops: new StopMemory({ hashKey: HASH_KEY, journalSeconds: 10 }),
    isServed: () => true,
    peerTtlSeconds: PEER_TTL_SECONDS,
    addresses: { add: () => {} },
    nowSeconds: () => NOW,
    offsetSeconds: 0,
  };
  const segment = {
    ...parseSegmentKey(objectKey)!,
    key: objectKey,
    sizeBytes: bytes.length,
    lastModifiedSeconds: NOW,
  };
  const merger = new SegmentMerger(bytes, segment, settings, noCounts());
  while (merger.step());
  return { lines: contents(table, NOW), state: merger.state };
}

/** Whether the last peer of segment 0, 1, … is in the table, of which no other segment tells. */
function hasPeerOf(table: SwarmTable, segment: number): boolean {
  const id = Buffer.from(peerId((segment + 1) * FEW - 1)).toString('hex');
  return contents(table, NOW).some((line) => line.endsWith(id));
}

for (const [kind, writerKeys, readerKeys] of [
  ['plain', noKeys, noKeys],
  ['sealed', () => storeKeys(1), () => storeKeys(2, 1)],
] as const) {
  describe(`damage to a ${kind} journal segment`, () => {
    it('makes nobody up, whatever and wherever it is, and is seen', async () => {
      const { store, known } = await written(writerKeys(), MANY);
      const bytes = await store.get(keyOf(1));
      assert.ok(blockStarts(bytes).length >= 4, 'a segment of several blocks');
      assert.equal(merge(bytes, readerKeys()).state, 'whole');
      let salvaged = 0;
      fc.assert(
        fc.property(damageOf(bytes), (changed) => {
          const { lines, state } = merge(changed, readerKeys());
          for (const line of lines) assert.ok(known.has(line), `made up: ${line}`);
          if (Buffer.compare(changed, bytes) === 0) return;
          assert.equal(state, 'damaged');
          if (lines.length > 0) salvaged += 1;
        }),
        { numRuns: 500, seed: 42 },
      );
      assert.ok(salvaged > 100, `${salvaged} gave some peers back`);
    });

    it('costs that segment only: the restore settles, takes the others, and names it in the log', async () => {
      const { store, known } = await written(writerKeys(), FEW);
      const key = keyOf(2);
      const object = store.objects.get(key)!;
      const { bytes } = object;
      const check = async (what: string): Promise<SimulatedTracker> => {
        const tracker = start(store, 'boot0002', readerKeys());
        await tracker.start();
        assert.ok(tracker.restorer.isSettled, what);
        for (const line of contents(tracker.table, NOW)) assert.ok(known.has(line), `${what}: ${line}`);
        assert.ok(hasPeerOf(tracker.table, 0) && hasPeerOf(tracker.table, 2), what);
        tracker.kill();
        return tracker;
      };
      for (const at of tellingBytes(bytes)) {
        for (const damaged of [flipBit(bytes, at, at & 7), bytes.subarray(0, at)]) {
          store.objects.set(key, { ...object, bytes: damaged });
          const { log } = await check(`byte ${at}`);
          const named = log.lines.filter(({ level, fields }) => level === 'error' && fields.segment === key);
          assert.equal(named.length, 1, `byte ${at}`);
          assert.deepEqual(store.objects.get(key)!.bytes, damaged);
        }
      }
      store.objects.delete(key);
      const { log, table } = await check('missing');
      assert.equal(hasPeerOf(table, 1), false);
      assert.ok(log.messages('info').some((message) => message.includes('gap')));
    });
  });
}

describe('a journal segment that no key opens (rule D-O5)', () => {
  it('keeps the restore from settling, while what other boots wrote is merged', async () => {
    const { store } = await written(storeKeys(1), FEW);
    const other = start(store, 'boot0002', storeKeys(2));
    announceTo(other.tracker, announce(9_000), NOW);
    await other.writeJournal();
    other.kill();
    for (const keys of [storeKeys(2), noKeys()]) {
      const tracker = start(store, 'boot0003', keys);
      const starting = tracker.start();
      while (tracker.restorer.progress.phase !== 'failing') await turn();
      assert.match(
        tracker.restorer.progress.lastError!.message,
        /^journal\/boot000[12]\/0000000001 is sealed .*STORE_KEY/,
      );
      assert.equal(tracker.table.peers, keys.count);
      assert.deepEqual([...tracker.others.vector.keys()], keys.count === 0 ? [] : ['boot0002']);
      assert.deepEqual(await tracker.saver.save('shutdown'), { kind: 'not-settled' });
      tracker.kill();
      await starting;
      assert.equal(tracker.log.messages('error').length, 1);
    }
    const both = start(store, 'boot0004', storeKeys(3, 2, 1));
    await both.start();
    assert.equal(both.table.peers, STAYING + 1);
  });

  it('no longer does when a snapshot that opens holds it, or when it is gone', async () => {
    const { store } = await written(storeKeys(1), FEW);
    const heir = start(store, 'boot0002', storeKeys(2, 1));
    await heir.start();
    assert.equal((await heir.saver.save('shutdown')).kind, 'saved');
    heir.kill();
    const old = await written(storeKeys(1), FEW);
    for (const key of old.store.keys('journal/')) store.objects.set(key, old.store.objects.get(key)!);
    const tracker = start(store, 'boot0003', storeKeys(2));
    await tracker.start();
    assert.equal(tracker.table.peers, STAYING);

    for (const key of store.keys('snapshots/')) store.objects.delete(key);
    const waiting = start(store, 'boot0004', storeKeys(2));
    const starting = waiting.start();
    while (waiting.restorer.progress.phase !== 'failing') await turn();
    for (const key of store.keys('journal/')) store.objects.delete(key);
    await starting;
    assert.ok(waiting.restorer.isSettled);
  });

  it('of a tracker that comes later is told to the log once, and not merged', async () => {
    const store = new MemoryStore();
    let now = NOW;
    const tracker = new SimulatedTracker({
      boot: BOOT,
      shared: store,
      keys: storeKeys(1),
      trueSeconds: () => now,
    });
    await tracker.start();
    const stranger = start(store, 'boot0002', storeKeys(2));
    for (let round = 0; round < 3; round++) {
      announceTo(stranger.tracker, announce(round), NOW);
      await stranger.writeJournal();
      now += 20;
      await tracker.follow();
    }
    assert.equal(tracker.table.peers, 0);
    assert.equal(tracker.others.vector.get('boot0002'), undefined);
    const [told, ...more] = tracker.log.messages('error');
    assert.match(told!, /^Another tracker is not heard: journal\/boot0002\/0000000001 is sealed .*STORE_KEY/);
    assert.deepEqual(more, []);
    for (const key of store.keys('journal/boot0002')) store.objects.delete(key);
    const friend = start(store, 'boot0005', storeKeys(1));
    announceTo(friend.tracker, announce(7), NOW);
    await friend.writeJournal();
    now += 20;
    await tracker.follow();
    assert.equal(tracker.table.peers, 1);
    assert.ok(tracker.log.messages('info').some((message) => message.includes('opened again')));
  });
});
