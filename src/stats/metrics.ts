/**
 * What Prometheus is told: each metric with its name, unit, meaning and where its value comes from. One list, of which
 * prometheus.ts makes the text at /metrics and `npm run docs` the tables in docs/operations.md.
 *
 * Names follow Prometheus' rules: base units (seconds, bytes), `_total` for what only grows since the start. What every
 * Node program tells (`process_…`, `nodejs_…`) has the names that ready-made dashboards know. A value is read
 * when somebody asks; nothing here is on the way of an announce.
 */
import type { Gauges } from './gauges.ts';
import type { Histogram } from './histogram.ts';
import { saveAgeSeconds, warningsOf } from './stats-report.ts';

interface Described {
  readonly name: string;
  /** A sentence. */
  readonly help: string;
  /** The name of the label that tells its values apart. */
  readonly label?: string;
}

/** By the label's value; without a label one value. undefined: not known yet, so nothing is told. */
export type Values<T> = T | Readonly<Record<string, T>> | undefined;

export interface NumberMetric extends Described {
  readonly kind: 'gauge' | 'counter';
  readonly read: (gauges: Gauges) => Values<number>;
}

export interface LengthMetric extends Described {
  readonly kind: 'histogram';
  readonly read: (gauges: Gauges) => Values<Histogram>;
}

export type Metric = NumberMetric | LengthMetric;

export interface MetricGroup {
  readonly title: string;
  readonly metrics: readonly Metric[];
}

export const METRIC_GROUPS: readonly MetricGroup[] = [
  {
    title: 'Peers and swarms',
    metrics: [
      gauge('trakx_peers', 'Peers in the table.', 'family', ({ table }) => ({
        ipv4: table.peersIpv4,
        ipv6: table.peersIpv6,
      })),
      gauge('trakx_peers_by_role', 'The same peers; partial seeds are leechers.', 'role', ({ table }) => ({
        seeder: table.seeders,
        leecher: table.leechers,
      })),
      gauge('trakx_peers_capacity', 'Peers that the table has room for.', ({ table }) => table.peersMax),
      gauge('trakx_swarms', 'Swarms with peers.', ({ table }) => table.swarms),
      gauge(
        'trakx_swarms_retained',
        'Swarms without peers that keep their count of completed downloads.',
        ({ table }) => table.retained,
      ),
      gauge('trakx_swarms_capacity', 'Swarms that the table has room for.', ({ table }) => table.swarmsMax),
      gauge('trakx_table_nearly_full', '1 while new peers take the place of old ones.', ({ table }) =>
        Number(table.isNearlyFull),
      ),
      gauge(
        'trakx_completed_downloads',
        'Completed downloads of all swarms, restored ones included.',
        ({ table }) => table.completed,
      ),
      gauge(
        'trakx_unique_addresses',
        'Addresses that announced within PEER_TTL; estimated, standard error 0.81 %.',
        ({ counters, nowSeconds }) => counters.addresses.count(nowSeconds),
      ),
      counter('trakx_peers_evicted_total', 'Peers that gave way to others.', ({ table }) => table.evicted),
      counter('trakx_peers_refused_total', 'Peers that found no room.', ({ table }) => table.refused),
    ],
  },
  {
    title: 'Announces and scrapes',
    metrics: [
      counter(
        'trakx_announces_total',
        'Announces, answered well or not, by the way they took: the express lane or Express.',
        'way',
        ({ counters }) => ways(counters.announces, counters.laneAnnounces),
      ),
      counter(
        'trakx_announces_applied_total',
        'Announces that were applied and answered with peers.',
        'family',
        ({ counters }) => ({
          ipv4: counters.announcesIpv4,
          ipv6: counters.announcesIpv6,
        }),
      ),
      counter(
        'trakx_announce_events_total',
        'Announces that were applied and told of an event other than started.',
        'event',
        ({ counters }) => ({
          completed: counters.announcesCompleted,
          stopped: counters.announcesStopped,
          paused: counters.announcesPaused,
        }),
      ),
      counter(
        'trakx_announces_not_stored_total',
        'Announces that were answered and whose peer found no room.',
        ({ counters }) => counters.announcesNotStored,
      ),
      gauge(
        'trakx_announces_by_client',
        'Announces of the last hour by client program, as the peer id names it: the largest, then others.',
        'client',
        ({ clients }) => Object.fromEntries(clients.map(({ family, announces }) => [family, announces])),
      ),
      lengths(
        'trakx_announce_duration_seconds',
        'From when the bytes of an announce were read to when its reply was written.',
        ({ counters }) => counters.announceLatency,
      ),
      counter(
        'trakx_scrapes_total',
        'Scrapes, answered well or not, by the way they took.',
        'way',
        ({ counters }) => ways(counters.scrapes, counters.laneScrapes),
      ),
      counter(
        'trakx_scraped_hashes_total',
        'Info hashes in scrapes.',
        ({ counters }) => counters.scrapedHashes,
      ),
      counter(
        'trakx_refusals_total',
        'Announces and scrapes answered with a failure reason: malformed, no usable address, banned, not allowed.',
        'reason',
        ({ counters }) => ({
          malformed: counters.refusedMalformed,
          address: counters.refusedAddress,
          banned: counters.refusedBanned,
          not_allowed: counters.refusedNotAllowed,
        }),
      ),
    ],
  },
  {
    title: 'Connections and requests',
    metrics: [
      counter('trakx_http_requests_total', 'Requests of any kind.', ({ counters }) => counters.hits),
      counter(
        'trakx_http_errors_total',
        'Answers that blame the client (a failure reason or 4xx), and failures of the tracker.',
        'blame',
        ({ counters }) => ({
          client: counters.errorsClient,
          server: counters.errorsServer,
        }),
      ),
      counter('trakx_http_connections_total', 'Connections accepted.', ({ counters }) => counters.connects),
      gauge('trakx_http_connections_open', 'Connections open now.', ({ connections }) => connections),
      counter(
        'trakx_lane_handovers_total',
        'Connections that the express lane handed to Express.',
        ({ counters }) => counters.laneHandovers,
      ),
    ],
  },
  {
    title: 'Store, snapshots and journal',
    metrics: [
      counter(
        'trakx_store_requests_total',
        'Requests to the store as it bills them: a listing once for each 1,000 objects.',
        'operation',
        ({ store: { operations } }) => ({
          put: operations.puts,
          get: operations.gets,
          list: operations.lists,
          delete: operations.deletes,
        }),
      ),
      lengths(
        'trakx_store_operation_duration_seconds',
        'How long the store took to answer, failures and retries included.',
        'operation',
        ({ store }) => ({ ...store.latency }),
      ),
      counter(
        'trakx_store_failures_total',
        'Calls to the store that failed.',
        ({ store }) => store.operations.failures,
      ),
      counter(
        'trakx_store_written_bytes_total',
        'Bytes put into the store.',
        ({ store }) => store.operations.bytesPut,
      ),
      counter(
        'trakx_store_read_bytes_total',
        'Bytes got from the store.',
        ({ store }) => store.operations.bytesGot,
      ),
      gauge('trakx_store_failing', '1 while the store is lost or the last save failed.', ({ store }) =>
        Number(store.failure !== undefined),
      ),
      gauge('trakx_restore_settled', '1 once the restore after the start has settled.', ({ restore }) =>
        Number(restore.isSettled),
      ),
      counter(
        'trakx_saves_total',
        'Snapshots taken; skipped because none was needed or allowed; failed.',
        'outcome',
        ({ saves }) => ({
          taken: saves.taken,
          skipped: saves.skipped,
          failed: saves.failed,
        }),
      ),
      lengths('trakx_save_duration_seconds', 'How long each snapshot took.', ({ saves }) => saves.durations),
      gauge('trakx_save_running', '1 while a snapshot is being taken.', ({ store }) =>
        Number(store.isSaving),
      ),
      gauge(
        'trakx_save_age_seconds',
        'Since the last snapshot, a restored one included; since the start while there is none.',
        saveAgeSeconds,
      ),
      gauge(
        'trakx_save_size_bytes',
        'The last snapshot; not told before the first.',
        ({ saves }) => saves.lastBytes,
      ),
      gauge(
        'trakx_journal_interval_seconds',
        'JOURNAL_SECONDS; 0 when no journal is written.',
        ({ journal }) => journal.intervalSeconds,
      ),
      gauge(
        'trakx_journal_at_risk_bytes',
        'Heard and not yet in the store: what a kill now would lose.',
        ({ journal }) => journal.bytesAtRisk,
      ),
      gauge(
        'trakx_journal_at_risk_seconds',
        'Since the oldest of that was heard.',
        ({ journal }) => journal.secondsAtRisk,
      ),
      lengths(
        'trakx_journal_wait_seconds',
        'How long the oldest entry of each journal segment had waited when it was stored: what a kill just before would have lost.',
        ({ journal }) => journal.waits,
      ),
      counter(
        'trakx_journal_written_bytes_total',
        'Bytes of journal segments in the store.',
        ({ journal }) => journal.bytesWritten,
      ),
      counter(
        'trakx_journal_segments_total',
        'Segments stored, and segments given up because too many waited.',
        'outcome',
        ({ journal }) => ({
          written: journal.segmentsWritten,
          dropped: journal.segmentsDropped,
        }),
      ),
      gauge(
        'trakx_journal_segments_waiting',
        'Segments on their way to the store.',
        ({ journal }) => journal.segmentsWaiting,
      ),
      gauge('trakx_journal_shared', '1 while another tracker writes to the same store.', ({ journal }) =>
        Number(journal.hasCompany),
      ),
    ],
  },
  {
    title: 'Who is served',
    metrics: [
      gauge('trakx_hashes_banned', 'Info hashes that are banned.', ({ access }) => access.banned),
      gauge('trakx_hashes_allowed', 'Info hashes on the allow list.', ({ access }) => access.allowed),
      gauge('trakx_access_loaded', '1 once the lists were read from the store.', ({ access }) =>
        Number(access.isLoaded),
      ),
    ],
  },
  {
    title: 'The process',
    metrics: [
      gauge('trakx_build_info', '1, with the version of the tracker.', 'version', ({ version }) => ({
        [version]: 1,
      })),
      gauge('nodejs_version_info', '1, with the version of Node.', 'version', ({ nodeVersion }) => ({
        [nodeVersion]: 1,
      })),
      gauge(
        'trakx_uptime_seconds',
        'Since the start.',
        ({ nowSeconds, startedSeconds }) => nowSeconds - startedSeconds,
      ),
      gauge(
        'trakx_warnings',
        'Sentences on /stats that say what the operator should change.',
        (gauges) => warningsOf(gauges).length,
      ),
      gauge(
        'trakx_restarts',
        'How often a tracker started on this store after the first time, as far as is known.',
        ({ restarts }) => restarts,
      ),
      gauge(
        'trakx_memory_limit_bytes',
        'What the platform or the control group gives this process; not told where they name no limit.',
        ({ memoryQuotaBytes }) => memoryQuotaBytes,
      ),
      lengths(
        'trakx_event_loop_delay_seconds',
        'How late the event loop was, sampled 50 times a second.',
        ({ loopDelay }) => loopDelay.sinceStart(),
      ),
      gauge(
        'process_start_time_seconds',
        'When the process started, since the epoch.',
        ({ startedSeconds }) => startedSeconds,
      ),
      counter(
        'process_cpu_seconds_total',
        'Processor time, of the user and the system.',
        ({ cpuSeconds }) => cpuSeconds,
      ),
      gauge('process_resident_memory_bytes', 'Resident memory.', ({ memory }) => memory.rss),
      gauge(
        'nodejs_heap_size_total_bytes',
        "Memory that V8 has taken for JavaScript's objects.",
        ({ memory }) => memory.heapTotal,
      ),
      gauge('nodejs_heap_size_used_bytes', 'Of it, in use.', ({ memory }) => memory.heapUsed),
      gauge(
        'nodejs_external_memory_bytes',
        'Memory of objects outside the heap, without the table of peers, which is shared memory.',
        ({ memory }) => memory.external,
      ),
    ],
  },
];

export const METRICS: readonly Metric[] = METRIC_GROUPS.flatMap(({ metrics }) => metrics);

/** What the lane did not answer, Express did. */
function ways(all: number, lane: number): { lane: number; express: number } {
  return { lane, express: Math.max(0, all - lane) };
}

type Reader<T> = (gauges: Gauges) => Values<T>;
/** Name, help, the reader, before which the label's name may stand. */
type Definition<T> =
  | readonly [name: string, help: string, read: Reader<T>]
  | readonly [name: string, help: string, label: string, read: Reader<T>];

function described<T>(definition: Definition<T>): Described & { readonly read: Reader<T> } {
  if (definition.length === 3) {
    const [name, help, read] = definition;
    return { name, help, read };
  }
  const [name, help, label, read] = definition;
  return { name, help, label, read };
}

function gauge(...definition: Definition<number>): NumberMetric {
  return { kind: 'gauge', ...described(definition) };
}

function counter(...definition: Definition<number>): NumberMetric {
  return { kind: 'counter', ...described(definition) };
}

function lengths(...definition: Definition<Histogram>): LengthMetric {
  return { kind: 'histogram', ...described(definition) };
}
