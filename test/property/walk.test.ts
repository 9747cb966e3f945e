/**
 * A walk for a snapshot while announces go on between its steps (rules D-N1, D-N2): whoever was there at the
 * start and stays is handed out, nobody is invented, and completed downloads are those of the start.
 */
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import fc from 'fast-check';
import { type Family, LEECHER, SEEDER } from '../../src/swarm/record.ts';
import type { SwarmTable } from '../../src/swarm/swarm-table.ts';
import type { WalkSink } from '../../src/swarm/walk.ts';
import { seededRandom } from '../builders/random.ts';
import { endpoint, infoHash, NOW, peerId, swarmTable } from '../builders/swarm.ts';

const happened = { setAside: 0, splits: 0, joins: 0, promotions: 0, collapses: 0, chains: 0, removals: 0 };

/** Peers by `swarm/family/number`, as they are and as the walk saw them. */
class Present {
  readonly now = new Set<string>();
  /** There at the start and ever since. */
  readonly stayed = new Set<string>();
  /** There at any time during the walk. */
  readonly ever = new Set<string>();
  /** Swarms that went during the walk: one of the same hash that comes back begins anew. */
  readonly dropped = new Set<number>();
}

function randomChange(
  table: SwarmTable,
  present: Present,
  random: () => number,
  sizes: readonly number[],
): void {
  // Half of all changes meet the big swarms, where records move.
  const swarm = random() % (random() % 2 === 0 ? 3 : sizes.length);
  const family = (random() % 5 === 0 ? 1 : 0) as Family;
  const first = random() % sizes[swarm];
  const action = random() % 5;
  // Now and then nearly everybody leaves, so that buckets are joined and big swarms become small.
  const count = 1 + (random() % (action === 0 && random() % 4 === 0 ? sizes[swarm] : 60));
  for (let n = first; n < first + count; n++) {
    const key = `${swarm}/${family}/${n}`;
    if (action === 0 || action === 1) {
      const slot = table.find(infoHash(swarm));
      if (slot >= 0) table.forget(slot, family, endpoint(family, n), NOW);
      present.now.delete(key);
      present.stayed.delete(key);
    } else {
      const role = action === 2 ? LEECHER : SEEDER;
      const slot = table.open(infoHash(swarm), NOW);
      table.sight(slot, family, endpoint(family, n), peerId(n), role, action === 4, NOW);
      present.now.add(key);
      present.ever.add(key);
    }
  }
  if (random() % 400 === 0) {
    table.drop(infoHash(swarm));
    present.dropped.add(swarm);
    happened.removals += 1;
    for (const key of [...present.stayed, ...present.now]) {
      if (!key.startsWith(`${swarm}/`)) continue;
      present.stayed.delete(key);
      present.now.delete(key);
    }
  }
}

test("whoever was there at the start and stays is handed out; nobody is invented; counts are the start's", () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const random = seededRandom(seed);
      const table = swarmTable({ random });
      const sizes = [3000, 700, 250, 170, 100, 20, 5, 2, 1, 1];
      const present = new Present();
      for (let round = 0; round < 120; round++) randomChange(table, present, random, sizes);
      for (const key of present.now) present.stayed.add(key);
      present.ever.clear();
      present.dropped.clear();
      for (const key of present.now) present.ever.add(key);
      const completedAtStart = new Map<string, number>();
      for (let swarm = 0; swarm < sizes.length; swarm++) {
        const slot = table.find(infoHash(swarm));
        completedAtStart.set(hex(infoHash(swarm)), slot < 0 ? 0 : table.completed(slot));
      }

      const handedOut = new Set<string>();
      const swarmsHandedOut = new Set<string>();
      const numbers = numbersByEndpoint(4000);
      const sink: WalkSink = {
        swarm(hash, completed): void {
          const key = hex(hash);
          const isNew = present.dropped.has(new DataView(hash.buffer, hash.byteOffset).getUint32(0));
          assert.ok(isNew || !swarmsHandedOut.has(key), 'a swarm is handed out once');
          swarmsHandedOut.add(key);
          assert.equal(completed, isNew ? 0 : (completedAtStart.get(key) ?? 0));
        },
        run(hash, family, seeders, leechers, bytes, at): void {
          const size = family === 0 ? 28 : 40;
          const swarm = new DataView(hash.buffer, hash.byteOffset).getUint32(0);
          for (let index = 0; index < seeders + leechers; index++) {
            const from = at + index * size;
            const n = numbers.get(hex(bytes.subarray(from, from + size - 22)));
            assert.ok(n !== undefined, 'a record that nobody announced');
            handedOut.add(`${swarm}/${family}/${n}`);
          }
        },
      };

      const walk = table.walk(NOW);
      // New swarms in the middle grow the index and take freed slots.
      let steps = 0;
      while (walk.step(sink)) {
        steps += 1;
        for (let change = random() % 12; change > 0; change--) randomChange(table, present, random, sizes);
        if (steps === 3) {
          for (let n = 0; n < 1500; n++) table.open(infoHash(100_000 + n), NOW);
        }
      }
      happened.setAside += walk.setAside;
      assert.equal(walk.lost, 0);
      walk.end();

      for (const key of present.stayed) assert.ok(handedOut.has(key), `${key} was missed`);
      for (const key of handedOut) assert.ok(present.ever.has(key), `${key} was never there`);
      happened.chains = Math.max(happened.chains, table.memory.slots.chains);
      for (const peers of table.families) {
        happened.splits += peers.sets.splits;
        happened.joins += peers.sets.joins;
        happened.promotions += peers.promotions;
        happened.collapses += peers.collapses;
      }
    }),
    { numRuns: 150, seed: 99, endOnFailure: true, includeErrorInReport: true },
  );
});

after(() => {
  assert.ok(happened.setAside > 100, 'records were set aside before they moved behind the walk');
  assert.ok(happened.splits > 50 && happened.joins > 50 && happened.promotions > 20);
  assert.ok(happened.collapses > 10 && happened.chains > 1024 && happened.removals > 5);
});

test('a second walk must wait for the first to end', () => {
  const table = swarmTable();
  const walk = table.walk(NOW);
  assert.throws(() => table.walk(NOW), /under way/);
  walk.end();
  table.walk(NOW).end();
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function numbersByEndpoint(count: number): Map<string, number> {
  const numbers = new Map<string, number>();
  for (let n = 0; n < count; n++) {
    numbers.set(hex(endpoint(0, n)), n);
    numbers.set(hex(endpoint(1, n)), n);
  }
  return numbers;
}
