/** The operations on the whole tracker: how it is, and saving a snapshot now. */
import type { Log } from '../../log.ts';
import type { SaveOutcome, Saver } from '../../persistence/snapshot/saver.ts';
import type { Gauges } from '../../stats/gauges.ts';
import { warningsOf } from '../../stats/stats-report.ts';
import { timeLimit, whenAborted } from '../../time-limit.ts';
import { isoTime, type Reply } from './admin-reply.ts';
import type { Operation } from './operation.ts';

export interface TrackerOperationsParts {
  readonly gauges: () => Gauges;
  readonly saver: Pick<Saver, 'save' | 'status'>;
  /** Changes of the lists that are in force but wait for the store. */
  readonly accessLog: { readonly waiting: number };
  readonly storeAddress: string;
  /** Of this process, in the keys of what it writes. */
  readonly boot: string;
  readonly log: Log;
  readonly snapshotAnswerMsMax?: number;
}

/** Routers in front of the tracker give up after 30 s; the snapshot goes on. */
const SNAPSHOT_ANSWER_MS_MAX = 25_000;

export function trackerOperations(parts: TrackerOperationsParts): readonly Operation[] {
  return [
    { method: 'GET', path: '/admin/status', queryNames: [], answer: () => status(parts) },
    { method: 'POST', path: '/admin/snapshot', queryNames: [], answer: () => snapshot(parts) },
  ];
}

function status({ gauges, saver, accessLog, storeAddress, boot }: TrackerOperationsParts): Reply {
  const now = gauges();
  const { table, access, journal, store, restore } = now;
  const saved = saver.status;
  const body = {
    version: now.version,
    boot,
    now: isoTime(now.nowSeconds),
    startedAt: isoTime(now.startedSeconds),
    uptimeSeconds: now.nowSeconds - now.startedSeconds,
    warnings: warningsOf(now),
    restore: { isSettled: restore.isSettled, explanation: restore.details },
    table: {
      peers: table.peers,
      seeders: table.seeders,
      leechers: table.leechers,
      swarms: table.swarms,
      peersMax: table.peersMax,
      swarmsMax: table.swarmsMax,
      isNearlyFull: table.isNearlyFull,
    },
    access: {
      mode: access.mode,
      isLoaded: access.isLoaded,
      banned: access.banned,
      allowed: access.allowed,
      changesWaiting: accessLog.waiting,
    },
    takedowns: access.takedowns,
    store: {
      kind: store.kind,
      address: storeAddress,
      failure: store.failureDetails ?? null,
      losesDisk: store.losesDisk,
    },
    snapshots: {
      isSaving: saved.isSaving,
      savedAt: saved.lastSavedAtSeconds === undefined ? null : isoTime(saved.lastSavedAtSeconds),
      savedSinceStart: saved.snapshots,
      lastBytes: saved.lastBytes ?? null,
      lastPeers: saved.lastPeers ?? null,
      lastDurationMs: saved.lastDurationMs ?? null,
    },
    journal: {
      intervalSeconds: journal.intervalSeconds,
      bytesAtRisk: journal.bytesAtRisk,
      secondsAtRisk: journal.secondsAtRisk,
      segmentsWaiting: journal.segmentsWaiting,
      hasCompany: journal.hasCompany,
    },
    memoryBytes: now.memory.rss,
  };
  return { status: 200, body };
}

async function snapshot({ saver, log, snapshotAnswerMsMax }: TrackerOperationsParts): Promise<Reply> {
  const wasSaving = saver.status.isSaving;
  const limit = timeLimit(snapshotAnswerMsMax ?? SNAPSHOT_ANSWER_MS_MAX);
  const isUp = whenAborted(limit.signal).then(() => undefined);
  const outcome = await Promise.race([saver.save('admin'), isUp]);
  limit.end();
  log.info('An administrator asked for a snapshot.', {
    who: 'token',
    action: 'snapshot',
    outcome: outcome?.kind ?? 'still-saving',
    joinedOneUnderWay: wasSaving,
  });
  return replyTo(outcome, wasSaving);
}

function replyTo(outcome: SaveOutcome | undefined, joinedOneUnderWay: boolean): Reply {
  if (outcome === undefined) {
    return { status: 202, body: { outcome: 'still-saving', joinedOneUnderWay } };
  }
  const { kind } = outcome;
  switch (kind) {
    case 'saved': {
      const { number, bytes, swarms, peers } = outcome;
      return { status: 200, body: { outcome: kind, joinedOneUnderWay, number, bytes, swarms, peers } };
    }
    case 'unchanged':
    case 'not-due':
      return { status: 200, body: { outcome: kind, joinedOneUnderWay } };
    case 'not-settled': {
      const error = 'The restore has not settled: a snapshot now could push out what it has not read.';
      return {
        status: 503,
        body: { outcome: kind, joinedOneUnderWay, error },
        headers: { 'Retry-After': '5' },
      };
    }
    case 'failed':
      return {
        status: 503,
        body: { outcome: kind, joinedOneUnderWay, error: `The snapshot failed: ${outcome.error.message}` },
      };
  }
}
