import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { takedownReceipt } from '../../../../src/http/pages/browser/takedown-receipt.js';

const HASH = '0123456789abcdef0123456789abcdef01234567';
const OTHER = 'fedcba9876543210fedcba9876543210fedcba98';
const WHEN = { tracker: 'https://tracker.example/announce', date: new Date(Date.UTC(2026, 4, 1, 9, 5, 3)) };

describe('the receipt of a takedown', () => {
  it('says who did what, when and why, and the state of each hash', () => {
    const receipt = takedownReceipt(
      {
        states: new Map([
          [HASH, 'banned'],
          [OTHER, 'banned-before'],
        ]),
        invalidLines: [3, 17, 18, 19, 40],
        reason: 'letter of 30 April',
        linesDone: 45,
        linesTotal: 45,
      },
      WHEN,
    );
    assert.equal(
      receipt,
      `Takedown receipt

Tracker:  https://tracker.example/announce
Date:     2026-05-01 09:05:03 UTC
Reason:   letter of 30 April
Banned:   2 info hashes, 1 of them before
Left out: 5 lines without an info hash: 3, 17–19, 40

The tracker has forgotten the peers of these info hashes and answers no announce for them.

${HASH}  banned
${OTHER}  banned before
`,
    );
  });

  it('says so when something is not stored yet, and what was not done', () => {
    const receipt = takedownReceipt(
      {
        states: new Map([[HASH, 'not-stored']]),
        invalidLines: [],
        reason: '',
        linesDone: 1_000,
        linesTotal: 2_500,
      },
      WHEN,
    );
    assert.match(receipt, /^Banned: {3}1 info hash$/m);
    assert.match(receipt, /^Not done: 1,500 lines from line 1001 on$/m);
    assert.match(receipt, new RegExp(`^${HASH}  banned; the record is still to be stored$`, 'm'));
    assert.ok(!receipt.includes('Reason'));
  });

  it('claims nothing when nothing was banned', () => {
    const receipt = takedownReceipt(
      { states: new Map(), invalidLines: [1], reason: '', linesDone: 1, linesTotal: 1 },
      WHEN,
    );
    assert.match(receipt, /^Banned: {3}0 info hashes$/m);
    assert.ok(!receipt.includes('forgotten'));
  });
});
