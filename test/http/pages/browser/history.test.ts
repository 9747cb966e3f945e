import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { History } from '../../../../src/http/pages/browser/history.js';
import { liveReport } from '../../../../src/stats/stats-report.ts';
import { NOW, wellGauges } from '../../../stats/gauges.ts';

/** Points of the last minutes, the newest ending a minute ago; `null` is a minute in which the tracker was down. */
function answerWith(
  context: TestContext,
  peers: readonly (number | null)[],
  { aheadSeconds = 0, stepSeconds = 60 } = {},
): void {
  const document = { span: 'hour', stepSeconds, endSeconds: NOW - 60, series: { peers } };
  const headers = { date: new Date((NOW + aheadSeconds) * 1_000).toUTCString() };
  context.mock.method(globalThis, 'fetch', async () => new Response(JSON.stringify(document), { headers }));
}

function startClock(context: TestContext): void {
  context.mock.timers.enable({ apis: ['Date'], now: NOW * 1_000 });
}

const report = (peers: number) => {
  const gauges = wellGauges();
  return liveReport({ ...gauges, table: { ...gauges.table, peers } });
};

describe('the history of a page', () => {
  it('is what the tracker kept, oldest first, with its holes, and one last moment for the live figures', async (context) => {
    startClock(context);
    const kept = [1, 2, 3, null, 5, 6, 7, 8, 9, 10, 11, 12];
    answerWith(context, kept);
    const history = new History();
    await history.load('hour');
    history.add(report(20));
    context.mock.timers.tick(2_000);
    history.add(report(40));
    const [times, peers] = history.columns(['peers']);
    assert.deepEqual(peers, [...kept, 30]);
    assert.equal(times[0], NOW - 60 - 11 * 60);
    assert.deepEqual(times.slice(-2), [NOW - 60, NOW + 2]);
  });

  it('shows each live figure while the tracker has hardly any', async (context) => {
    startClock(context);
    answerWith(context, [null, null, 4]);
    const history = new History();
    await history.load('hour');
    for (const peers of [5, 6, 7]) {
      context.mock.timers.tick(2_000);
      history.add(report(peers));
    }
    assert.deepEqual(history.columns(['peers'])[1], [null, null, 4, 5, 6, 7]);
  });

  it('goes by the tracker’s clock', async (context) => {
    startClock(context);
    answerWith(context, [1], { aheadSeconds: 100 });
    const history = new History();
    await history.load('hour');
    assert.equal(history.nowSeconds, NOW + 100);
  });

  it('begins where something is known, and never before its span', async (context) => {
    startClock(context);
    answerWith(context, [null, 1, 2]);
    const history = new History();
    await history.load('hour');
    assert.deepEqual(history.range, [NOW - 120, NOW]);
    answerWith(
      context,
      Array.from({ length: 100 }, () => 1),
    );
    await history.load('hour');
    assert.deepEqual(history.range, [NOW - 3_600, NOW]);
  });

  it('goes on with the point of each minute, and has the length that it had', async (context) => {
    startClock(context);
    answerWith(context, [1, 2, 3]);
    const history = new History();
    await history.load('hour');
    assert.equal(history.append({ endSeconds: NOW, values: { peers: 4 } }), true);
    assert.equal(history.append({ endSeconds: NOW + 60, values: { seeders: 1 } }), true);
    assert.deepEqual(history.columns(['peers']), [
      [NOW - 60, NOW, NOW + 60],
      [3, 4, null],
    ]);
    assert.equal(history.append({ endSeconds: NOW, values: { peers: 9 } }), true, 'it is known already');
    assert.deepEqual(history.columns(['peers'])[1], [3, 4, null]);
  });

  it('has to be loaded when it has none, and when points are missing', async (context) => {
    startClock(context);
    answerWith(context, [1, 2, 3]);
    const history = new History();
    assert.equal(history.append({ endSeconds: NOW, values: { peers: 4 } }), false);
    await history.load('hour');
    assert.equal(history.append({ endSeconds: NOW + 60, values: { peers: 5 } }), false);
    assert.deepEqual(history.columns(['peers'])[1], [1, 2, 3]);
  });

  it('of a week has to be loaded each ten minutes', async (context) => {
    startClock(context);
    answerWith(context, [1, 2, 3], { stepSeconds: 600 });
    const history = new History();
    await history.load('week');
    const loaded = NOW - 60;
    for (let minute = 1; minute < 10; minute++)
      assert.equal(history.append({ endSeconds: loaded + minute * 60, values: { peers: 4 } }), true);
    assert.deepEqual(history.columns(['peers'])[1], [1, 2, 3]);
    assert.equal(history.append({ endSeconds: loaded + 600, values: { peers: 4 } }), false);
  });

  it('keeps what it has when the tracker does not answer', async (context) => {
    startClock(context);
    answerWith(context, [1, 2]);
    const history = new History();
    await history.load('hour');
    context.mock.method(globalThis, 'fetch', async () => new Response('', { status: 503 }));
    await assert.rejects(history.load('hour'), /answered 503/);
    assert.deepEqual(history.columns(['peers'])[1], [1, 2]);
  });

  it('counts errors a second from one report to the next, and none over a restart', (context) => {
    startClock(context);
    const history = new History();
    const gauges = wellGauges();
    for (const errors of [10, 30, 5]) {
      gauges.counters.errorsClient = errors;
      history.add(liveReport(gauges));
      context.mock.timers.tick(2_000);
    }
    assert.deepEqual(history.columns(['errorsPerSecond'])[1], [null, 10, null]);
  });
});
