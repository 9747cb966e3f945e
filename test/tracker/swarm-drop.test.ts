import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Family, IPV4, IPV6, LEECHER, SEEDER } from '../../src/swarm/record.ts';
import type { SwarmTable } from '../../src/swarm/swarm-table.ts';
import { type AnnounceJournal, NO_JOURNAL } from '../../src/tracker/announce-journal.ts';
import { SwarmDrop } from '../../src/tracker/swarm-drop.ts';
import { endpoint, infoHash, NOW, peerId, swarmTable } from '../builders/swarm.ts';

const HASH = infoHash(1);

function fill(table: SwarmTable, hash: Uint8Array, peers: number, ageSeconds = 0): void {
  for (let n = 0; n < peers; n++) {
    const family: Family = n % 3 === 0 ? IPV6 : IPV4;
    const role = n % 2 === 0 ? SEEDER : LEECHER;
    const slot = table.open(hash, NOW - ageSeconds);
    table.sight(slot, family, endpoint(family, n), peerId(n), role, role === SEEDER, NOW - ageSeconds);
  }
}

/** Endpoints that the journal was told of, and how old each was. */
function noting(): { journal: AnnounceJournal; stopped: Map<string, number> } {
  const stopped = new Map<string, number>();
  const journal: AnnounceJournal = {
    ...NO_JOURNAL,
    stopped(hash, _family, bytes, ageSeconds, nowSeconds) {
      assert.deepEqual([Buffer.from(hash), nowSeconds], [Buffer.from(HASH), NOW]);
      const name = Buffer.from(bytes).toString('hex');
      assert.ok(!stopped.has(name), 'each peer once');
      stopped.set(name, ageSeconds);
    },
  };
  return { journal, stopped };
}

describe('a swarm that is dropped', () => {
  for (const peers of [1, 3, 100, 5_000]) {
    it(`is gone with its ${peers} peers and its count, and the journal hears of each peer as of a stop`, () => {
      const table = swarmTable();
      fill(table, HASH, peers, 7);
      fill(table, infoHash(2), 5, 7);
      const { journal, stopped } = noting();
      const drop = new SwarmDrop(table, journal, HASH);
      let steps = 0;
      while (drop.step(NOW)) steps += 1;
      assert.equal(table.find(HASH), -1);
      assert.deepEqual([table.peers, table.totals.swarms], [5, 1]);
      assert.deepEqual([drop.peers, drop.completed], [peers, Math.ceil(peers / 2)]);
      assert.equal(stopped.size, peers);
      assert.ok([...stopped.values()].every((ageSeconds) => ageSeconds === 7));
      assert.ok(steps >= Math.floor(peers / 130), 'a few peers at a time');
    });
  }

  it('goes with peers that come while it is dropped, and comes back with those that come after', () => {
    const table = swarmTable();
    fill(table, HASH, 500);
    const drop = new SwarmDrop(table, NO_JOURNAL, HASH);
    assert.ok(drop.step(NOW));
    const slot = table.open(HASH, NOW);
    table.sight(slot, IPV4, endpoint(IPV4, 9_999), peerId(9_999), LEECHER, false, NOW);
    while (drop.step(NOW));
    assert.deepEqual([table.find(HASH), drop.peers], [-1, 501]);
    fill(table, HASH, 1);
    assert.equal(table.completed(table.find(HASH)), 1);
  });

  it('may be one without peers of which only the count was left, or one that nobody knows', () => {
    const table = swarmTable();
    fill(table, HASH, 1);
    table.forget(table.find(HASH), IPV6, endpoint(IPV6, 0), NOW);
    const drop = new SwarmDrop(table, NO_JOURNAL, HASH);
    assert.equal(drop.step(NOW), false);
    assert.deepEqual([table.find(HASH), drop.peers, drop.completed], [-1, 0, 1]);
    const another = new SwarmDrop(table, NO_JOURNAL, infoHash(3));
    assert.equal(another.step(NOW), false);
    assert.deepEqual([another.peers, another.completed], [0, 0]);
  });
});
