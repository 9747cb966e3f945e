/**
 * The document behind /stats.json, and what /stats shows: the gauges and counters in their documented shape
 * (docs/operations.md, "Statistics"). Pure; nobody's address is in it.
 */
import { LOOP_WINDOW_SECONDS } from './event-loop-delay.ts';
import { expvars } from './expvar.ts';
import type { Gauges } from './gauges.ts';
import { LATENCY_WINDOW_SECONDS, type LatencyQuantiles } from './histogram-window.ts';
import { STATS_VERSION } from './stats-version.ts';

export function statsReport(gauges: Gauges) {
  const uniqueAddresses = gauges.counters.addresses.count(gauges.nowSeconds);
  return { ...reported(gauges, uniqueAddresses), ...expvars(gauges, uniqueAddresses) };
}

/** What listeners are sent again and again: the report without the keys that are there for old charts. */
export type LiveReport = ReturnType<typeof liveReport>;

export function liveReport(gauges: Gauges) {
  return reported(gauges, gauges.counters.addresses.count(gauges.nowSeconds));
}

function reported(gauges: Gauges, uniqueAddresses: number) {
  const { table, counters, store, journal, nowSeconds } = gauges;
  const { takedowns, ...access } = gauges.access;
  return {
    statsVersion: STATS_VERSION,
    peers: table.peers,
    seeders: table.seeders,
    leechers: table.leechers,
    swarms: table.swarms,
    peersIpv4: table.peersIpv4,
    peersIpv6: table.peersIpv6,
    /** Estimated; the standard error is 0.81 %. */
    uniqueAddresses,
    completed: table.completed,
    version: gauges.version,
    uptimeSeconds: nowSeconds - gauges.startedSeconds,
    warnings: warningsOf(gauges),
    table: {
      peersMax: table.peersMax,
      swarmsMax: table.swarmsMax,
      isNearlyFull: table.isNearlyFull,
      swarmsRetained: table.retained,
      peersEvicted: table.evicted,
      peersRefused: table.refused,
    },
    requests: {
      perSecond: gauges.rates.perSecond,
      hits: counters.hits,
      connects: counters.connects,
      announces: counters.announces,
      announcesIpv4: counters.announcesIpv4,
      announcesIpv6: counters.announcesIpv6,
      announcesCompleted: counters.announcesCompleted,
      announcesStopped: counters.announcesStopped,
      announcesPaused: counters.announcesPaused,
      announcesNotStored: counters.announcesNotStored,
      scrapes: counters.scrapes,
      scrapedHashes: counters.scrapedHashes,
      laneAnnounces: counters.laneAnnounces,
      laneScrapes: counters.laneScrapes,
      laneHandovers: counters.laneHandovers,
      refusedMalformed: counters.refusedMalformed,
      refusedAddress: counters.refusedAddress,
      refusedBanned: counters.refusedBanned,
      refusedNotAllowed: counters.refusedNotAllowed,
      errorsClient: counters.errorsClient,
      errorsServer: counters.errorsServer,
    },
    store: {
      kind: store.kind,
      state: storeState(gauges),
      /** null while the store holds no snapshot, as far as is known. */
      savedSecondsAgo: secondsAgo(store.savedSeconds, nowSeconds),
      saveAgeSeconds: saveAgeSeconds(gauges),
      failure: store.failure ?? null,
      isRestored: gauges.restore.isSettled,
      restore: gauges.restore.explanation,
      operations: { ...store.operations },
    },
    journal: {
      intervalSeconds: journal.intervalSeconds,
      /** What a crash now would lose: entries not yet in the store, and since when the oldest waits. */
      bytesAtRisk: journal.bytesAtRisk,
      secondsAtRisk: journal.secondsAtRisk,
      /** null before the first segment since the start. */
      writtenSecondsAgo: secondsAgo(journal.writtenAtSeconds, nowSeconds),
      segmentsWritten: journal.segmentsWritten,
      bytesWritten: journal.bytesWritten,
      segmentsWaiting: journal.segmentsWaiting,
      segmentsDropped: journal.segmentsDropped,
      hasCompany: journal.hasCompany,
      stopsForgotten: journal.stopsForgotten,
    },
    access,
    memory: { ...gauges.memory, limitBytes: gauges.memoryQuotaBytes ?? null },
    eventLoop: eventLoop(gauges),
    latency: {
      windowSeconds: LATENCY_WINDOW_SECONDS,
      announceMs: announceMs(gauges.announceWindow.lastWindow),
    },
    clients: gauges.clients,
    busiestSwarms: gauges.busiestSwarms,
    takedowns,
    process: { restarts: gauges.restarts },
  };
}

/** null before the first whole minute, and after one without an announce. */
function announceMs(window: LatencyQuantiles | undefined) {
  if (window === undefined) return null;
  const { p50, p90, p99, p999 } = window;
  return { p50, p90, p99, p999 };
}

/** null instead of the last window's delays until the first has ended. */
function eventLoop({ loopDelay }: Gauges) {
  return {
    resolutionMs: loopDelay.resolutionMs,
    windowSeconds: LOOP_WINDOW_SECONDS,
    windowsEnded: loopDelay.windowsEnded,
    delayMs: loopDelay.lastWindow ?? null,
    delayMsSoFar: loopDelay.thisWindow,
  };
}

function secondsAgo(atSeconds: number | undefined, nowSeconds: number): number | null {
  return atSeconds === undefined ? null : Math.max(0, nowSeconds - atSeconds);
}

/** Of the last snapshot, or since the start while there is none: a number always, so that an alarm can watch it. */
export function saveAgeSeconds({ store, nowSeconds, startedSeconds }: Gauges): number {
  return Math.max(0, nowSeconds - (store.savedSeconds ?? startedSeconds));
}

/** `restoring` until the restore has settled, then how the last save went. */
function storeState({ store, restore }: Gauges): 'restoring' | 'failing' | 'saving' | 'well' {
  if (store.failure !== undefined) return 'failing';
  if (!restore.isSettled) return 'restoring';
  return store.isSaving ? 'saving' : 'well';
}

/** What the operator should change, as sentences. */
export function warningsOf({ warnings, table, store, journal, access }: Gauges): string[] {
  const all = [...warnings];
  if (store.losesDisk && store.kind === 'directory') all.push(EPHEMERAL_DISK_WARNING);
  if (store.failure !== undefined) all.push(`The last save failed: ${store.failure}`);
  if (journal.secondsAtRisk > journal.intervalSeconds * INTERVALS_AT_RISK_MAX) {
    all.push(
      `What was announced in the last ${journal.secondsAtRisk} seconds is not in the store yet: a crash now would lose it.`,
    );
  }
  if (!access.isLoaded) {
    all.push(
      'The list of banned and allowed hashes could not be read from the store yet; it is tried again.',
    );
  }
  if (table.isNearlyFull) {
    all.push(
      'The table is nearly full: new peers take the place of old ones in big swarms. A bigger MAX_PEERS, and the memory for it, makes room.',
    );
  }
  return all;
}

/** On its way to a store that answers is what gathered in one interval, and what was heard in the next. */
const INTERVALS_AT_RISK_MAX = 3;

/** Also for the log, at start. */
export const EPHEMERAL_DISK_WARNING =
  'This platform empties its disk at each restart and the store is a directory: peers and bans will be lost. Add an S3 add-on, or set STORE_URL to s3://bucket/prefix.';
