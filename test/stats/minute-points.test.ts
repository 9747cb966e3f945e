import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pointDocument } from '../../src/stats/history.ts';
import { MinutePoints } from '../../src/stats/minute-points.ts';
import { wellGauges } from './gauges.ts';

/** A whole minute. */
const START = 1_700_000_400;

describe('the point of a minute', () => {
  it('is due once a whole minute of the clock has ended', () => {
    const minutes = new MinutePoints(START + 20);
    assert.equal(minutes.isDue(START + 59), false);
    assert.equal(minutes.isDue(START + 60), true);
    minutes.take(wellGauges({ nowSeconds: START + 61 }));
    assert.equal(minutes.isDue(START + 119), false);
    assert.equal(minutes.isDue(START + 120), true);
  });

  it('has what there is now, and per second what was counted since the one before', () => {
    const minutes = new MinutePoints(START);
    const gauges = wellGauges();
    const { counters } = gauges;
    counters.announces = 600;
    counters.scrapes = 60;
    counters.errorsClient = 20;
    counters.errorsServer = 10;
    const first = pointDocument(minutes.take({ ...gauges, nowSeconds: START + 60 }));
    assert.equal(first.endSeconds, START + 60);
    assert.deepEqual(
      [first.values.peers, first.values.seeders, first.values.leechers, first.values.swarms],
      [42, 30, 12, 7],
    );
    assert.deepEqual(
      [first.values.announcesPerSecond, first.values.scrapesPerSecond, first.values.errorsPerSecond],
      [10, 1, 0.5],
    );
    assert.equal(first.values.latencyP50Ms, null, 'nobody announced since the start');
    counters.announces += 240;
    counters.announceLatency.record(0.002, 240);
    gauges.announceWindow.tick(60);
    const second = pointDocument(
      minutes.take({
        ...gauges,
        nowSeconds: START + 120,
        store: { ...gauges.store, savedSeconds: START + 100 },
      }),
    );
    assert.equal(second.values.announcesPerSecond, 4);
    assert.equal(second.values.scrapesPerSecond, 0);
    assert.equal(second.values.saveAgeSeconds, 20);
    const p99 = second.values.latencyP99Ms ?? 0;
    assert.ok(p99 > 1 && p99 <= 2, `${p99} ms`);
  });

  it('has the latency so far in the first minute of a process', () => {
    const gauges = wellGauges({ nowSeconds: START + 30 });
    gauges.counters.announceLatency.record(0.002, 10);
    const { values } = pointDocument(new MinutePoints(START).take(gauges));
    const p50 = values.latencyP50Ms ?? 0;
    assert.ok(p50 > 1 && p50 <= 2, `${p50} ms`);
  });

  it('has no age of a save before the first', () => {
    const gauges = wellGauges({ nowSeconds: START + 60 });
    const never = { ...gauges, store: { ...gauges.store, savedSeconds: undefined } };
    assert.equal(pointDocument(new MinutePoints(START).take(never)).values.saveAgeSeconds, null);
  });

  it('is made of the part that was seen, when a process starts or ends within a minute', () => {
    const minutes = new MinutePoints(START + 40);
    const gauges = wellGauges();
    gauges.counters.announces = 200;
    const point = pointDocument(minutes.take({ ...gauges, nowSeconds: START + 60 }));
    assert.equal(point.values.announcesPerSecond, 10);
    gauges.counters.announces += 60;
    assert.equal(minutes.takeRest({ ...gauges, nowSeconds: START + 65 }), undefined);
    const rest = pointDocument(minutes.takeRest({ ...gauges, nowSeconds: START + 90 })!);
    assert.equal(rest.endSeconds, START + 120);
    assert.equal(rest.values.announcesPerSecond, 2);
  });
});
