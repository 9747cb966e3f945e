/**
 * What the statistics are made of, read at one moment from the parts that main.ts has put together. Here the parts' words
 * are turned into those of stats/, which knows none of them.
 */
import type { Access } from './access/access.ts';
import type { TakedownCounts } from './access/takedown-counts.ts';
import type { Config } from './config/config.ts';
import type { ProxyWarnings } from './http/proxy-warnings.ts';
import type { HttpServer } from './http/server.ts';
import type { Journal } from './persistence/journal/journal.ts';
import type { JournalFollower } from './persistence/journal/journal-follower.ts';
import type { StopMemory } from './persistence/merge/stop-memory.ts';
import { explainRestore } from './persistence/snapshot/restore-explanation.ts';
import type { Restorer } from './persistence/snapshot/restorer.ts';
import type { Saver } from './persistence/snapshot/saver.ts';
import { failureSummary } from './persistence/store/failure-summary.ts';
import type { WatchedStore } from './persistence/store/watched-store.ts';
import type { BusiestSwarms } from './stats/busiest-swarms.ts';
import type { Counters } from './stats/counters.ts';
import type { EventLoopDelay } from './stats/event-loop-delay.ts';
import type { Gauges, RestoreGauges } from './stats/gauges.ts';
import type { HistogramWindow } from './stats/histogram-window.ts';
import type { History } from './stats/history.ts';
import type { Rates } from './stats/rates.ts';
import type { SwarmTable } from './swarm/swarm-table.ts';

export interface ReadParts {
  readonly config: Config;
  readonly version: string;
  readonly startedSeconds: number;
  readonly nowSeconds: () => number;
  readonly table: SwarmTable;
  readonly access: Access;
  readonly takedowns: TakedownCounts;
  readonly watched: WatchedStore;
  readonly journal: Journal;
  readonly follower: JournalFollower;
  readonly stops: StopMemory;
  readonly restorer: Restorer;
  readonly saver: Saver;
  readonly counters: Counters;
  readonly rates: Rates;
  readonly history: History;
  readonly busiest: BusiestSwarms;
  readonly loopDelay: EventLoopDelay;
  readonly announceWindow: HistogramWindow;
  readonly proxyWarnings: ProxyWarnings;
  readonly server: HttpServer;
}

export function readRestore({ isSettled, progress }: Restorer): RestoreGauges {
  return {
    isSettled,
    explanation: explainRestore(progress),
    details: explainRestore(progress, ({ message }) => message),
  };
}

export function readGauges(parts: ReadParts): Gauges {
  const { config, table, access, watched, journal, saver, counters, history } = parts;
  const { status } = saver;
  const storeError = status.lastError ?? watched.failure;
  const nowSeconds = parts.nowSeconds();
  return {
    nowSeconds,
    startedSeconds: parts.startedSeconds,
    version: parts.version,
    commandLine: process.argv,
    nodeVersion: process.version,
    table: {
      ...table.totals,
      peersMax: table.peersMax,
      swarmsMax: table.swarmsMax,
      isNearlyFull: table.isNearlyFull,
    },
    access: {
      mode: access.mode,
      banned: access.bans.size + config.bannedHashes.length,
      allowed: access.allowed.size + config.allowedHashes.length,
      isLoaded: access.isLoaded,
      takedowns: parts.takedowns.at(nowSeconds),
    },
    store: {
      kind: config.store.kind,
      losesDisk: config.platform.losesDisk,
      savedSeconds: status.lastSavedAtSeconds,
      isSaving: status.isSaving,
      failure: storeError && failureSummary(storeError),
      failureDetails: storeError?.message,
      operations: watched.operations,
      latency: watched.latency,
    },
    saves: {
      taken: status.snapshots,
      skipped: status.skipped,
      failed: status.failed,
      durations: saver.durations,
      lastDurationSeconds: status.lastDurationMs === undefined ? undefined : status.lastDurationMs / 1000,
      lastBytes: status.lastBytes,
    },
    journal: {
      ...journal.status,
      intervalSeconds: config.journalSeconds,
      hasCompany: parts.follower.hasCompany,
      stopsForgotten: parts.stops.overflows,
    },
    restore: readRestore(parts.restorer),
    warnings: parts.proxyWarnings.warnings,
    memory: process.memoryUsage(),
    cpuSeconds: cpuSeconds(),
    memoryQuotaBytes: config.memoryQuotaBytes,
    restarts: history.restarts,
    clients: counters.clients.lastHour,
    busiestSwarms: parts.busiest.shown,
    loopDelay: parts.loopDelay,
    announceWindow: parts.announceWindow,
    connections: parts.server.connections,
    counters,
    rates: parts.rates,
  };
}

/** Of this process, all threads, user and system. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
