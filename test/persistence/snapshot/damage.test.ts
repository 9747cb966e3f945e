import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeManifest } from '../../../src/persistence/format/manifest.ts';
import { BLOCK_HEADER_BYTES, OBJECT_HEADER_BYTES } from '../../../src/persistence/format/object-format.ts';
import type { StoreKeys } from '../../../src/persistence/format/store-keys.ts';
import { HeldTotals } from '../../../src/persistence/merge/held-totals.ts';
import { PartRestorer } from '../../../src/persistence/merge/part-restorer.ts';
import { noCounts } from '../../../src/persistence/merge/restore-settings.ts';
import { StopMemory } from '../../../src/persistence/merge/stop-memory.ts';
import type { SwarmTable } from '../../../src/swarm/swarm-table.ts';
import { blockStarts, damageOf, flipBit, tellingBytes } from '../../builders/damage.ts';
import { noKeys, storeKeys } from '../../builders/keys.ts';
import { memoryLog } from '../../builders/log.ts';
import { contents, fillTable } from '../../builders/saved-swarms.ts';
import { makeSaver, PEER_TTL_SECONDS, restore } from '../../builders/snapshots.ts';
import { MemoryStore } from '../../builders/store.ts';
import { HASH_KEY, NOW, swarmTable } from '../../builders/swarm.ts';

const PART = 'snapshots/0000000001-boot0001/part-00000';
const MANIFEST = 'snapshots/0000000001-boot0001/manifest';

async function savedStore(
  peers: number,
  keys: StoreKeys,
): Promise<{ store: MemoryStore; table: SwarmTable }> {
  const store = new MemoryStore();
  const table = swarmTable({ peersMax: 2_000, swarmsMax: 1_000 });
  fillTable(table, { peers, nowSeconds: NOW });
  await makeSaver(store, table, { keys }).save('schedule');
  return { store, table };
}

/** Restores one part by itself; returns the peers that came back and whether the part was found whole. */
function restorePart(
  bytes: Uint8Array,
  keys: StoreKeys,
): { readonly lines: readonly string[]; readonly state: string } {
  const table = swarmTable({ peersMax: 2_000, swarmsMax: 1_000 });
  const settings = {
    table,
    isServed: () => true,
    stops: new StopMemory({ hashKey: HASH_KEY, journalSeconds: 0 }),
    peerTtlSeconds: PEER_TTL_SECONDS,
    addresses: { add: () => {} },
    nowSeconds: () => NOW,
    offsetSeconds: 0,
    keys,
  };
  const part = new PartRestorer(PART, bytes, settings, noCounts(), new HeldTotals());
  while (part.step());
  return { lines: contents(table, NOW), state: part.state };
}

const peersOf = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => !line.includes('completed'));

for (const [kind, writerKeys, readerKeys] of [
  ['plain', noKeys, noKeys],
  ['sealed', () => storeKeys(1), () => storeKeys(2, 1)],
] as const) {
  describe(`damage to a ${kind} snapshot`, () => {
    const saved = (peers: number) => savedStore(peers, writerKeys());
    const read = (bytes: Uint8Array) => restorePart(bytes, readerKeys());
    const decode = (bytes: Uint8Array) => decodeManifest(MANIFEST, bytes, readerKeys());

    it('never crashes a reader and never makes up a peer, whatever and wherever it is', async () => {
      const { store, table } = await saved(900);
      const bytes = await store.get(PART);
      const known = new Set(contents(table, NOW));
      let damaged = 0;
      let salvaged = 0;
      fc.assert(
        fc.property(damageOf(bytes), (changed) => {
          const { lines, state } = read(changed);
          for (const line of lines) assert.ok(known.has(line), `made up: ${line}`);
          if (Buffer.compare(changed, bytes) === 0) return;
          assert.equal(state, 'damaged');
          damaged += 1;
          if (lines.length > 0) salvaged += 1;
        }),
        { numRuns: 1_000, seed: 42 },
      );
      assert.ok(damaged > 700, `${damaged} damaged`);
      assert.ok(salvaged > 200, `${salvaged} gave some peers back`);
    });

    it('is seen in every byte of the header, of a block header and of the manifest', async () => {
      const { store } = await saved(900);
      const part = await store.get(PART);
      for (let at = 0; at < OBJECT_HEADER_BYTES + BLOCK_HEADER_BYTES; at++) {
        for (let bit = 0; bit < 8; bit++) {
          assert.equal(read(flipBit(part, at, bit)).state, 'damaged', `bit ${bit} of byte ${at}`);
        }
      }
      const manifest = await store.get(MANIFEST);
      for (let at = 0; at < manifest.length; at++) {
        assert.equal(decode(flipBit(manifest, at, at & 7)), 'damaged', `byte ${at} of the manifest`);
        assert.equal(decode(manifest.subarray(0, at)), 'damaged', `manifest cut at ${at}`);
      }
    });

    it('is seen when a part ends exactly where a block does', async () => {
      const { store } = await saved(900);
      const bytes = Buffer.from(await store.get(PART));
      const edges = blockStarts(bytes);
      assert.ok(edges.length >= 3);
      for (const edge of edges) assert.equal(read(bytes.subarray(0, edge)).state, 'damaged');
    });

    it('in one block costs the peers of that block only', async () => {
      const { store, table } = await saved(900);
      const bytes = Buffer.from(await store.get(PART));
      const first = OBJECT_HEADER_BYTES;
      const { lines } = read(flipBit(bytes, first + BLOCK_HEADER_BYTES + 100));
      const all = peersOf(contents(table, NOW)).length;
      assert.ok(lines.length > all * 0.1 && lines.length < all, `${lines.length} of ${all}`);
      // Also when the header of the block, and with it its length, is what was hit, or the object's own header.
      assert.equal(read(flipBit(bytes, first + 8)).lines.length, lines.length);
      assert.equal(peersOf(read(flipBit(bytes, 9)).lines).length, all);
    });

    it('to a block that was swapped with another is seen', async () => {
      const { store } = await saved(1_500);
      const bytes = Buffer.from(await store.get(PART));
      const first = OBJECT_HEADER_BYTES;
      const second = first + BLOCK_HEADER_BYTES + bytes.readUInt32LE(first + 8);
      const third = second + BLOCK_HEADER_BYTES + bytes.readUInt32LE(second + 8);
      const swapped = Buffer.concat([
        bytes.subarray(0, first),
        bytes.subarray(second, third),
        bytes.subarray(first, second),
        bytes.subarray(third),
      ]);
      assert.equal(read(swapped).state, 'damaged');
    });

    it('to any one object lets the restore settle, keeps the older snapshot, and is named in the log', async () => {
      const { store, table } = await saved(300);
      const older = contents(table, NOW);
      const small = swarmTable({ peersMax: 2_000, swarmsMax: 1_000 });
      fillTable(small, { peers: 40, nowSeconds: NOW, seed: 5 });
      await makeSaver(store, small, { boot: 'boot0002', keys: writerKeys() }).save('schedule');
      const known = new Set([...older, ...contents(small, NOW)]);
      const folder = 'snapshots/0000000002-boot0002/';
      /** What came back after the second snapshot was damaged: the first, and of the second only what is true. */
      const check = async (what: string): Promise<void> => {
        const restored = swarmTable({ peersMax: 2_000, swarmsMax: 1_000 });
        const log = memoryLog();
        const restorer = await restore(store, restored, { keys: readerKeys(), log });
        assert.ok(restorer.isSettled, what);
        assert.equal(restorer.progress.snapshot, 'snapshots/0000000001-boot0001/', what);
        const lines = contents(restored, NOW);
        for (const line of lines) assert.ok(known.has(line), `${what}: made up ${line}`);
        const found = new Set(lines);
        assert.ok(
          older.every((line) => found.has(line)),
          what,
        );
        if (store.objects.has(`${folder}manifest`)) {
          assert.deepEqual(restorer.progress.damaged, [folder], what);
          assert.ok(
            log.lines.some(({ level, fields }) => level === 'error' && fields.snapshot === folder),
            what,
          );
        }
      };
      for (const key of store.keys(folder)) {
        const object = store.objects.get(key)!;
        const { bytes } = object;
        const places = key.endsWith('manifest') ? bytes.keys() : tellingBytes(bytes);
        for (const at of places) {
          store.objects.set(key, { ...object, bytes: flipBit(bytes, at, at & 7) });
          await check(`byte ${at} of ${key} flipped`);
          store.objects.set(key, { ...object, bytes: bytes.subarray(0, at) });
          await check(`${key} cut at ${at}`);
        }
        store.objects.delete(key);
        await check(`${key} missing`);
        store.objects.set(key, object);
      }
    });

    it('to all objects at once, in any way, never keeps the restore from settling', async () => {
      const { store, table } = await saved(300);
      const known = new Set(contents(table, NOW));
      const objects = store.keys().map((key) => [key, store.objects.get(key)!] as const);
      const damage = fc.tuple(
        ...objects.map(([, { bytes }]) =>
          fc.oneof(fc.constant(undefined), fc.constant(bytes), damageOf(bytes)),
        ),
      );
      await fc.assert(
        fc.asyncProperty(damage, async (changed) => {
          store.objects.clear();
          for (const [index, [key, object]] of objects.entries()) {
            const bytes = changed[index];
            if (bytes !== undefined) store.objects.set(key, { ...object, bytes });
          }
          const restored = swarmTable({ peersMax: 2_000, swarmsMax: 1_000 });
          const restorer = await restore(store, restored, { keys: readerKeys() });
          assert.ok(restorer.isSettled);
          for (const line of contents(restored, NOW)) assert.ok(known.has(line), `made up: ${line}`);
        }),
        { numRuns: 300, seed: 42 },
      );
    });
  });
}

describe('damage to a sealed snapshot that no key opens', () => {
  it('makes nobody up either', async () => {
    const { store } = await savedStore(900, storeKeys(1));
    const bytes = await store.get(PART);
    fc.assert(
      fc.property(damageOf(bytes), fc.boolean(), (changed, hasKey) => {
        const { lines, state } = restorePart(changed, hasKey ? storeKeys(2) : noKeys());
        assert.deepEqual(lines, []);
        assert.ok(state === 'locked' || state === 'damaged', state);
      }),
      { numRuns: 500, seed: 42 },
    );
  });
});
