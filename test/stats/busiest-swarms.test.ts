import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatInfoHash } from '../../src/protocol/info-hash.ts';
import { BusiestSwarms } from '../../src/stats/busiest-swarms.ts';
import { infoHash } from '../builders/swarm.ts';

const FOUND = [
  { infoHash: infoHash(1), peers: 20, seeders: 15 },
  { infoHash: infoHash(2), peers: 7, seeders: 0 },
];

describe('the busiest swarms', () => {
  it('are shown without their hashes', () => {
    const busiest = new BusiestSwarms({ isServed: () => true, showsHashes: false });
    assert.deepEqual(busiest.shown, []);
    busiest.found(FOUND);
    assert.deepEqual(busiest.shown, [
      { peers: 20, seeders: 15, leechers: 5 },
      { peers: 7, seeders: 0, leechers: 7 },
    ]);
  });

  it('are shown with them where the operator wants it, but never one that is not served', () => {
    const banned = new Set<string>();
    const isServed = (hash: Uint8Array): boolean => !banned.has(formatInfoHash(hash));
    const busiest = new BusiestSwarms({ isServed, showsHashes: true });
    busiest.found(FOUND);
    assert.deepEqual(
      busiest.shown.map((swarm) => swarm.infoHash),
      [formatInfoHash(infoHash(1)), formatInfoHash(infoHash(2))],
    );
    banned.add(formatInfoHash(infoHash(1)));
    assert.deepEqual(busiest.shown, [
      { peers: 7, seeders: 0, leechers: 7, infoHash: formatInfoHash(infoHash(2)) },
    ]);
  });
});
