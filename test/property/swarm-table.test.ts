/**
 * The packed table against a plain model of Maps, over long random histories: after every step both must tell
 * the same, and the table's own order must hold. At the end the test counts that the histories went everywhere.
 */
import assert from 'node:assert/strict';
import test, { after, describe } from 'node:test';
import fc from 'fast-check';
import { halfSipHash } from '../../src/swarm/half-sip-hash.ts';
import { BUCKET_PEERS_MAX, RECORD_CAPACITIES } from '../../src/swarm/peer-memory.ts';
import { type Family, PARTIAL_SEED, RecordLayout, type Role, SEEDER } from '../../src/swarm/record.ts';
import { Outcome, type SwarmTable } from '../../src/swarm/swarm-table.ts';
import { seededRandom } from '../builders/random.ts';
import { endpoint, HASH_KEY, infoHash, NOW, peerId, swarmTable } from '../builders/swarm.ts';
import { assertInvariants } from '../swarm/invariants.ts';

const TTL = 3600;

interface ModelPeer {
  peerId: number;
  role: Role;
  completedOnce: boolean;
  lastSeen: number;
}

interface ModelSwarm {
  completed: number;
  lastActivity: number;
  readonly peers: Map<string, ModelPeer>;
}

/** A tracker's state as one would write it down without a thought for memory. */
class Model {
  readonly swarms = new Map<number, ModelSwarm>();

  sight(swarm: number, key: string, id: number, role: Role, isCompletion: boolean, now: number): void {
    const entry = this.swarms.get(swarm) ?? { completed: 0, lastActivity: now, peers: new Map() };
    this.swarms.set(swarm, entry);
    const before = entry.peers.get(key);
    const completedBefore = before !== undefined && before.peerId === id && before.completedOnce;
    if (isCompletion && !completedBefore) entry.completed += 1;
    entry.peers.set(key, {
      peerId: id,
      role,
      completedOnce: completedBefore || isCompletion,
      lastSeen: now,
    });
    entry.lastActivity = now;
  }

  forget(swarm: number, key: string, now: number): boolean {
    const entry = this.swarms.get(swarm);
    if (!entry?.peers.delete(key)) return false;
    entry.lastActivity = now;
    return true;
  }

  purge(now: number): void {
    for (const [swarm, entry] of this.swarms) {
      for (const [key, peer] of entry.peers) if (now - peer.lastSeen > TTL) entry.peers.delete(key);
      const isOld = now - entry.lastActivity > 30 * 86_400;
      if (entry.peers.size === 0 && (entry.completed === 0 || isOld)) this.swarms.delete(swarm);
    }
  }
}

type Step =
  | { kind: 'burst'; swarm: number; family: Family; first: number; count: number; role: Role; ids: number }
  | { kind: 'complete'; swarm: number; family: Family; first: number; count: number; ids: number }
  | { kind: 'stop'; swarm: number; family: Family; first: number; count: number }
  | { kind: 'wait'; seconds: number }
  | { kind: 'purge' }
  | { kind: 'drop'; swarm: number };

const swarm = fc.oneof({ weight: 3, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.nat(3000) });
const family = fc.constantFrom<Family>(0, 0, 0, 1);
const role = fc.constantFrom<Role>(0, 0, PARTIAL_SEED, SEEDER, SEEDER);
const count = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 12 }) },
  { weight: 3, arbitrary: fc.integer({ min: 10, max: 170 }) },
  { weight: 1, arbitrary: fc.integer({ min: 150, max: 1500 }) },
);
const first = fc.nat(400);
const ids = fc.nat(1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('burst'), swarm, family, first, count, role, ids }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('complete'), swarm, family, first, count, ids }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('stop'), swarm, family, first, count }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait'), seconds: fc.integer({ min: 1, max: 2400 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('purge') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop'), swarm }) },
) as fc.Arbitrary<Step>;

/** What the histories did, over all runs. */
const happened = { splits: 0, joins: 0, promotions: 0, collapses: 0, chains: 0, retained: 0 };
const classes = [new Uint32Array(RECORD_CAPACITIES.length), new Uint32Array(RECORD_CAPACITIES.length)];

function addClasses(table: SwarmTable): void {
  for (const [number, counts] of classes.entries()) {
    for (let index = 0; index < counts.length; index++) {
      counts[index] += table.memory.arena.allocations[number * RECORD_CAPACITIES.length + index];
    }
  }
}

/** Endpoints whose hashes agree in their low 12 bits, found with the table's secret, which nobody else has. */
function collidingEndpoints(family: Family, wanted: number): Uint8Array[] {
  const layout = new RecordLayout(family);
  const found: Uint8Array[] = [];
  for (let n = 0; found.length < wanted; n++) {
    const candidate = endpoint(family, n);
    layout.loadEndpoint(candidate, 0);
    const hash = halfSipHash(HASH_KEY, layout.current, 0, layout.portWord + 1);
    if ((hash & 0xfff) === 0) found.push(candidate);
  }
  return found;
}

function applyStep(table: SwarmTable, model: Model, one: Step, now: number): void {
  switch (one.kind) {
    case 'burst':
    case 'complete': {
      const hash = infoHash(one.swarm);
      const isCompletion = one.kind === 'complete';
      const stepRole = isCompletion ? SEEDER : one.role;
      for (let n = one.first; n < one.first + one.count; n++) {
        const slot = table.open(hash, now);
        assert.ok(slot >= 0);
        const at = endpoint(one.family, n);
        const outcome = table.sight(
          slot,
          one.family,
          at,
          peerId(n * 2 + one.ids),
          stepRole,
          isCompletion,
          now,
        );
        assert.ok(outcome === Outcome.refreshed || outcome === Outcome.added);
        model.sight(one.swarm, `${one.family}/${n}`, n * 2 + one.ids, stepRole, isCompletion, now);
      }
      return;
    }
    case 'stop': {
      for (let n = one.first; n < one.first + one.count; n++) {
        const slot = table.find(infoHash(one.swarm));
        const isThere = model.forget(one.swarm, `${one.family}/${n}`, now);
        if (slot < 0) assert.equal(isThere, false);
        else assert.equal(table.forget(slot, one.family, endpoint(one.family, n), now) >= 0, isThere);
      }
      return;
    }
    case 'purge': {
      const purge = table.purge(now, TTL);
      while (purge.step());
      model.purge(now);
      return;
    }
    case 'drop':
      assert.equal(table.drop(infoHash(one.swarm)), model.swarms.delete(one.swarm));
      return;
    case 'wait':
      table.advance(now);
  }
}

function assertSame(table: SwarmTable, model: Model): void {
  let peers = 0;
  let seeders = 0;
  for (const [number, entry] of model.swarms) {
    const slot = table.find(infoHash(number));
    assert.ok(slot >= 0, `swarm ${number} is in the table`);
    const all = [...entry.peers.values()];
    const swarmSeeders = all.filter((peer) => peer.role === SEEDER).length;
    assert.equal(table.seeders(slot), swarmSeeders);
    assert.equal(table.leechers(slot), all.length - swarmSeeders);
    assert.equal(table.partialSeeds(slot), all.filter((peer) => peer.role === PARTIAL_SEED).length);
    assert.equal(table.completed(slot), entry.completed);
    peers += all.length;
    seeders += swarmSeeders;
  }
  assert.equal(table.totals.peers, peers);
  assert.equal(table.totals.seeders, seeders);
  assert.equal(table.memory.slots.count, model.swarms.size);
}

/** Reads every peer of the table back through a walk. */
function assertSamePeers(table: SwarmTable, model: Model, now: number): void {
  const walked = new Map<string, { peerId: string; isSeeder: boolean; seen: number; flags: number }>();
  const walk = table.walk(now);
  const sink = {
    swarm(): void {},
    run(
      hash: Uint8Array,
      runFamily: Family,
      seeders: number,
      leechers: number,
      bytes: Uint8Array,
      at: number,
    ): void {
      const size = runFamily === 0 ? 28 : 40;
      for (let index = 0; index < seeders + leechers; index++) {
        const record = Buffer.from(bytes.subarray(at + index * size, at + (index + 1) * size));
        const seen = record.readUInt16LE(size - 22);
        walked.set(
          `${Buffer.from(hash).toString('hex')}/${runFamily}/${record.toString('hex', 0, size - 22)}`,
          {
            peerId: record.toString('hex', size - 20),
            isSeeder: index < seeders,
            seen: seen & 0x3fff,
            flags: seen >>> 14,
          },
        );
      }
    },
  };
  while (walk.step(sink));
  walk.end();
  let count = 0;
  for (const [number, entry] of model.swarms) {
    for (const [key, peer] of entry.peers) {
      const [keyFamily, n] = key.split('/').map(Number);
      const at = Buffer.from(endpoint(keyFamily as Family, n)).toString('hex');
      const found = walked.get(`${Buffer.from(infoHash(number)).toString('hex')}/${keyFamily}/${at}`);
      assert.deepEqual(found, {
        peerId: Buffer.from(peerId(peer.peerId)).toString('hex'),
        isSeeder: peer.role === SEEDER,
        seen: peer.lastSeen & 0x3fff,
        flags: Number(peer.completedOnce) + 2 * Number(peer.role === PARTIAL_SEED),
      });
      count += 1;
    }
  }
  assert.equal(walked.size, count);
}

describe('the swarm table against a plain model', () => {
  test('tells the same after every step of a long random history', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
        const table = swarmTable();
        const model = new Model();
        let now = NOW;
        for (const one of steps) {
          if (one.kind === 'wait') now += one.seconds;
          applyStep(table, model, one, now);
          assertInvariants(table);
          assertSame(table, model);
        }
        assertSamePeers(table, model, now);
        happened.chains = Math.max(happened.chains, table.memory.slots.chains);
        happened.retained += table.totals.retained;
        for (const peers of table.families) {
          happened.splits += peers.sets.splits;
          happened.joins += peers.sets.joins;
          happened.promotions += peers.promotions;
          happened.collapses += peers.collapses;
        }
        addClasses(table);
      }),
      { numRuns: 120, seed: 20_240_801, endOnFailure: true, includeErrorInReport: true },
    );
  });

  test('many swarms at once grow the index, and its chains are found again', () => {
    const table = swarmTable();
    const model = new Model();
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 5000; n++) {
        const number = (n * 7 + round * 3001) % 9000;
        applyStep(
          table,
          model,
          { kind: 'burst', swarm: number, family: 0, first: n % 50, count: 1, role: 0, ids: 0 },
          NOW + round,
        );
      }
      for (let n = 0; n < 2000; n++) applyStep(table, model, { kind: 'drop', swarm: n * 3 }, NOW + round);
      assertInvariants(table);
      assertSame(table, model);
    }
    happened.chains = Math.max(happened.chains, table.memory.slots.chains);
  });

  for (const family of [0, 1] as const) {
    test(`family ${family}: endpoints that all hash to one bucket fill it, and the next is refused`, () => {
      const table = swarmTable();
      let stored = 0;
      for (const colliding of collidingEndpoints(family, BUCKET_PEERS_MAX + 50)) {
        const outcome = table.sight(
          table.open(infoHash(0), NOW),
          family,
          colliding,
          peerId(0),
          0,
          false,
          NOW,
        );
        if (outcome === Outcome.added) stored += 1;
        else assert.equal(outcome, Outcome.refused);
      }
      assertInvariants(table);
      assert.equal(stored, BUCKET_PEERS_MAX);
      assert.equal(table.totals.refused, 50);
      addClasses(table);
    });
  }

  after(() => {
    assert.ok(happened.splits > 100 && happened.joins > 10, 'buckets were split and joined');
    assert.ok(happened.promotions > 10 && happened.collapses > 5, 'swarms grew big and small again');
    assert.ok(happened.chains > 1024, 'the index grew');
    assert.ok(happened.retained > 0, 'counts were kept of swarms without peers');
    for (const [number, counts] of classes.entries()) {
      const missing = RECORD_CAPACITIES.filter((_, index) => counts[index] === 0);
      assert.deepEqual(missing, [], `every size class of family ${number} occurred`);
    }
  });
});

test('a full table never throws, keeps its order, and says what it did', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const random = seededRandom(seed);
      const table = swarmTable({ peersMax: 1500, swarmsMax: 300, random });
      const outcomes = new Set<Outcome>();
      let now = NOW;
      for (let n = 0; n < 6000; n++) {
        const isLarge = random() % 3 === 0;
        const slot = table.open(infoHash(isLarge ? 0 : random() % 600), now);
        const at = endpoint((random() % 4 === 0 ? 1 : 0) as Family, random() % 3000);
        const peerFamily: Family = at.length === 6 ? 0 : 1;
        if (slot >= 0) {
          outcomes.add(
            table.sight(slot, peerFamily, at, peerId(n), (random() % 3) as Role, random() % 5 === 0, now),
          );
        }
        if (n % 500 === 0) {
          now += 700;
          const purge = table.purge(now, TTL);
          while (purge.step());
        }
        if (n % 25 === 0) assertInvariants(table);
      }
      assertInvariants(table);
      assert.ok(outcomes.has(Outcome.replaced), 'peers of a large swarm gave way');
      assert.ok(table.totals.evicted > 0);
    }),
    { numRuns: 10, seed: 7 },
  );
});
