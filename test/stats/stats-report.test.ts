import assert from 'node:assert/strict';
import { createHistogram } from 'node:perf_hooks';
import test, { describe } from 'node:test';
import { EventLoopDelay } from '../../src/stats/event-loop-delay.ts';
import { liveReport, statsReport } from '../../src/stats/stats-report.ts';
import { NOW, wellGauges } from './gauges.ts';

describe('the statistics document', () => {
  test('has peers, seeders, leechers and swarms as numbers at its top', () => {
    const { peers, seeders, leechers, swarms } = statsReport(wellGauges());
    assert.deepEqual(
      { peers, seeders, leechers, swarms },
      { peers: 42, seeders: 30, leechers: 12, swarms: 7 },
    );
  });

  test('has the Go tracker’s expvar keys beside them', () => {
    const gauges = wellGauges();
    gauges.counters.errorsClient = 4;
    gauges.counters.errorsServer = 1;
    gauges.counters.addresses.add(new Uint8Array([192, 0, 2, 1]), NOW);
    gauges.counters.announces = 5;
    gauges.rates.tick(1);
    const report = statsReport(gauges);
    assert.equal(report['trakx.requests.announces'], 5);
    assert.equal(report['trakx.requests.hits'], 0);
    assert.equal(report['trakx.requests.connects'], 0);
    assert.equal(report['trakx.requests.scrapes'], 0);
    assert.equal(report['trakx.database.seeds'], 30);
    assert.equal(report['trakx.database.leeches'], 12);
    assert.equal(report['trakx.database.peers'], 42);
    assert.equal(report['trakx.database.ips'], 1);
    assert.equal(report['trakx.database.hashes'], 7);
    assert.equal(report['trakx.database.udpconnections'], 0);
    assert.equal(report['trakx.errors.server'], 1);
    assert.equal(report['trakx.errors.client'], 4);
    assert.equal(report['trakx.internal.uptime'], 3_725);
  });

  test('has every field of memstats that netdata’s go_expvar reads', () => {
    const { memstats } = statsReport(wellGauges());
    for (const name of [
      'HeapAlloc',
      'HeapInuse',
      'StackInuse',
      'MSpanInuse',
      'MCacheInuse',
      'Sys',
      'Mallocs',
      'Frees',
    ] as const) {
      assert.equal(typeof memstats[name], 'number', name);
    }
    assert.ok(Array.isArray(memstats.PauseNs));
  });

  test('tells the age of the last save, and null while there is none, but for alarms since the start', () => {
    const gauges = wellGauges();
    const { store } = statsReport(gauges);
    assert.deepEqual([store.savedSecondsAgo, store.saveAgeSeconds], [90, 90]);
    const never = statsReport({ ...gauges, store: { ...gauges.store, savedSeconds: undefined } }).store;
    assert.deepEqual([never.savedSecondsAgo, never.saveAgeSeconds], [null, 3_725]);
  });

  test('tells how late the event loop was in the last whole minute, null in the first, and so far in this one', () => {
    const histogram = createHistogram();
    const loopDelay = new EventLoopDelay({ histogram, resolutionMs: 20, startedSeconds: 0 });
    histogram.record(30_000_000);
    const first = statsReport(wellGauges({ loopDelay })).eventLoop;
    assert.equal(first.delayMs, null);
    assert.equal(first.delayMsSoFar.samples, 1);
    assert.equal(first.windowsEnded, 0);
    loopDelay.tick(60);
    const second = statsReport(wellGauges({ loopDelay })).eventLoop;
    assert.equal(second.delayMs?.samples, 1);
    assert.equal(second.delayMsSoFar.samples, 0);
    assert.equal(second.windowsEnded, 1);
  });

  test('tells what the store was asked for, by kind of call', () => {
    const { operations } = statsReport(wellGauges()).store;
    assert.deepEqual(operations, {
      puts: 8,
      gets: 4,
      lists: 9,
      deletes: 2,
      failures: 1,
      bytesPut: 5_000,
      bytesGot: 3_000,
    });
  });

  test('names the version of its shape, and what was added to it with that', () => {
    const gauges = wellGauges();
    gauges.counters.clients.count(Buffer.from('-TR4050-abcdefghijkl'));
    gauges.counters.announceLatency.record(0.0004, 100);
    const first = statsReport(gauges);
    assert.equal(first.statsVersion, 1);
    assert.deepEqual(first.latency, { windowSeconds: 60, announceMs: null });
    gauges.announceWindow.tick(60);
    const report = statsReport({ ...gauges, clients: gauges.counters.clients.lastHour });
    const { p50 = 0, p999 = 0 } = report.latency.announceMs ?? {};
    assert.ok(p50 > 0.2 && p50 <= p999 && p999 <= 0.5, `${p50} to ${p999} ms`);
    assert.deepEqual(report.clients, [
      { family: 'Transmission', announces: 1, share: 1 },
      { family: 'other', announces: 0, share: 0 },
    ]);
    assert.deepEqual(report.busiestSwarms, [{ peers: 20, seeders: 15, leechers: 5 }]);
    assert.deepEqual(report.takedowns, { banned: 3, lastDay: 1, lastMonth: 2 });
    assert.deepEqual(report.process, { restarts: 2 });
    assert.equal(report.memory.limitBytes, 536_870_912);
    assert.equal(statsReport({ ...gauges, memoryQuotaBytes: undefined }).memory.limitBytes, null);
  });

  test('is the same for listeners, without the keys that are there for old charts', () => {
    const { memstats, ...report } = statsReport(wellGauges());
    const fields = Object.entries(report).filter(([name]) => !name.startsWith('trakx.'));
    assert.ok(memstats);
    assert.deepEqual(
      Object.keys(liveReport(wellGauges())),
      fields.map(([name]) => name),
    );
  });

  test('tells everybody of what kind a failure is, and nothing of where the store is', () => {
    const { store, restore } = wellGauges();
    const details = 'put of access/a in s3://our-bucket/ failed: no (AccessDenied).';
    const report = JSON.stringify(
      statsReport(
        wellGauges({
          store: { ...store, failure: 'The store refuses.', failureDetails: details },
          restore: { ...restore, isSettled: false, details },
        }),
      ),
    );
    assert.match(report, /The store refuses\./);
    assert.doesNotMatch(report, /our-bucket|AccessDenied/);
  });

  test('tells how the store is doing', () => {
    const { store } = wellGauges();
    const restore = { isSettled: false, explanation: 'waiting for the store', details: 'waiting for s3://b' };
    assert.equal(statsReport(wellGauges()).store.state, 'well');
    assert.equal(statsReport(wellGauges({ store: { ...store, isSaving: true } })).store.state, 'saving');
    assert.equal(statsReport(wellGauges({ restore })).store.state, 'restoring');
    assert.equal(statsReport(wellGauges({ store: { ...store, failure: 'denied' } })).store.state, 'failing');
  });
});

describe('warnings', () => {
  test('are none when all is well', () => {
    assert.deepEqual(statsReport(wellGauges()).warnings, []);
  });

  test('tell of a disk that is wiped, a save that failed, a table that is nearly full, and bans not read', () => {
    const gauges = wellGauges();
    const { warnings } = statsReport(
      wellGauges({
        warnings: ['Set TRUST_PROXY=1.'],
        store: { ...gauges.store, kind: 'directory', failure: 'no space left' },
        table: { ...gauges.table, isNearlyFull: true },
        access: { ...gauges.access, isLoaded: false },
      }),
    );
    assert.equal(warnings.length, 5);
    for (const [index, expected] of [
      /TRUST_PROXY=1/,
      /empties its disk/,
      /no space left/,
      /could not be read/,
      /MAX_PEERS/,
    ].entries()) {
      assert.match(warnings[index] ?? '', expected);
    }
  });
});
