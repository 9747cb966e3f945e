import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  bytes,
  count,
  duration,
  milliseconds,
  percent,
  UNKNOWN,
} from '../../../../src/http/pages/browser/formats.js';

/** Narrow no-break spaces read as spaces here. */
const plain = (text: string): string => text.replaceAll('\u202f', ' ');

describe('a quantity', () => {
  it('that is not known reads as a dash', () => {
    for (const format of [count, bytes, duration, milliseconds]) {
      assert.equal(format(null), UNKNOWN);
      assert.equal(format(undefined), UNKNOWN);
    }
    assert.equal(percent(Number.NaN), UNKNOWN);
  });

  it('is whole, with its thousands apart', () => assert.equal(count(1_234_567.4), '1,234,567'));

  it('of a share keeps one decimal below ten, and is never rounded away', () => {
    const shares = [0, 0.0004, 0.004, 0.0999, 0.63, 1];
    assert.deepEqual(
      shares.map((share) => plain(percent(share))),
      ['0 %', '< 0.1 %', '0.4 %', '10 %', '63 %', '100 %'],
    );
  });

  it('of time keeps two figures that matter', () => {
    assert.deepEqual([0.081, 4.26, 9.97, 86.4, 1_204].map(milliseconds).map(plain), [
      '0.08 ms',
      '4.3 ms',
      '10 ms',
      '86 ms',
      '1.20 s',
    ]);
    assert.deepEqual([42.9, 185, 1_800, 7_800, 270_000].map(duration).map(plain), [
      '42 s',
      '3 min 5 s',
      '30 min',
      '2 h 10 min',
      '3 d 3 h',
    ]);
  });

  it('of memory is in the unit that fits', () => {
    assert.deepEqual([512, 8_192, 96 * 2 ** 20, 1.5 * 2 ** 30].map(bytes).map(plain), [
      '512 B',
      '8 KiB',
      '96 MiB',
      '1.5 GiB',
    ]);
  });
});
