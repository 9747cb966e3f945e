import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { SMALL_PEERS_MAX } from '../../src/swarm/peer-memory.ts';
import {
  AGE_SECONDS_MAX,
  COMPLETED_ONCE,
  ENDPOINT_BYTES,
  IS_PARTIAL_SEED,
  LEECHER,
  PARTIAL_SEED,
  RECORD_BYTES,
  SEEDER,
} from '../../src/swarm/record.ts';
import { Outcome, type SwarmTable } from '../../src/swarm/swarm-table.ts';
import { endpoint, infoHash, NOW, peerId, swarmTable } from '../builders/swarm.ts';
import { assertInvariants } from './invariants.ts';

const DAY = 86_400;

function sight(table: SwarmTable, swarm: number, n: number, now = NOW, role: 0 | 1 | 2 = LEECHER): Outcome {
  const slot = table.open(infoHash(swarm), now);
  if (slot < 0) return Outcome.refused;
  return table.sight(slot, 0, endpoint(0, n), peerId(n), role, false, now);
}

function purge(table: SwarmTable, now: number): number {
  const run = table.purge(now, 3600);
  while (run.step());
  return run.removed;
}

describe('a peer', () => {
  test('that changes its peer id is still one peer, and may complete again', () => {
    const table = swarmTable();
    const slot = table.open(infoHash(1), NOW);
    table.sight(slot, 0, endpoint(0, 1), peerId(1), SEEDER, true, NOW);
    table.sight(slot, 0, endpoint(0, 1), peerId(1), SEEDER, true, NOW);
    assert.equal(table.completed(slot), 1);
    table.sight(slot, 0, endpoint(0, 1), peerId(2), SEEDER, true, NOW);
    assert.equal(table.completed(slot), 2);
    assert.equal(table.totals.peers, 1);
  });

  test('cannot be removed by one that knows its peer id but not its address', () => {
    const table = swarmTable();
    sight(table, 1, 1);
    assert.equal(table.forget(table.find(infoHash(1)), 0, endpoint(0, 2), NOW), -1);
    assert.equal(table.totals.peers, 1);
  });

  test('over IPv4 and over IPv6 is two, kept apart', () => {
    const table = swarmTable();
    const slot = table.open(infoHash(1), NOW);
    table.sight(slot, 0, endpoint(0, 1), peerId(1), PARTIAL_SEED, false, NOW);
    table.sight(slot, 1, endpoint(1, 1), peerId(1), PARTIAL_SEED, false, NOW);
    assert.deepEqual([table.totals.peersIpv4, table.totals.peersIpv6], [1, 1]);
    assert.deepEqual([table.leechers(slot), table.partialSeeds(slot), table.seeders(slot)], [2, 2, 0]);
  });
});

describe('the purge', () => {
  test('removes peers past the time to live and then their swarm, to the second', () => {
    const table = swarmTable();
    sight(table, 1, 1, NOW);
    sight(table, 1, 2, NOW + 1);
    assert.equal(purge(table, NOW + 3600), 0);
    assert.equal(purge(table, NOW + 3601), 1);
    assert.equal(table.totals.swarms, 1);
    assert.equal(purge(table, NOW + 3602), 1);
    assert.equal(table.totals.swarms, 0);
    assert.equal(table.find(infoHash(1)), -1);
  });

  test('lets a peer live that is heard after it began', () => {
    const table = swarmTable();
    sight(table, 1, 1, NOW);
    const run = table.purge(NOW + 5000, 3600);
    sight(table, 1, 1, NOW + 5003);
    while (run.step());
    assert.equal(run.removed, 0);
  });

  test('keeps the count of a swarm without peers for 30 days, and not among the swarms', () => {
    const table = swarmTable();
    const slot = table.open(infoHash(1), NOW);
    table.sight(slot, 0, endpoint(0, 1), peerId(1), SEEDER, true, NOW);
    table.forget(slot, 0, endpoint(0, 1), NOW);
    purge(table, NOW + 60);
    assert.deepEqual([table.totals.swarms, table.totals.retained], [0, 1]);
    for (let hour = 1; hour <= 30 * 24; hour++) purge(table, NOW + hour * 3600);
    assert.equal(table.completed(table.find(infoHash(1))), 1);
    purge(table, NOW + 30 * DAY + 60);
    assert.equal(table.find(infoHash(1)), -1);
    assert.equal(table.totals.retained, 0);
    assertInvariants(table);
  });

  test('remembers at most a tenth of the swarms so, the oldest first out', () => {
    const table = swarmTable({ peersMax: 1000, swarmsMax: 100 });
    for (let n = 0; n < 15; n++) {
      const now = NOW + n * 3600;
      const slot = table.open(infoHash(n), now);
      table.sight(slot, 0, endpoint(0, n), peerId(n), SEEDER, true, now);
      table.forget(slot, 0, endpoint(0, n), now);
      purge(table, now);
    }
    assert.equal(table.totals.retained, 10);
    assert.equal(table.find(infoHash(4)), -1);
    assert.ok(table.find(infoHash(5)) >= 0);
  });

  test('a swarm that was only remembered goes on counting when peers come back', () => {
    const table = swarmTable();
    for (const now of [NOW, NOW + 7200]) {
      const slot = table.open(infoHash(1), now);
      table.sight(slot, 0, endpoint(0, 1), peerId(1), SEEDER, true, now);
      table.forget(slot, 0, endpoint(0, 1), now);
      purge(table, now);
      assertInvariants(table);
    }
    assert.equal(table.completed(table.find(infoHash(1))), 2);
  });
});

describe('time', () => {
  test('never goes back: a peer heard by a late clock is not taken for expired', () => {
    const table = swarmTable();
    sight(table, 1, 1, NOW);
    sight(table, 1, 2, NOW - 100);
    assert.equal(purge(table, NOW + 3600), 0);
  });

  test('that stood still for hours leaves no peer behind whose age could be mistaken', () => {
    const table = swarmTable();
    const slot = table.open(infoHash(1), NOW);
    table.sight(slot, 0, endpoint(0, 1), peerId(1), SEEDER, true, NOW);
    sight(table, 2, 2, NOW);
    // 16,384 seconds on, the low 14 bits of the clock are the same again.
    sight(table, 3, 3, NOW + 16_384);
    assert.equal(table.totals.peers, 1);
    purge(table, NOW + 16_384);
    assert.deepEqual([table.totals.swarms, table.totals.retained], [1, 1]);
    assertInvariants(table);
  });
});

describe('a table that is nearly full', () => {
  test('lets the longest unseen of a large swarm give way to a new peer of it', () => {
    const table = swarmTable({ peersMax: 1000, swarmsMax: 500 });
    for (let n = 0; n < 950; n++) sight(table, 1, n, NOW + n);
    assert.equal(table.isNearlyFull, true);
    const outcomes = Array.from({ length: 300 }, (_, n) => sight(table, 1, 5000 + n, NOW + 1000));
    assert.ok(outcomes.every((outcome) => outcome === Outcome.replaced));
    assert.equal(table.totals.peers, 950);
    assert.equal(table.totals.evicted, 300);
    // The old ones went: five candidates at a time, hardly any newcomer among those that gave way.
    const left = Array.from({ length: 300 }, (_, n) => n).filter(
      (n) => table.forget(table.find(infoHash(1)), 0, endpoint(0, 5000 + n), NOW + 1000) >= 0,
    );
    assert.ok(left.length > 280, `${left.length} of 300 newcomers are left`);
  });

  test('gives a small swarm a free slot until none is left, then answers without storing', () => {
    const table = swarmTable({ peersMax: 1000, swarmsMax: 500 });
    for (let n = 0; n < 950; n++) sight(table, 1, n);
    for (let n = 0; n < 50; n++) assert.equal(sight(table, 2, n), Outcome.added);
    assert.equal(sight(table, 2, 51), Outcome.refused);
    assert.equal(sight(table, 3, 1), Outcome.refused);
    assert.equal(table.find(infoHash(3)), -1, 'no empty swarm is left behind');
    assert.equal(sight(table, 2, 1), Outcome.refreshed);
  });

  test('out of swarm slots, a one-peer swarm gives way: the longest unseen of a few', () => {
    const table = swarmTable({ peersMax: 10_000, swarmsMax: 200 });
    for (let n = 0; n < 200; n++) sight(table, n, n, NOW + n);
    for (let n = 0; n < 100; n++) assert.equal(sight(table, 1000 + n, n, NOW + 1000), Outcome.added);
    assert.equal(table.totals.swarms, 200);
    const oldLeft = Array.from({ length: 100 }, (_, n) => table.find(infoHash(n))).filter(
      (slot) => slot >= 0,
    );
    assert.ok(oldLeft.length < 40, `${oldLeft.length} of the 100 oldest are left`);
    assertInvariants(table);
  });

  test('out of swarm slots and with nobody to give way, a new swarm is refused', () => {
    const table = swarmTable({ peersMax: 10_000, swarmsMax: 100 });
    for (let n = 0; n < 100; n++) for (const peer of [1, 2]) sight(table, n, peer);
    assert.equal(sight(table, 1000, 1), Outcome.refused);
    assert.equal(table.totals.refused, 1);
  });
});

describe('a table whose memory is out', () => {
  /** As if every page were taken: the next block that needs a new one is not to be had. */
  function takeAllPages(table: SwarmTable): void {
    const arena = table.memory.arena as { pagesMax: number; readonly pagesInUse: number };
    arena.pagesMax = arena.pagesInUse + 1;
  }

  test('pushes nobody out for a newcomer that it cannot store', () => {
    const table = swarmTable({ peersMax: 1_000_000, swarmsMax: 1000 });
    for (let n = 0; n < 5000; n++) sight(table, 1, n, NOW);
    takeAllPages(table);
    const slot = table.find(infoHash(1));
    const outcomes = [0, 0, 0, 0];
    for (let n = 0; n < 3000; n++) {
      outcomes[table.sight(slot, 1, endpoint(1, n), peerId(n), LEECHER, false, NOW + 1)] += 1;
    }
    assert.ok(outcomes[Outcome.refused] > 2000);
    assert.equal(table.totals.peers, 5000 + outcomes[Outcome.added]);
    assert.equal(table.totals.evicted, outcomes[Outcome.replaced]);
    assertInvariants(table);
  });

  test('keeps a peer that completes where it was', () => {
    const table = swarmTable({ peersMax: 1_000_000, swarmsMax: 1000 });
    for (let n = 0; n < 5000; n++) sight(table, 1, n, NOW);
    takeAllPages(table);
    for (let n = 0; n < 5000; n++) assert.equal(sight(table, 1, n, NOW + 1, SEEDER), Outcome.refreshed);
    assert.equal(table.totals.peers, 5000);
    assertInvariants(table);
  });

  test('still frees a big swarm that everybody has left', () => {
    const table = swarmTable({ peersMax: 1_000_000, swarmsMax: 1000 });
    for (let n = 0; n < 175; n++) sight(table, 1, n, NOW);
    takeAllPages(table);
    const slot = table.find(infoHash(1));
    for (let n = 0; n < 175; n++) assert.ok(table.forget(slot, 0, endpoint(0, n), NOW) >= 0);
    purge(table, NOW + 60);
    assert.equal(table.totals.swarms, 0);
    assert.equal(table.memory.slots.count, 0);
    assertInvariants(table);
  });
});

test('out of swarm slots, swarms that everybody has left go before any that is alive', () => {
  const table = swarmTable({ peersMax: 10_000, swarmsMax: 500 });
  for (let n = 0; n < 500; n++) sight(table, n, n);
  for (let n = 20; n < 500; n++) table.forget(table.find(infoHash(n)), 0, endpoint(0, n), NOW);
  for (let n = 0; n < 100; n++) assert.equal(sight(table, 1000 + n, n), Outcome.added);
  for (let n = 0; n < 20; n++) assert.ok(table.find(infoHash(n)) >= 0, `live swarm ${n} is there`);
  assertInvariants(table);
});

describe('restoring', () => {
  test('a live sighting that beats the saved one does not forget that it had completed', () => {
    const table = swarmTable();
    sight(table, 1, 1, NOW, SEEDER);
    const slot = table.find(infoHash(1));
    const record = Buffer.concat([endpoint(0, 1), Buffer.alloc(2), peerId(1)]);
    table.restorePeer(slot, 0, true, COMPLETED_ONCE, NOW - 100, record, 0, NOW, 3600);
    table.sight(slot, 0, endpoint(0, 1), peerId(1), SEEDER, true, NOW + 1);
    assert.equal(table.completed(slot), 0);
  });

  test('a saved peer never beats one that was heard as late or later', () => {
    const table = swarmTable();
    sight(table, 1, 1, NOW, SEEDER);
    const record = Buffer.concat([endpoint(0, 1), Buffer.alloc(2), peerId(9)]);
    const slot = table.find(infoHash(1));
    assert.equal(table.restorePeer(slot, 0, false, 0, NOW, record, 0, NOW, 3600), Outcome.refreshed);
    assert.equal(table.seeders(slot), 1);
  });

  test('a saved peer past its time to live is left out', () => {
    const table = swarmTable();
    const slot = table.open(infoHash(1), NOW);
    const record = Buffer.concat([endpoint(0, 1), Buffer.alloc(2), peerId(9)]);
    table.restorePeer(slot, 0, false, 0, NOW - 3601, record, 0, NOW, 3600);
    assert.equal(table.totals.peers, 0);
    table.restorePeer(slot, 0, false, 0, NOW - 3600, record, 0, NOW, 3600);
    assert.equal(table.totals.peers, 1);
  });

  test('makes room in the index ahead of the swarms that come, and finds those that were there', () => {
    const table = swarmTable();
    for (let swarm = 0; swarm < 2_000; swarm++) sight(table, swarm, swarm);
    while (table.expectSwarms(20_000));
    const { chains } = table.memory.slots;
    assert.equal(chains, 20_000);
    for (let swarm = 2_000; swarm < 20_000; swarm++) sight(table, swarm, swarm);
    assert.equal(table.memory.slots.chains, chains, 'no chain had to be split');
    assertInvariants(table);
    while (table.expectSwarms(Number.MAX_SAFE_INTEGER));
    assert.equal(table.memory.slots.chains, table.swarmsMax);
  });

  test('adds saved completions to those heard since start', () => {
    const table = swarmTable();
    const slot = table.open(infoHash(1), NOW);
    table.sight(slot, 0, endpoint(0, 1), peerId(1), SEEDER, true, NOW);
    table.restoreTotals(slot, 41, NOW - 10, NOW);
    assert.equal(table.completed(slot), 42);
  });
});

describe('restoring a swarm at once', () => {
  /** Packed records, seeders first; the last leecher is a partial seed, the first peer has completed. */
  function records(family: 0 | 1, seeders: number, leechers: number, seen: number): Buffer {
    const count = seeders + leechers;
    return Buffer.concat(
      Array.from({ length: count }, (_, n) => {
        const flags =
          (n === 0 ? COMPLETED_ONCE : 0) | (n >= seeders && n === count - 1 ? IS_PARTIAL_SEED : 0);
        const word = Buffer.alloc(2);
        word.writeUInt16LE((seen & AGE_SECONDS_MAX) | flags);
        return Buffer.concat([endpoint(family, n), word, peerId(n)]);
      }),
    );
  }

  for (const family of [0, 1] as const) {
    for (const [seeders, leechers] of [
      [1, 0],
      [0, 1],
      [2, 3],
      [100, SMALL_PEERS_MAX - 100],
    ] as const) {
      test(`gives the swarm that ${seeders} seeders and ${leechers} leechers give one by one (IPv${family === 0 ? 4 : 6})`, () => {
        const saved = records(family, seeders, leechers, NOW - 100);
        const recordBytes = RECORD_BYTES[family]!;
        const [atOnce, oneByOne] = [swarmTable(), swarmTable()];
        const hash = infoHash(1);
        const slot = atOnce.open(hash, NOW);
        const isDone = atOnce.restoreSwarm(slot, family, seeders, leechers, saved, 0, NOW - 100, NOW);
        assert.equal(isDone, true);
        const other = oneByOne.open(hash, NOW);
        for (let n = 0, at = 0; n < seeders + leechers; n++, at += recordBytes) {
          const flags = saved.readUInt16LE(at + ENDPOINT_BYTES[family]!) & ~AGE_SECONDS_MAX;
          oneByOne.restorePeer(other, family, n < seeders, flags, NOW - 100, saved, at, NOW, 3600);
        }
        assert.deepEqual(atOnce.totals, oneByOne.totals);
        assert.equal(atOnce.changes, oneByOne.changes);
        assert.equal(atOnce.partialSeeds(slot), oneByOne.partialSeeds(other));
        assert.equal(atOnce.partialSeeds(slot), leechers > 0 ? 1 : 0);
        assertInvariants(atOnce);
        for (const table of [atOnce, oneByOne]) {
          const role = seeders > 0 ? SEEDER : LEECHER;
          table.sight(table.find(hash), family, endpoint(family, 0), peerId(0), role, true, NOW);
          assert.equal(table.completed(table.find(hash)), 0, 'its completion was counted before');
          assert.equal(purge(table, NOW + 3501), seeders + leechers - 1, 'the others were heard 3,601 s ago');
        }
      });
    }
  }

  function assertLeftAlone(table: SwarmTable, swarm: number, count: number, now = NOW): void {
    const slot = table.open(infoHash(swarm), now);
    const before = { totals: table.totals, changes: table.changes };
    assert.equal(table.restoreSwarm(slot, 0, 0, count, records(0, 0, count, now), 0, now, now), false);
    assert.deepEqual({ totals: table.totals, changes: table.changes }, before);
  }

  test('is not for a swarm that has peers of the family, but for one that has others', () => {
    const table = swarmTable();
    sight(table, 1, 99);
    assertLeftAlone(table, 1, 2);
    const slot = table.find(infoHash(1));
    assert.equal(table.restoreSwarm(slot, 1, 1, 1, records(1, 1, 1, NOW), 0, NOW, NOW), true);
    assert.equal(table.totals.swarms, 1);
    assertInvariants(table);
  });

  test('is not for more peers than a block holds, nor for more than the table may be filled with', () => {
    assertLeftAlone(swarmTable(), 1, SMALL_PEERS_MAX + 1);
    const table = swarmTable({ peersMax: 1_000 });
    for (let n = 0; n < 900; n++) sight(table, n, n);
    assertLeftAlone(table, 2_000, 51);
    const slot = table.open(infoHash(2_001), NOW);
    assert.equal(table.restoreSwarm(slot, 0, 0, 50, records(0, 0, 50, NOW), 0, NOW, NOW), true);
    assertLeftAlone(table, 2_002, 1);
  });

  test('is not for a clock that was set back: by the table’s time some may be past theirs', () => {
    const table = swarmTable();
    sight(table, 1, 1, NOW + 60);
    assertLeftAlone(table, 2, 1, NOW);
  });

  test('brings a swarm that was only remembered back among the living', () => {
    const table = swarmTable();
    const slot = table.open(infoHash(1), NOW);
    table.restoreTotals(slot, 5, NOW, NOW);
    purge(table, NOW);
    assert.equal(table.totals.retained, 1);
    assert.equal(table.restoreSwarm(slot, 0, 1, 1, records(0, 1, 1, NOW), 0, NOW, NOW), true);
    const { swarms, retained } = table.totals;
    assert.deepEqual({ swarms, retained }, { swarms: 1, retained: 0 });
    assert.equal(table.completed(slot), 5);
    assertInvariants(table);
  });
});

test('memory that cannot be reserved is a clear error', () => {
  assert.throws(() => swarmTable({ peersMax: 2 ** 46, swarmsMax: 1000 }), /cannot reserve .* MiB for/);
});
