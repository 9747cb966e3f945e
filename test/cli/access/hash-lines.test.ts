import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { hashLine, lineNumbers, parseHashLines } from '../../../src/cli/access/hash-lines.ts';
import { parseHashLines as parseAsApi } from '../../../src/http/admin/hash-lines.ts';

const A = 'aa'.repeat(20);
const B = 'bb'.repeat(20);

function hexOf(hashes: readonly Uint8Array[] | undefined): readonly string[] {
  return (hashes ?? []).map((hash) => Buffer.from(hash).toString('hex'));
}

describe('a file of hashes', () => {
  test('has a hash or magnet link a line, comments, empty lines, and any line ends', () => {
    const text = `\ufeff# a list\r\n${A}\r\n\r\n  ${B.toUpperCase()}   # second\nmagnet:?xt=urn:btih:${'cc'.repeat(20)}&dn=a#b\n`;
    const { byReason, count, invalid } = parseHashLines(text, 'why');
    assert.deepEqual(hexOf(byReason.get('why')), [A, B, 'cc'.repeat(20)]);
    assert.equal(count, 3);
    assert.deepEqual(invalid, []);
  });

  test('has lines of JSON with reasons of their own, # included', () => {
    const text = `{"infoHash":"${A}","reason":"case # 7"}\n${B}\n{"infoHash":"${'cc'.repeat(20)}"}\n`;
    const { byReason } = parseHashLines(text, 'else');
    assert.deepEqual(hexOf(byReason.get('case # 7')), [A]);
    assert.deepEqual(hexOf(byReason.get('else')), [B, 'cc'.repeat(20)]);
  });

  test('names the lines that hold no hash by their number', () => {
    const { invalid, count } = parseHashLines(
      `# x\nnonsense\n${A}\n{"infoHash":7}\n{broken\n${A.slice(1)}\n`,
      '',
    );
    assert.deepEqual(invalid, [2, 4, 5, 6]);
    assert.equal(count, 1);
  });

  test('counts a hash that stands there twice once', () => {
    assert.equal(parseHashLines(`${A}\n${A.toUpperCase()}\n`, '').count, 1);
  });

  for (const isJson of [false, true]) {
    test(`what is exported ${isJson ? 'as JSON' : 'as text'} is read again, whatever the reason holds`, () => {
      const reason = 'line\nbreak\u2028 "quoted" # and \u001b[31m';
      const line = hashLine({ infoHash: A, reason, changedAt: '2026-05-01T00:00:00.000Z' }, isJson);
      assert.equal(line.split('\n').length, 2);
      const { byReason, invalid } = parseHashLines(line, 'other');
      assert.deepEqual(invalid, []);
      assert.deepEqual(hexOf(byReason.get(isJson ? reason : 'other')), [A]);
    });
  }

  test('what is exported as text is what the admin API reads', async () => {
    const changedAt = '2026-05-01T00:00:00.000Z';
    const lines = [A, B].map((infoHash) => hashLine({ infoHash, reason: 'Fälle #3 # 4', changedAt }, false));
    const { hashes, invalidCount } = await parseAsApi(Buffer.from(lines.join('')), () => performance.now());
    assert.deepEqual(hexOf(hashes), [A, B]);
    assert.equal(invalidCount, 0);
  });
});

test('line numbers are told as people do, and of many the first', () => {
  assert.equal(lineNumbers([3]), '3');
  assert.equal(lineNumbers([3, 4, 5, 9]), '3 to 5 and 9');
  assert.equal(lineNumbers([1, 3, 5]), '1, 3 and 5');
  assert.equal(lineNumbers([1, 3, 5, 7, 9], 2), '1, 3 and 3 more');
});
