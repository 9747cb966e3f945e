import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { ANNOUNCE_BOUNDS_SECONDS, Histogram, STORE_BOUNDS_SECONDS } from '../../src/stats/histogram.ts';
import { HistogramWindow } from '../../src/stats/histogram-window.ts';

const histogram = () => new Histogram([0.1, 0.2, 0.5]);
const near = (found: number, expected: number): void =>
  assert.ok(Math.abs(found - expected) < 1e-9, `${found} instead of ${expected}`);

describe('a histogram', () => {
  test('counts a length in the range it falls into, one that equals a bound below that', () => {
    const lengths = histogram();
    for (const seconds of [0, 0.1, 0.100_1, 0.2, 0.5, 0.500_1, 1_000]) lengths.record(seconds);
    assert.deepEqual([...lengths.counts], [2, 2, 1, 2]);
    assert.equal(lengths.total, 7);
  });

  test('counts many of one length at once, and none', () => {
    const lengths = histogram();
    lengths.record(0.15, 64);
    lengths.record(0.3, 0);
    assert.deepEqual([...lengths.counts], [0, 64, 0, 0]);
    assert.equal(lengths.total, 64);
    near(lengths.sumSeconds, 9.6);
  });

  test('interpolates a quantile within its range', () => {
    const lengths = histogram();
    lengths.record(0.05, 50);
    lengths.record(0.15, 40);
    lengths.record(0.3, 10);
    near(lengths.quantile(0.25), 0.05);
    near(lengths.quantile(0.5), 0.1);
    near(lengths.quantile(0.7), 0.15);
    near(lengths.quantile(0.9), 0.2);
    near(lengths.quantile(0.99), 0.47);
    near(lengths.quantile(1), 0.5);
  });

  test('gives the last bound for what is longer than all', () => {
    const lengths = histogram();
    lengths.record(77);
    assert.equal(lengths.quantile(0.5), 0.5);
    assert.equal(lengths.sumSeconds, 77);
  });

  test('knows no quantile of nothing', () => {
    assert.ok(Number.isNaN(histogram().quantile(0.5)));
  });

  test('takes only bounds that ascend', () => {
    for (const bounds of [[], [0, 1], [1, 1], [2, 1], [Number.NaN]])
      assert.throws(() => new Histogram(bounds), RangeError);
  });

  test('has bounds that read as decimals', () => {
    assert.equal(ANNOUNCE_BOUNDS_SECONDS.length, 18);
    assert.equal(STORE_BOUNDS_SECONDS.length, 15);
    for (const bound of [...ANNOUNCE_BOUNDS_SECONDS, ...STORE_BOUNDS_SECONDS])
      assert.match(String(bound), /^0?[.0]*[125]0?$|^[125]e-\d$/);
  });
});

describe('the window of a histogram', () => {
  test('gives the quantiles of its own minute, in milliseconds', () => {
    const lengths = histogram();
    lengths.record(0.4, 1_000);
    const window = new HistogramWindow(lengths, 100.5);
    lengths.record(0.05, 100);
    for (let second = 101; second < 160; second += 1) window.tick(second);
    assert.equal(window.lastWindow, undefined);
    window.tick(160.5);
    assert.deepEqual(window.lastWindow, { samples: 100, p50: 50, p90: 90, p99: 99, p999: 99.9 });
    lengths.record(0.15, 10);
    window.tick(221);
    assert.deepEqual(window.lastWindow, { samples: 10, p50: 150, p90: 190, p99: 199, p999: 199.9 });
    assert.equal(window.windowsEnded, 2);
  });

  test('has no quantiles when nothing happened in it', () => {
    const lengths = histogram();
    const window = new HistogramWindow(lengths, 0);
    lengths.record(0.15);
    window.tick(60);
    assert.notEqual(window.lastWindow, undefined);
    window.tick(120);
    assert.equal(window.lastWindow, undefined);
    assert.equal(window.windowsEnded, 2);
  });
});
