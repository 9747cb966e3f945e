import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HashList } from '../../src/access/hash-list.ts';
import { HashPattern, HashSearch } from '../../src/access/hash-search.ts';
import { formatInfoHash } from '../../src/protocol/info-hash.ts';
import { HASH_KEY, infoHash, NOW } from '../builders/swarm.ts';

function listOf(entries: readonly (readonly [hash: number, reason: string])[]): HashList {
  const list = new HashList({ hashesMax: 200_000, hashKey: HASH_KEY, doesListedWinTie: true });
  for (const [hash, reason] of entries) list.apply(infoHash(hash), true, list.addChange(NOW, reason));
  return list;
}

function found(list: HashList, search: string, { cursor = 0, countMax = 1_000 } = {}) {
  const run = new HashSearch(list, new HashPattern(search), { cursor, countMax });
  let steps = 1;
  while (run.step()) steps += 1;
  const { hashes, next } = run.page;
  return { hashes: hashes.map((listed) => Buffer.from(listed.infoHash).readUInt32BE(0)), next, steps };
}

describe('a search in a list of hashes', () => {
  const list = listOf([
    [0x01000000, 'Request of Example Films, case 17'],
    [0x01a00000, 'request of Another'],
    [0x02000000, 'spam'],
    [0xbeef0000, ''],
    [0x03000000, 'a beef with somebody'],
  ]);

  it('finds by the beginning of the hex digits, of either case, spaces around', () => {
    assert.deepEqual(found(list, '01').hashes, [0x01000000, 0x01a00000]);
    assert.deepEqual(found(list, ' 01A ').hashes, [0x01a00000]);
  });

  it('finds by the words of the reason, whatever their order, and by part of a word', () => {
    assert.deepEqual(found(list, 'FILMS request').hashes, [0x01000000]);
    assert.deepEqual(found(list, 'ques').hashes, [0x01000000, 0x01a00000]);
    assert.deepEqual(found(list, 'films spam').hashes, []);
  });

  it('takes a word that could be digits for both', () => {
    assert.deepEqual(found(list, 'beef').hashes, [0xbeef0000, 0x03000000]);
  });

  it('finds a hash in any form in which people write one', () => {
    const hash = formatInfoHash(infoHash(0x02000000));
    assert.deepEqual(found(list, `magnet:?dn=x&xt=urn:btih:${hash.toUpperCase()}`).hashes, [0x02000000]);
  });

  it('leaves out what is no longer on the list', () => {
    const short = listOf([[1, 'spam']]);
    short.apply(infoHash(1), false, short.addChange(NOW + 1, 'spam'));
    assert.deepEqual(found(short, 'spam').hashes, []);
  });

  it('gives what it finds in pages, and goes through a long list in many small steps', () => {
    const long = listOf(
      Array.from({ length: 100_000 }, (_, n) => [n, n % 1_000 === 7 ? 'needle' : 'hay'] as const),
    );
    const all: number[] = [];
    let cursor: number | undefined = 0;
    while (cursor !== undefined) {
      const page = found(long, 'needle', { cursor, countMax: 30 });
      all.push(...page.hashes);
      cursor = page.next;
    }
    assert.deepEqual(
      all.sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, n) => n * 1_000 + 7),
    );
    assert.ok(found(long, 'nowhere').steps > 300);
    assert.deepEqual(found(long, 'needle', { cursor: 999_999_999 }).hashes, []);
  });
});
