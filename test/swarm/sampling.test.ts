/**
 * Peers for a reply. The statistical tests draw many samples with a fixed seed and compare how often each peer
 * was in one with what chance would give (chi-squared; its bound is the 0.9999 quantile, so that a fair sampler
 * with this seed passes and one that prefers anybody by a few percent does not).
 */
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { type Family, SEEDER } from '../../src/swarm/record.ts';
import type { SwarmTable } from '../../src/swarm/swarm-table.ts';
import { endpoint, infoHash, NOW, peerId, swarmTable } from '../builders/swarm.ts';

const HASH = infoHash(1);
/** Neighbours come in runs of about ten, so counts vary together: the variance of their sum is larger by this. */
const RUN_CORRELATION = 7;

/** A swarm of seeders 0 … s-1 and leechers s … n-1. */
function swarmOf(peers: number, seeders: number, family: Family = 0): SwarmTable {
  const table = swarmTable({ peersMax: 200_000, swarmsMax: 1000 });
  for (let n = 0; n < peers; n++) {
    const slot = table.open(HASH, NOW);
    table.sight(slot, family, endpoint(family, n), peerId(n), n < seeders ? SEEDER : 0, false, NOW);
  }
  return table;
}

/** Numbers of the peers in one sample. */
function draw(
  table: SwarmTable,
  count: number,
  leechersOnly: boolean,
  asker: number,
  family: Family = 0,
): number[] {
  const picks = new Uint32Array(count);
  const askerEndpoint = asker < 0 ? undefined : endpoint(family, asker);
  const slot = table.find(HASH);
  const picked = table.sample(slot, family, count, leechersOnly, askerEndpoint, picks, 0);
  const id = new Uint8Array(20);
  return Array.from(picks.subarray(0, picked), (pick) => {
    table.copyPeerId(pick, family, id, 0);
    return new DataView(id.buffer).getUint32(16);
  });
}

interface Case {
  readonly name: string;
  readonly peers: number;
  readonly seeders: number;
  readonly count: number;
  readonly leechersOnly: boolean;
  readonly asker: number;
  readonly draws: number;
}

const cases: readonly Case[] = [
  { name: 'a small swarm', peers: 60, seeders: 20, count: 25, leechersOnly: false, asker: 40, draws: 20_000 },
  {
    name: 'nearly all of a small swarm',
    peers: 52,
    seeders: 1,
    count: 50,
    leechersOnly: false,
    asker: 0,
    draws: 20_000,
  },
  {
    name: 'a small swarm, leechers only',
    peers: 150,
    seeders: 90,
    count: 20,
    leechersOnly: true,
    asker: 3,
    draws: 20_000,
  },
  {
    name: 'a swarm of a few buckets',
    peers: 900,
    seeders: 300,
    count: 50,
    leechersOnly: false,
    asker: 500,
    draws: 40_000,
  },
  {
    name: 'leechers of a few buckets',
    peers: 900,
    seeders: 300,
    count: 200,
    leechersOnly: true,
    asker: 10,
    draws: 10_000,
  },
  {
    name: 'a swarm of many buckets',
    peers: 6000,
    seeders: 2500,
    count: 50,
    leechersOnly: false,
    asker: 77,
    draws: 120_000,
  },
  {
    name: 'many buckets, large replies',
    peers: 5000,
    seeders: 2500,
    count: 200,
    leechersOnly: false,
    asker: -1,
    draws: 30_000,
  },
  {
    name: 'few leechers among many seeders',
    peers: 4000,
    seeders: 3900,
    count: 50,
    leechersOnly: true,
    asker: 0,
    draws: 20_000,
  },
];

describe('each peer is equally likely, none comes twice, the asker never', () => {
  for (const one of cases) {
    test(`${one.name}: ${one.count} of ${one.peers} peers`, () => {
      const table = swarmOf(one.peers, one.seeders);
      const seen = new Uint32Array(one.peers);
      for (let number = 0; number < one.draws; number++) {
        const sample = draw(table, one.count, one.leechersOnly, one.asker);
        assert.equal(sample.length, one.count);
        assert.equal(new Set(sample).size, sample.length, 'none twice');
        for (const peer of sample) seen[peer] += 1;
      }
      const from = one.leechersOnly ? one.seeders : 0;
      const candidates: number[] = [];
      for (let n = 0; n < one.peers; n++) {
        if (n < from || n === one.asker)
          assert.equal(seen[n], 0, 'neither the asker nor whom it has no use for');
        else candidates.push(seen[n]);
      }
      const share = one.count / candidates.length;
      const expected = one.draws * share;
      // Each count is a sum of independent draws with variance draws · p · (1 - p).
      const variance = expected * (1 - share);
      const chiSquared = candidates.reduce((sum, count) => sum + (count - expected) ** 2 / variance, 0);
      const degrees = candidates.length - 1;
      const bound = degrees + 3.72 * Math.sqrt(2 * degrees * RUN_CORRELATION) + 4 * 3.72 ** 2;
      assert.ok(chiSquared < bound, `chi-squared ${chiSquared.toFixed(0)} of at most ${bound.toFixed(0)}`);
    });
  }
});

test('the same neighbours are not always shown together', () => {
  const table = swarmOf(3000, 0);
  let together = 0;
  let seen = 0;
  for (let number = 0; number < 20_000; number++) {
    const sample = new Set(draw(table, 50, false, -1));
    if (!sample.has(1000)) continue;
    seen += 1;
    if (sample.has(2000)) together += 1;
  }
  assert.ok(seen > 100 && together < seen / 2);
});

test('who asks for more than there are gets everybody else once', () => {
  for (const peers of [1, 2, 7, 150, 161, 400, 3000]) {
    const table = swarmOf(peers, Math.floor(peers / 3));
    const sample = draw(table, 5000, false, 0);
    assert.deepEqual(
      sample.sort((a, b) => a - b),
      Array.from({ length: peers - 1 }, (_, n) => n + 1),
    );
  }
});

test('an asker of the other family is excluded from nothing', () => {
  const table = swarmOf(5, 0, 1);
  assert.equal(draw(table, 50, false, -1, 1).length, 5);
  assert.equal(draw(table, 50, false, 4, 1).length, 4);
});
