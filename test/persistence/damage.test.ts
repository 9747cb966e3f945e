import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeManifest } from '../../src/persistence/manifest.ts';
import { BLOCK_HEADER_BYTES, OBJECT_HEADER_BYTES } from '../../src/persistence/object-format.ts';
import { HeldTotals, noCounts, PartRestorer } from '../../src/persistence/part-restorer.ts';
import { StopMemory } from '../../src/persistence/stop-memory.ts';
import type { SwarmTable } from '../../src/swarm/swarm-table.ts';
import { flipBit } from '../builders/damage.ts';
import { contents, fillTable } from '../builders/saved-swarms.ts';
import { makeSaver, PEER_TTL_SECONDS, restore } from '../builders/snapshots.ts';
import { MemoryStore } from '../builders/store.ts';
import { HASH_KEY, NOW, swarmTable } from '../builders/swarm.ts';

const PART = 'snapshots/0000000001-boot0001/part-00000';
const MANIFEST = 'snapshots/0000000001-boot0001/manifest';

async function savedStore(peers: number): Promise<{ store: MemoryStore; table: SwarmTable }> {
  const store = new MemoryStore();
  const table = swarmTable({ peersMax: 2_000, swarmsMax: 1_000 });
  fillTable(table, { peers, nowSeconds: NOW });
  await makeSaver(store, table).save('schedule');
  return { store, table };
}

/** Restores one part by itself; returns the peers that came back and whether the part was found whole. */
function restorePart(bytes: Uint8Array): { readonly lines: readonly string[]; readonly state: string } {
  const table = swarmTable({ peersMax: 2_000, swarmsMax: 1_000 });
  const settings = {
    table,
    isServed: () => true,
    stops: new StopMemory({ hashKey: HASH_KEY, journalSeconds: 0 }),
    peerTtlSeconds: PEER_TTL_SECONDS,
    addresses: { add: () => {} },
    nowSeconds: () => NOW,
    offsetSeconds: 0,
  };
  const part = new PartRestorer(bytes, settings, noCounts(), new HeldTotals());
  while (part.step());
  return { lines: contents(table, NOW), state: part.state };
}

const peersOf = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => !line.includes('completed'));

describe('damage to a stored snapshot', () => {
  it('never crashes a reader and never makes up a peer, whatever and wherever it is', async () => {
    const { store, table } = await savedStore(900);
    const bytes = await store.get(PART);
    const known = new Set(contents(table, NOW));
    let damaged = 0;
    let salvaged = 0;
    const place = fc.nat({ max: bytes.length - 1 });
    const damage = fc.oneof(
      fc
        .array(fc.tuple(place, fc.nat({ max: 7 })), { minLength: 1, maxLength: 5 })
        .map((flips) => flips.reduce((before, [at, bit]) => flipBit(before, at, bit), bytes)),
      place.map((at) => bytes.subarray(0, at)),
      fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 300 })).map(([at, noise]) => {
        const changed = Uint8Array.from(bytes);
        changed.set(noise.subarray(0, bytes.length - at), at);
        return changed;
      }),
      fc
        .tuple(place, place)
        .map(([from, to]) => Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])),
      fc.uint8Array({ minLength: 1, maxLength: 100 }).map((tail) => Buffer.concat([bytes, tail])),
      fc.uint8Array({ maxLength: 500 }),
    );
    fc.assert(
      fc.property(damage, (changed) => {
        const { lines, state } = restorePart(changed);
        for (const line of lines) assert.ok(known.has(line), `made up: ${line}`);
        if (Buffer.compare(changed, bytes) === 0) return;
        assert.equal(state, 'damaged');
        damaged += 1;
        if (lines.length > 0) salvaged += 1;
      }),
      { numRuns: 1_500, seed: 42 },
    );
    assert.ok(damaged > 1_000, `${damaged} damaged`);
    assert.ok(salvaged > 300, `${salvaged} gave some peers back`);
  });

  it('is seen in every byte of the header, of a block header and of the manifest', async () => {
    const { store } = await savedStore(900);
    const part = await store.get(PART);
    for (let at = 0; at < OBJECT_HEADER_BYTES + BLOCK_HEADER_BYTES; at++) {
      for (let bit = 0; bit < 8; bit++) {
        assert.equal(restorePart(flipBit(part, at, bit)).state, 'damaged', `bit ${bit} of byte ${at}`);
      }
    }
    const manifest = await store.get(MANIFEST);
    for (let at = 0; at < manifest.length; at++) {
      assert.equal(decodeManifest(flipBit(manifest, at, at & 7)), 'damaged', `byte ${at} of the manifest`);
      assert.equal(decodeManifest(manifest.subarray(0, at)), 'damaged', `manifest cut at ${at}`);
    }
  });

  it('is seen when a part ends exactly where a block does', async () => {
    const { store } = await savedStore(900);
    const bytes = Buffer.from(await store.get(PART));
    const edges: number[] = [];
    for (
      let at = OBJECT_HEADER_BYTES;
      at < bytes.length;
      at += BLOCK_HEADER_BYTES + bytes.readUInt32LE(at + 8)
    )
      edges.push(at);
    assert.ok(edges.length >= 3);
    for (const edge of edges) assert.equal(restorePart(bytes.subarray(0, edge)).state, 'damaged');
  });

  it('in one block costs the peers of that block only', async () => {
    const { store, table } = await savedStore(900);
    const bytes = Buffer.from(await store.get(PART));
    const first = OBJECT_HEADER_BYTES;
    const { lines } = restorePart(flipBit(bytes, first + BLOCK_HEADER_BYTES + 100));
    const all = peersOf(contents(table, NOW)).length;
    assert.ok(lines.length > all * 0.1 && lines.length < all, `${lines.length} of ${all}`);
    // Also when the header of the block, and with it its length, is what was hit, or the object's own header.
    assert.equal(restorePart(flipBit(bytes, first + 8)).lines.length, lines.length);
    assert.equal(peersOf(restorePart(flipBit(bytes, 9)).lines).length, all);
  });

  it('to a block that was swapped with another is seen', async () => {
    const { store } = await savedStore(1_500);
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
    assert.equal(restorePart(swapped).state, 'damaged');
  });

  it('to any one object still lets the restore settle, and keeps the older snapshot', async () => {
    const { store, table } = await savedStore(300);
    const older = contents(table, NOW);
    fillTable(table, { peers: 100, nowSeconds: NOW, seed: 5 });
    await makeSaver(store, table, { boot: 'boot0002' }).save('schedule');
    for (const key of store.keys('snapshots/0000000002')) {
      const object = store.objects.get(key)!;
      const { bytes } = object;
      for (let at = 0; at < bytes.length; at += 97) {
        store.objects.set(key, { ...object, bytes: flipBit(bytes, at) });
        const restored = swarmTable({ peersMax: 2_000, swarmsMax: 1_000 });
        const restorer = await restore(store, restored);
        assert.ok(restorer.isSettled);
        assert.equal(restorer.progress.snapshot, 'snapshots/0000000001-boot0001/', `byte ${at} of ${key}`);
        const known = new Set(contents(restored, NOW));
        assert.ok(
          older.every((line) => known.has(line)),
          `byte ${at} of ${key}`,
        );
      }
      store.objects.set(key, object);
    }
  });
});
