import assert from 'node:assert/strict';
import { createHistogram } from 'node:perf_hooks';
import test, { describe } from 'node:test';
import { EventLoopDelay } from '../../src/stats/event-loop-delay.ts';

const MS = 1_000_000;

function sampled(startedSeconds = 0) {
  const histogram = createHistogram();
  return { histogram, delay: new EventLoopDelay({ histogram, resolutionMs: 20, startedSeconds }) };
}

describe('the delay of the event loop', () => {
  test('is what lies between two samples beyond the time that should', () => {
    const { histogram, delay } = sampled();
    for (let sample = 0; sample < 995; sample += 1) histogram.record(21 * MS);
    for (let sample = 0; sample < 5; sample += 1) histogram.record(70 * MS);
    const { samples, p50, p99, p999, max } = delay.thisWindow;
    assert.equal(samples, 1_000);
    for (const [found, expected] of [
      [p50, 1],
      [p99, 1],
      [p999, 50],
      [max, 50],
    ] as const) {
      assert.ok(Math.abs(found - expected) < 0.1, `${found} instead of ${expected}`);
    }
  });

  test('is counted by length since the start, the window under way included', () => {
    const { histogram, delay } = sampled();
    for (let sample = 0; sample < 995; sample += 1) histogram.record(21.5 * MS);
    for (let sample = 0; sample < 4; sample += 1) histogram.record(65 * MS);
    histogram.record(19 * MS);
    delay.tick(60);
    histogram.record(7_020 * MS);
    histogram.record(20 * MS);
    const { boundsSeconds, counts, total, sumSeconds } = delay.sinceStart();
    const found = Object.fromEntries(
      [...counts]
        .map((count, index) => [boundsSeconds[index] ?? 'longer', count])
        .filter(([, count]) => count !== 0),
    );
    assert.deepEqual(found, { 0.0001: 2, 0.002: 995, 0.05: 4, longer: 1 });
    assert.equal(total, 1_002);
    assert.ok(Math.abs(sumSeconds - 8.6725) < 0.02, `${sumSeconds}`);
    assert.equal(delay.sinceStart().total, 1_002);
  });

  test('is never below zero, though a timer may come early', () => {
    const { histogram, delay } = sampled();
    histogram.record(19 * MS);
    assert.equal(delay.thisWindow.max, 0);
  });

  test('is zero before the first sample', () => {
    assert.deepEqual(sampled().delay.thisWindow, { samples: 0, p50: 0, p99: 0, p999: 0, max: 0 });
  });
});

describe('a window', () => {
  test('ends after a minute, is kept until the next has ended, and is told by its number', () => {
    const { histogram, delay } = sampled(100);
    histogram.record(50 * MS);
    delay.tick(159);
    assert.equal(delay.lastWindow, undefined);
    assert.equal(delay.windowsEnded, 0);
    delay.tick(160);
    assert.equal(delay.windowsEnded, 1);
    assert.ok(Math.abs(delay.lastWindow!.max - 30) < 0.1);
    assert.equal(delay.thisWindow.samples, 0);
    histogram.record(22 * MS);
    delay.tick(219);
    assert.ok(Math.abs(delay.lastWindow!.max - 30) < 0.1);
    delay.tick(220);
    assert.equal(delay.windowsEnded, 2);
    assert.ok(Math.abs(delay.lastWindow!.max - 2) < 0.1);
  });

  test('may be read any number of times without being changed', () => {
    const { histogram, delay } = sampled();
    histogram.record(50 * MS);
    assert.deepEqual(delay.thisWindow, delay.thisWindow);
    assert.equal(delay.thisWindow.samples, 1);
  });
});
