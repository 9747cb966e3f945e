import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatInfoHash, parseInfoHash } from '../../src/protocol/info-hash.ts';

describe('an info hash in hex', () => {
  it('is 40 digits of either case, and is shown in lower case', () => {
    const hash = parseInfoHash('040B6b563f5c7214a6b798ad43c3c92e402400B9');
    assert.equal(hash?.length, 20);
    assert.equal(formatInfoHash(hash), '040b6b563f5c7214a6b798ad43c3c92e402400b9');
  });

  it('is nothing else', () => {
    const good = '040b6b563f5c7214a6b798ad43c3c92e402400b9';
    for (const text of [
      '',
      good.slice(1),
      `${good}0`,
      ` ${good.slice(1)}`,
      `${good}\n`,
      `g${good.slice(1)}`,
    ]) {
      assert.equal(parseInfoHash(text), undefined);
    }
  });
});
