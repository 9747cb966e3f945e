/** Gauges for tests: a tracker in which all is well. */
import { createHistogram } from 'node:perf_hooks';
import { Counters } from '../../src/stats/counters.ts';
import { EventLoopDelay } from '../../src/stats/event-loop-delay.ts';
import type { Gauges } from '../../src/stats/gauges.ts';
import { Histogram, STORE_BOUNDS_SECONDS, WAIT_BOUNDS_SECONDS } from '../../src/stats/histogram.ts';
import { HistogramWindow } from '../../src/stats/histogram-window.ts';
import { Rates } from '../../src/stats/rates.ts';

export const NOW = 1_700_000_000;

const lengths = (): Histogram => new Histogram(STORE_BOUNDS_SECONDS);

export function wellGauges(changes: Partial<Gauges> = {}): Gauges {
  const counters = new Counters();
  return {
    nowSeconds: NOW,
    startedSeconds: NOW - 3_725,
    version: '0.1.0',
    commandLine: ['/usr/bin/node', '/app/dist/main.js'],
    nodeVersion: 'v20.19.0',
    table: {
      peers: 42,
      peersIpv4: 40,
      peersIpv6: 2,
      seeders: 30,
      leechers: 12,
      swarms: 7,
      retained: 1,
      completed: 99,
      evicted: 0,
      refused: 0,
      peersMax: 50_000,
      swarmsMax: 25_000,
      isNearlyFull: false,
    },
    access: {
      mode: 'open',
      banned: 3,
      allowed: 0,
      isLoaded: true,
      takedowns: { banned: 3, lastDay: 1, lastMonth: 2 },
    },
    store: {
      kind: 's3',
      losesDisk: true,
      savedSeconds: NOW - 90,
      isSaving: false,
      failure: undefined,
      failureDetails: undefined,
      operations: { puts: 8, gets: 4, lists: 9, deletes: 2, failures: 1, bytesPut: 5_000, bytesGot: 3_000 },
      latency: { put: lengths(), get: lengths(), list: lengths(), delete: lengths() },
    },
    saves: {
      taken: 3,
      skipped: 5,
      failed: 0,
      durations: lengths(),
      lastDurationSeconds: 0.25,
      lastBytes: 5_000,
    },
    journal: {
      intervalSeconds: 10,
      bytesAtRisk: 0,
      secondsAtRisk: 0,
      segmentsWritten: 0,
      bytesWritten: 0,
      writtenAtSeconds: undefined,
      waits: new Histogram(WAIT_BOUNDS_SECONDS),
      segmentsWaiting: 0,
      segmentsDropped: 0,
      hasCompany: false,
      stopsForgotten: 0,
    },
    restore: { isSettled: true, explanation: 'restored 42 peers', details: 'restored 42 peers' },
    warnings: [],
    memory: { rss: 80e6, heapTotal: 30e6, heapUsed: 20e6, external: 1e6, arrayBuffers: 1e5 },
    cpuSeconds: 12.5,
    loopDelay: new EventLoopDelay({ histogram: createHistogram(), resolutionMs: 20, startedSeconds: 0 }),
    memoryQuotaBytes: 536_870_912,
    restarts: 2,
    clients: counters.clients.lastHour,
    busiestSwarms: [{ peers: 20, seeders: 15, leechers: 5 }],
    announceWindow: new HistogramWindow(counters.announceLatency, 0),
    connections: 11,
    counters,
    rates: new Rates(counters, 0),
    ...changes,
  };
}
