import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Family, IPV4, IPV6, LEECHER, SEEDER } from '../../src/swarm/record.ts';
import type { SwarmTable } from '../../src/swarm/swarm-table.ts';
import { endpoint, infoHash, NOW, peerId, swarmTable } from '../builders/swarm.ts';

/** Of so many peers a third seed; every fourth is reached over IPv6. */
function fill(table: SwarmTable, swarm: number, peers: number): void {
  for (let peer = 0; peer < peers; peer++) {
    const family: Family = peer % 4 === 3 ? IPV6 : IPV4;
    const role = peer % 3 === 0 ? SEEDER : LEECHER;
    table.sight(
      table.open(infoHash(swarm), NOW),
      family,
      endpoint(family, peer),
      peerId(peer),
      role,
      false,
      NOW,
    );
  }
}

function largest(table: SwarmTable, most: number): [swarm: number, peers: number, seeders: number][] {
  const search = table.largest(most);
  while (search.step());
  return search.found.map(({ infoHash: hash, peers, seeders }) => [
    new DataView(hash.buffer).getUint32(0),
    peers,
    seeders,
  ]);
}

describe('the largest swarms', () => {
  it('are none in an empty table', () => {
    assert.deepEqual(largest(swarmTable(), 10), []);
  });

  it('are found among small ones, with their seeders of both families', () => {
    const table = swarmTable();
    for (let swarm = 0; swarm < 40; swarm++) fill(table, swarm, 1 + (swarm % 20));
    fill(table, 100, 30);
    assert.deepEqual(largest(table, 3), [
      [100, 30, 10],
      [19, 20, 7],
      [39, 20, 7],
    ]);
    assert.equal(largest(table, 1_000).length, 41);
  });

  it('are found among big ones, wherever they stand', () => {
    const table = swarmTable();
    const sizes = [400, 150, 900, 161, 330, 160, 320, 500, 1, 700];
    for (const [swarm, peers] of sizes.entries()) fill(table, swarm, peers);
    assert.deepEqual(
      largest(table, 4).map(([swarm, peers]) => [swarm, peers]),
      [
        [2, 900],
        [9, 700],
        [7, 500],
        [0, 400],
      ],
    );
  });

  it('are not those that were dropped, nor those that only remember', () => {
    const table = swarmTable();
    for (let swarm = 0; swarm < 5; swarm++) fill(table, swarm, 5 + swarm);
    table.drop(infoHash(4));
    const slot = table.open(infoHash(9), NOW);
    table.sight(slot, IPV4, endpoint(IPV4, 1), peerId(1), SEEDER, true, NOW);
    table.forget(slot, IPV4, endpoint(IPV4, 1), NOW);
    assert.deepEqual(
      largest(table, 10).map(([swarm]) => swarm),
      [3, 2, 1, 0],
    );
  });

  it('are looked for a little at a time, in a table that changes meanwhile', () => {
    const table = swarmTable();
    for (let swarm = 0; swarm < 3_000; swarm++) fill(table, swarm, 1);
    const search = table.largest(10);
    let steps = 1;
    while (search.step()) {
      steps += 1;
      fill(table, 10_000 + steps, 3);
      table.drop(infoHash(steps));
    }
    assert.ok(steps >= 3, `${steps} steps`);
    assert.equal(search.found.length, 10);
  });
});
