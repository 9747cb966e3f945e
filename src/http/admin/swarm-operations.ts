/**
 * The operations on one swarm: what the table knows of it and whether it is served, and dropping it. Counts only: no
 * peer's address leaves the table.
 */
import { type Access, Verdict } from '../../access/access.ts';
import type { Log } from '../../log.ts';
import { formatInfoHash } from '../../protocol/info-hash.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import { denialFor } from '../../tracker/denial.ts';
import type { Tracker } from '../../tracker/tracker.ts';
import { isoTime, type Reply, refuse } from './admin-reply.ts';
import type { Asked, Operation } from './operation.ts';

export interface SwarmOperationsParts {
  readonly access: Access;
  readonly tracker: Pick<Tracker, 'swarm' | 'drop'>;
  /** Whether all that was saved has been read: until then what is dropped could come back. */
  readonly isRestored: () => boolean;
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
  readonly log: Log;
}

const REFUSALS: Readonly<Record<Verdict, string | null>> = {
  [Verdict.served]: null,
  [Verdict.banned]: 'banned',
  [Verdict.notAllowed]: 'not-allowed',
  [Verdict.notLoaded]: 'not-loaded',
};
const NO_PEERS = { seeders: 0, leechers: 0, partialSeeds: 0, completed: 0 };

export function swarmOperations(parts: SwarmOperationsParts): readonly Operation[] {
  const path = '/admin/swarms/{infoHash}';
  return [
    { method: 'GET', path, queryNames: [], answer: (asked) => show(parts, asked) },
    { method: 'DELETE', path, queryNames: [], answer: (asked) => drop(parts, asked) },
  ];
}

function show({ access, tracker }: SwarmOperationsParts, { infoHash }: Asked): Reply {
  const swarm = tracker.swarm(infoHash);
  const verdict = access.verdict(infoHash);
  const ban = access.bans.find(infoHash);
  const body = {
    infoHash: formatInfoHash(infoHash),
    isKnown: swarm !== undefined,
    ...(swarm ?? NO_PEERS),
    isServed: verdict === Verdict.served,
    refusal: REFUSALS[verdict],
    clientsAreTold: denialFor(verdict)?.failureReason ?? null,
    ban: ban?.isListed === true ? { reason: ban.reason, changedAt: isoTime(ban.atSeconds) } : null,
    isBannedByEnvironment: access.isByEnvironment('bans', infoHash),
  };
  return { status: 200, body };
}

async function drop(parts: SwarmOperationsParts, { infoHash }: Asked): Promise<Reply> {
  const { tracker, isRestored, nowSeconds, monotonicMs, log } = parts;
  if (!isRestored()) {
    return {
      ...refuse(503, 'The restore has not settled, and could bring the swarm back: try again later.'),
      headers: { 'Retry-After': '5' },
    };
  }
  if (tracker.swarm(infoHash) === undefined) {
    return refuse(404, `No swarm of ${formatInfoHash(infoHash)} is known.`);
  }
  const run = tracker.drop(infoHash);
  await runInSlices(() => run.step(nowSeconds()), { monotonicMs });
  const { peers, completed } = run;
  log.info('An administrator dropped a swarm.', {
    who: 'token',
    action: 'drop-swarm',
    infoHash: formatInfoHash(infoHash),
    peers,
    completed,
  });
  return { status: 200, body: { infoHash: formatInfoHash(infoHash), peers, completed } };
}
