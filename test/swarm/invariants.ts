/** What must hold inside a swarm table after every call, whatever it was. */
import assert from 'node:assert/strict';
import { PAGE_WORDS } from '../../src/swarm/block-arena.ts';
import { linearHashAddress } from '../../src/swarm/hash-slots.ts';
import { BUCKET_PEERS_MAX, LEECHERS, SEEDERS, SMALL_PEERS_MAX } from '../../src/swarm/peer-memory.ts';
import { IS_PARTIAL_SEED } from '../../src/swarm/record.ts';
import type { SwarmTable } from '../../src/swarm/swarm-table.ts';

export function assertInvariants(table: SwarmTable): void {
  const { memory, families } = table;
  const { slots, words } = memory;
  const seen = { peers: [0, 0], seeders: [0, 0], swarms: 0, used: 0, retained: 0 };
  const blocks = new Set<number>();
  const claim = (ref: number): void => {
    assert.ok(ref >= PAGE_WORDS, `reference ${ref} into the page that is never given out`);
    assert.ok(!blocks.has(ref), `block ${ref} has two owners`);
    blocks.add(ref);
  };

  for (let slot = 0; slot < slots.highWater; slot++) {
    if (!slots.isUsed(slot)) continue;
    seen.used += 1;
    const hash = new Uint8Array(20);
    slots.copyHash(slot, hash, 0);
    assert.equal(slots.find(hash), slot, 'a used slot is found by its hash');
    if (memory.hasPeers(slot)) seen.swarms += 1;
    else if ((slots.words[slots.base(slot) + 6] & 0x40000000) !== 0) seen.retained += 1;

    for (const peers of families) {
      const { family, recordWords } = peers.layout;
      const endpoints = new Set<string>();
      const check = (first: number, count: number): number => {
        let partial = 0;
        for (let index = 0; index < count; index++) {
          const at = first + index * recordWords;
          const endpointBytes = memory.arena.bytes.subarray(at * 4, at * 4 + (family === 0 ? 6 : 18));
          const key = Buffer.from(endpointBytes).toString('hex');
          assert.ok(!endpoints.has(key), 'an endpoint is in its swarm once');
          endpoints.add(key);
          if ((peers.layout.flags(words, at) & IS_PARTIAL_SEED) !== 0) partial += 1;
        }
        return partial;
      };

      const word = memory.peers(slot, family);
      if (word === 0) continue;
      const big = memory.big(slot, family);
      if (big === 0) {
        claim(word);
        const count = words[word + 1] & 0xff;
        const seeders = (words[word + 1] >>> 8) & 0xff;
        assert.ok(count >= 1 && count <= SMALL_PEERS_MAX && seeders <= count);
        assert.ok(count <= memory.capacity(word), 'a block holds no more than it has room for');
        assert.equal(check(word + 2, count), (words[word + 1] >>> 16) & 0xff, 'partial seeds are counted');
        seen.peers[family] += count;
        seen.seeders[family] += seeders;
        continue;
      }
      claim(big);
      let partial = 0;
      for (const set of [LEECHERS, SEEDERS] as const) {
        let inSet = 0;
        const buckets = memory.buckets(big, set);
        for (let bucket = 0; bucket < buckets; bucket++) {
          const ref = memory.bucket(big, set, bucket);
          if (ref === 0) continue;
          claim(ref);
          const count = words[ref + 1] & 0xff;
          assert.ok(count >= 1 && count <= BUCKET_PEERS_MAX && count <= memory.capacity(ref));
          assert.equal(words[ref + 1] >>> 8, bucket, 'a bucket knows its number');
          for (let index = 0; index < count; index++) {
            const at = ref + 2 + index * recordWords;
            peers.layout.current.set(words.subarray(at, at + recordWords));
            assert.equal(peers.sets.bucketOfCurrent(big, set), bucket, 'a record lies where its hash says');
          }
          partial += check(ref + 2, count);
          inSet += count;
        }
        assert.equal(inSet, memory.setPeerCount(big, set), 'a set counts its records');
        seen.peers[family] += inSet;
        if (set === SEEDERS) seen.seeders[family] += inSet;
      }
      assert.equal(partial, words[big + 1], 'a big swarm counts its partial seeds');
    }
  }

  const { totals } = table;
  assert.deepEqual([totals.peersIpv4, totals.peersIpv6], seen.peers);
  assert.equal(totals.seeders, seen.seeders[0] + seen.seeders[1]);
  assert.equal(totals.swarms, seen.swarms);
  assert.equal(totals.retained, seen.retained);
  assert.equal(slots.count, seen.used);
  assert.ok(totals.retained <= table.swarmsMax / 10);
  assert.ok(totals.peers <= table.peersMax);
  assert.equal(linearHashAddress(0xffffffff, slots.chains) < slots.chains, true);
}
