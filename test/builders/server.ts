/**
 * The http part as main.ts puts it together, on a port the system gives, with a clock and settings of the
 * test's own. Everything inside is real; what a test wants to look at is handed out.
 */
import type { AddressInfo } from 'node:net';
import type { Router } from 'express';
import { Answers } from '../../src/http/answers.ts';
import { createApp } from '../../src/http/app.ts';
import { ClientAddresses } from '../../src/http/client-address.ts';
import { ProxyWarnings } from '../../src/http/proxy-warnings.ts';
import { HttpServer, type HttpServerOptions } from '../../src/http/server.ts';
import { Counters } from '../../src/stats/counters.ts';
import { SwarmTable } from '../../src/swarm/swarm-table.ts';
import { NO_JOURNAL } from '../../src/tracker/announce-journal.ts';
import { Tracker, type TrackerOptions, type TrackerSettings } from '../../src/tracker/tracker.ts';
import { type MemoryLog, memoryLog } from './log.ts';
import { seededRandom } from './random.ts';

/** The settings of the wire tests: no jitter, and what the configuration has by default otherwise. */
export const SETTINGS: TrackerSettings = {
  announceIntervalSeconds: 1800,
  announceIntervalJitterSeconds: 0,
  minAnnounceIntervalSeconds: 900,
  numwantDefault: 50,
  numwantMax: 200,
  peerTtlSeconds: 3600,
  trustProxy: 0,
  allowPrivatePeers: undefined,
  trustIpParamFrom: [],
};

/** Whether servers have the express lane unless told otherwise: EXPRESS_LANE, as for the tracker itself. */
export const HAS_LANE = process.env.EXPRESS_LANE !== 'off';

/** An empty table. */
export function buildTable({ peersMax = 20_000, swarmsMax = 10_000 } = {}): SwarmTable {
  return new SwarmTable({ peersMax, swarmsMax, hashKey: [1, 2], random: seededRandom(1) });
}

/** Runs a purge to its end. */
export function purgeNow({ tracker, clock }: RunningServer): number {
  const purge = tracker.purge(clock.nowSeconds);
  while (purge.step());
  return purge.removed;
}

/** Serves every torrent. */
export const SERVES_ALL: TrackerOptions['access'] = { verdict: () => 0 };

export interface ServerOptions {
  readonly settings?: Partial<TrackerSettings>;
  readonly access?: TrackerOptions['access'];
  readonly table?: SwarmTable;
  readonly scrapeHashesMax?: number;
  readonly routers?: readonly Router[];
  /** In place of the tracker made of the other options. */
  readonly tracker?: Pick<Tracker, 'announce' | 'scrape'>;
  readonly server?: Partial<HttpServerOptions>;
  readonly host?: string;
  readonly hasLane?: boolean;
  readonly monotonicMs?: () => number;
}

export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  readonly address: AddressInfo;
  readonly table: SwarmTable;
  readonly tracker: Tracker;
  readonly counters: Counters;
  readonly log: MemoryLog;
  readonly warnings: ProxyWarnings;
  readonly http: HttpServer;
  /** The tracker's time, seconds since the epoch; stands still unless a test moves it. */
  clock: { nowSeconds: number };
}

/** Starts the http part; `await using` stops it. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const settings: TrackerSettings = { ...SETTINGS, ...options.settings };
  const { trustProxy } = settings;
  const table = options.table ?? buildTable();
  const counters = new Counters();
  const log = memoryLog();
  const clock = { nowSeconds: 1_700_000_000 };
  const access = options.access ?? SERVES_ALL;
  const tracker = new Tracker({
    table,
    access,
    counters,
    journal: NO_JOURNAL,
    settings,
    random: seededRandom(7),
  });
  const warnings = new ProxyWarnings({ trustProxy, log });
  const nowSeconds = (): number => clock.nowSeconds;
  const scrapeHashesMax = options.scrapeHashesMax ?? 100;
  const answers = new Answers({
    tracker: options.tracker ?? tracker,
    clientAddresses: new ClientAddresses({ trustProxy, warnings }),
    counters,
    log,
    nowSeconds,
  });
  const monotonicMs = options.monotonicMs ?? (() => performance.now());
  const routers = options.routers ?? [];
  const listener = createApp({ answers, counters, scrapeHashesMax, monotonicMs, routers });
  const http = new HttpServer({
    listener,
    lane: (options.hasLane ?? HAS_LANE) ? { answers, scrapeHashesMax, nowSeconds, monotonicMs } : undefined,
    trustProxy,
    connectionsMax: 1_000,
    counters,
    ...options.server,
  });
  const address = await http.listen(0, options.host ?? '127.0.0.1');
  return {
    port: address.port,
    address,
    table,
    tracker,
    counters,
    log,
    warnings,
    http,
    clock,
    [Symbol.asyncDispose]: () => http.drain({ idleMs: 0, msMax: 0 }),
  };
}
