import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Applied, HashList } from '../../src/access/hash-list.ts';
import { seededRandom } from '../builders/random.ts';
import { HASH_KEY, infoHash } from '../builders/swarm.ts';

function bans(hashesMax = 10_000): HashList {
  return new HashList({ hashesMax, hashKey: HASH_KEY, doesListedWinTie: true });
}

describe('a list of hashes', () => {
  it('remembers the latest change of each hash, with its time and reason', () => {
    const list = bans();
    list.apply(infoHash(1), true, list.addChange(100, 'asked for'));
    assert.deepEqual(list.find(infoHash(1)), {
      infoHash: infoHash(1),
      isListed: true,
      atSeconds: 100,
      reason: 'asked for',
    });
    list.apply(infoHash(1), false, list.addChange(101, 'a mistake'));
    assert.equal(list.has(infoHash(1)), false);
    assert.equal(list.find(infoHash(1))?.reason, 'a mistake');
    assert.equal(list.newestSeconds(infoHash(1)), 101);
    assert.deepEqual([list.size, list.known], [0, 1]);
    assert.equal(list.find(infoHash(2)), undefined);
  });

  it('lets the latest change win, and the one that denies service win a tie, in whatever order they come', () => {
    const change = fc.record({
      hash: fc.nat({ max: 3 }),
      isListed: fc.boolean(),
      atSeconds: fc.nat({ max: 4 }),
    });
    for (const doesListedWinTie of [true, false]) {
      fc.assert(
        fc.property(fc.array(change, { maxLength: 20 }), fc.integer(), (changes, seed) => {
          const build = (ordered: typeof changes): boolean[] => {
            const list = new HashList({ hashesMax: 10, hashKey: HASH_KEY, doesListedWinTie });
            for (const { hash, isListed, atSeconds } of ordered) {
              list.apply(infoHash(hash), isListed, list.addChange(atSeconds, ''));
            }
            const listed = [0, 1, 2, 3].map((hash) => list.has(infoHash(hash)));
            assert.equal(list.size, listed.filter((is) => is).length);
            return listed;
          };
          const random = seededRandom(seed);
          const shuffled = changes
            .map((each) => ({ each, key: random() }))
            .sort((a, b) => a.key - b.key)
            .map(({ each }) => each);
          const expected = [0, 1, 2, 3].map((hash) => {
            const own = changes.filter((each) => each.hash === hash);
            const latest = Math.max(...own.map((each) => each.atSeconds));
            const last = own.filter((each) => each.atSeconds === latest);
            if (last.length === 0) return false;
            return doesListedWinTie
              ? last.some((each) => each.isListed)
              : last.every((each) => each.isListed);
          });
          assert.deepEqual(build(changes), expected);
          assert.deepEqual(build(shuffled), expected);
        }),
        { seed: 3, numRuns: 500 },
      );
    }
  });

  it('costs at most 32 bytes a hash for a million hashes', () => {
    const hashes = 1_000_000;
    const list = bans(1_500_000);
    const change = list.addChange(1_700_000_000, 'a list of three hundred thousand came in one request');
    const infoHash = new Uint8Array(20);
    const words = new Uint32Array(infoHash.buffer);
    const random = seededRandom(5);
    for (let index = 0; index < hashes; index++) {
      for (let word = 0; word < 5; word++) words[word] = random();
      words[0] = index;
      list.apply(infoHash, true, change);
    }
    assert.equal(list.size, hashes);
    assert.ok(list.bytesInUse <= 32 * hashes, `${list.bytesInUse / hashes} bytes a hash`);
  });

  it('gives out pages that together are the whole list', () => {
    const list = bans();
    const change = list.addChange(1, 'x');
    for (let hash = 0; hash < 1_000; hash++) list.apply(infoHash(hash), true, change);
    const removal = list.addChange(2, 'y');
    for (let hash = 0; hash < 1_000; hash += 3) list.apply(infoHash(hash), false, removal);
    const seen = new Set<string>();
    let pages = 0;
    for (let cursor: number | undefined = 0; cursor !== undefined; pages++) {
      const page: ReturnType<HashList['page']> = list.page(cursor, 100);
      assert.ok(page.hashes.length <= 100);
      for (const { infoHash } of page.hashes) seen.add(Buffer.from(infoHash).toString('hex'));
      cursor = page.next;
    }
    assert.equal(pages, 7);
    assert.equal(seen.size, list.size);
    assert.equal(seen.size, 666);
  });

  it('forgets removals that are old enough, and nothing else', () => {
    const list = bans();
    list.apply(infoHash(1), true, list.addChange(10, ''));
    list.apply(infoHash(2), false, list.addChange(10, ''));
    list.apply(infoHash(3), false, list.addChange(20, ''));
    const forgotten = [];
    for (let cursor = 0; cursor < list.cursorEnd; cursor++) {
      if (list.forgetRemoval(cursor, 20)) forgotten.push(cursor);
    }
    assert.equal(forgotten.length, 1);
    assert.deepEqual(
      [list.has(infoHash(1)), list.find(infoHash(2)), list.find(infoHash(3))?.atSeconds],
      [true, undefined, 20],
    );
  });

  it('says that it is full instead of forgetting', () => {
    const list = bans(2);
    const change = list.addChange(1, '');
    assert.deepEqual(
      [1, 2, 3].map((hash) => list.apply(infoHash(hash), true, change)),
      [Applied.changed, Applied.changed, Applied.full],
    );
    assert.equal(list.hasRoomFor(1), false);
    assert.ok(list.has(infoHash(1)) && list.has(infoHash(2)));
  });
});
