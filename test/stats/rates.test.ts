import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { Counters } from '../../src/stats/counters.ts';
import { Rates } from '../../src/stats/rates.ts';

describe('rates', () => {
  test('are what was counted between the last two ticks', () => {
    const counters = new Counters();
    counters.announces = 1_000;
    const rates = new Rates(counters, 50);
    counters.announces += 30;
    counters.scrapes += 3;
    counters.hits += 33;
    counters.connects += 5;
    rates.tick(51);
    assert.deepEqual(rates.perSecond, { hits: 33, connects: 5, announces: 30, scrapes: 3 });
    rates.tick(52);
    assert.deepEqual(rates.perSecond, { hits: 0, connects: 0, announces: 0, scrapes: 0 });
  });

  test('divide by the time that passed when a tick came late', () => {
    const counters = new Counters();
    const rates = new Rates(counters, 0);
    counters.hits = 100;
    rates.tick(2.5);
    assert.equal(rates.perSecond.hits, 40);
  });

  test('stay as they are when no time has passed', () => {
    const counters = new Counters();
    const rates = new Rates(counters, 0);
    counters.hits = 10;
    rates.tick(1);
    rates.tick(1);
    assert.equal(rates.perSecond.hits, 10);
  });
});
