import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INVALID_LINES_MAX, parseHashLines } from '../../../src/http/admin/hash-lines.ts';
import { formatInfoHash } from '../../../src/protocol/info-hash.ts';
import { infoHash } from '../../builders/swarm.ts';

const HASH = formatInfoHash(infoHash(1));
const OTHER = formatInfoHash(infoHash(2));

async function parse(text: string | Buffer) {
  const { hashes, ...rest } = await parseHashLines(Buffer.from(text), () => performance.now());
  return { hashes: hashes.map(formatInfoHash), ...rest };
}

describe('a list of hashes in lines of text', () => {
  it('has one a line, in any form and with any line end, and a last line without one', async () => {
    for (const text of [
      `${HASH}\n${OTHER}`,
      `${HASH}\r\n${OTHER}\r\n`,
      `\ufeff${HASH.toUpperCase()}  \n\tmagnet:?dn=ä&xt=urn:btih:${OTHER}\n`,
    ]) {
      assert.deepEqual(await parse(text), { hashes: [HASH, OTHER], invalid: [], invalidCount: 0 });
    }
  });

  it('passes over empty lines and remarks, and counts the lines all the same', async () => {
    assert.deepEqual(await parse(`# of 1 May\n\n${HASH}  # über #1\n   \nnonsense\n${OTHER}`), {
      hashes: [HASH, OTHER],
      invalid: [5],
      invalidCount: 1,
    });
  });

  it('keeps the order, and hashes that are named again', async () => {
    assert.deepEqual((await parse(`${OTHER}\n${HASH}\n${OTHER}`)).hashes, [OTHER, HASH, OTHER]);
  });

  it('tells the numbers of the first thousand lines that are no hash, and how many there are', async () => {
    const { hashes, invalid, invalidCount } = await parse(`${'x\n'.repeat(5_000)}${HASH}`);
    assert.deepEqual([hashes.length, invalid.length, invalidCount], [1, INVALID_LINES_MAX, 5_000]);
    assert.deepEqual(invalid.slice(0, 3), [1, 2, 3]);
  });

  it('takes no line for a hash that is longer than any magnet link', async () => {
    const link = `magnet:?xt=urn:btih:${HASH}&dn=`;
    assert.deepEqual((await parse(link + 'x'.repeat(10_000))).hashes, [HASH]);
    assert.deepEqual((await parse(link + 'x'.repeat(20_000))).invalid, [1]);
  });

  it('is nothing when there is nothing, or bytes that are no text', async () => {
    assert.deepEqual(await parse(''), { hashes: [], invalid: [], invalidCount: 0 });
    assert.equal((await parse(Buffer.from([0, 0xff, 0xfe, 0x0a, 0x80]))).invalidCount, 2);
  });
});
