import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readHashLine } from '../../src/protocol/hash-line.ts';
import { formatInfoHash } from '../../src/protocol/info-hash.ts';

const HEX = '040b6b563f5c7214a6b798ad43c3c92e402400b9';

function read(line: string): string | undefined {
  const found = readHashLine(line);
  return found instanceof Uint8Array ? formatInfoHash(found) : found;
}

describe('a line of a list of info hashes', () => {
  it('is a hash or a magnet link, with spaces around and a remark behind', () => {
    for (const line of [
      HEX,
      `  ${HEX.toUpperCase()}\t\r`,
      `${HEX} # of 1 May`,
      `${HEX}\t#`,
      `${HEX}  # 2026-05-01T00:00:00.000Z case # 7`,
      `magnet:?xt=urn:btih:${HEX}&dn=name # a remark`,
      `magnet:?xt=urn:btih:${HEX} # magnet:?xt=urn:btih:${'ff'.repeat(20)}`,
    ]) {
      assert.equal(read(line), HEX, line);
    }
  });

  it('says nothing when it is empty or a remark', () => {
    for (const line of ['', ' \t\r', '#', `# ${HEX}`, `  #${HEX}`]) assert.equal(read(line), 'nothing', line);
  });

  it('is wrong when anything else stands there', () => {
    for (const line of [
      'nonsense',
      `nonsense # ${HEX}`,
      `${HEX}# no space`,
      `${HEX} ${HEX}`,
      `${HEX.slice(1)} # x`,
    ])
      assert.equal(read(line), undefined, line);
  });

  it('may be a link with a # in its name', () => {
    for (const name of ['a#b', 'a #b', '# b'])
      assert.equal(read(`magnet:?dn=${name}&xt=urn:btih:${HEX}`), HEX, name);
  });
});
