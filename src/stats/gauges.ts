/**
 * What the statistics are made of at one moment. The composition root fills it from the table, the store and the
 * process, so that the pages know none of them. All times are seconds since the epoch.
 */
import type { Takedowns } from '../access/takedown-counts.ts';
import type { Totals } from '../swarm/swarm-table.ts';
import type { BusySwarm } from './busiest-swarms.ts';
import type { ClientShare } from './client-counts.ts';
import type { Counters } from './counters.ts';
import type { EventLoopDelay } from './event-loop-delay.ts';
import type { Histogram } from './histogram.ts';
import type { HistogramWindow } from './histogram-window.ts';
import type { Rates } from './rates.ts';

export interface Gauges {
  readonly nowSeconds: number;
  readonly startedSeconds: number;
  readonly version: string;
  /** `process.argv`. */
  readonly commandLine: readonly string[];
  /** `process.version`. */
  readonly nodeVersion: string;
  readonly table: TableGauges;
  readonly access: AccessGauges;
  readonly store: StoreGauges;
  readonly saves: SavesGauges;
  readonly journal: JournalGauges;
  readonly restore: RestoreGauges;
  /** What the operator should change, each a whole sentence: proxy settings for example. */
  readonly warnings: readonly string[];
  readonly memory: MemoryGauges;
  /** Of processor time since the start, the user's and the system's. */
  readonly cpuSeconds: number;
  /** What the platform or the control group gives this process; undefined when they name no limit. */
  readonly memoryQuotaBytes: number | undefined;
  /** How often a tracker started on this store after the first time, as far as is known. */
  readonly restarts: number;
  /** Of the last hour. */
  readonly clients: readonly ClientShare[];
  readonly busiestSwarms: readonly BusySwarm[];
  readonly loopDelay: EventLoopDelay;
  /** Of `counters.announceLatency`, by the minute. */
  readonly announceWindow: HistogramWindow;
  /** Open ones. */
  readonly connections: number;
  readonly counters: Counters;
  readonly rates: Rates;
}

export interface TableGauges extends Totals {
  readonly peersMax: number;
  readonly swarmsMax: number;
  readonly isNearlyFull: boolean;
}

export interface AccessGauges {
  readonly mode: 'open' | 'allowlist';
  readonly banned: number;
  readonly allowed: number;
  /** False until the store's list of bans and allowed hashes was read. */
  readonly isLoaded: boolean;
  readonly takedowns: Takedowns;
}

/**
 * What this process has asked of its store since the start: what a store bills, or nearly (retries inside a call are
 * not seen here).
 */
export interface StoreOperations {
  readonly puts: number;
  readonly gets: number;
  /** Pages of listings, 1,000 objects each: a listing is billed by the page. */
  readonly lists: number;
  readonly deletes: number;
  /** Calls of any kind that failed; looking for what is not there, and giving up, are no failures. */
  readonly failures: number;
  /** Of puts and gets that succeeded. */
  readonly bytesPut: number;
  readonly bytesGot: number;
}

/**
 * How long the store took to answer, by kind of call, failures included and retries within a call; without calls that
 * were given up by who made them. A listing counts once, whatever pages it took.
 */
export interface StoreLatency {
  readonly put: Histogram;
  readonly get: Histogram;
  readonly list: Histogram;
  readonly delete: Histogram;
}

export interface StoreGauges {
  readonly kind: 'directory' | 's3';
  /** Whether a directory store is on a disk that the platform empties at each restart. */
  readonly losesDisk: boolean;
  /** When the last save that succeeded ended, or the restored snapshot was taken; undefined while there is none. */
  readonly savedSeconds: number | undefined;
  readonly isSaving: boolean;
  /**
   * Why the last save failed or the store is lost; undefined when neither is so. Shown to everybody, so it says of what
   * kind the failure is, and nothing of where the store is.
   */
  readonly failure: string | undefined;
  /** The same for the operator alone: what was asked of which object where, and what the store said. */
  readonly failureDetails: string | undefined;
  readonly operations: StoreOperations;
  readonly latency: StoreLatency;
}

/** Snapshots since the start. */
export interface SavesGauges {
  readonly taken: number;
  /** Nothing had changed, the journal was small beside the last one, or the restore had not settled. */
  readonly skipped: number;
  readonly failed: number;
  /** Of those taken. */
  readonly durations: Histogram;
  /** Of the last one taken; undefined before the first. */
  readonly lastDurationSeconds: number | undefined;
  readonly lastBytes: number | undefined;
}

/** What was heard and is not in the store yet: what a kill now would lose. */
export interface JournalGauges {
  /** JOURNAL_SECONDS; 0 when no journal is written. */
  readonly intervalSeconds: number;
  readonly bytesAtRisk: number;
  /** Since the oldest of it was heard. */
  readonly secondsAtRisk: number;
  readonly segmentsWritten: number;
  readonly bytesWritten: number;
  /** When the last segment was stored; undefined before the first. */
  readonly writtenAtSeconds: number | undefined;
  /** Of each segment stored since the start: how long the oldest of its entries had waited. */
  readonly waits: Histogram;
  readonly segmentsWaiting: number;
  readonly segmentsDropped: number;
  /** Whether another tracker wrote to the same store within the last ten minutes. */
  readonly hasCompany: boolean;
  /** Stops that were not remembered because there was no room for them (rule D-S4). */
  readonly stopsForgotten: number;
}

export interface RestoreGauges {
  readonly isSettled: boolean;
  /** What it waits for, or what it found, as a sentence. Shown to everybody, like a store's failure. */
  readonly explanation: string;
  /** The same for the operator alone. */
  readonly details: string;
}

/** process.memoryUsage(). */
export interface MemoryGauges {
  readonly rss: number;
  readonly heapTotal: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
}
