/**
 * What an announce and a scrape cost each server in CPU time, on kept and on fresh connections: rounds in which every
 * server has its turn, each time as a new process, and the median of the rounds.
 */
import { type Contender, type Server, withServer } from './contenders.ts';
import { ask, wrongWith } from './fill.ts';
import { laneCounts, laneShare } from './lane-share.ts';
import { announceCrowd } from './memory.ts';
import { announceRequest, type Crowd, escapedHash, infoHash } from './mix.ts';
import { cpuSeconds } from './processes.ts';
import { runWrk, type WrkOptions, type WrkResult, writeHashes } from './wrk.ts';

export interface CostOptions {
  readonly contenders: readonly Contender[];
  readonly scratch: string;
  readonly rounds: number;
  readonly swarms: number;
  readonly secondsEach: number;
  readonly warmUpSeconds: number;
  /** One other request in a hundred, on kept connections, and the lane's share; scrapes. */
  readonly withMixed: boolean;
  readonly withScrape: boolean;
  readonly onProgress: (text: string) => void;
}

export interface Cost {
  readonly microseconds: number;
  readonly perSecond: number;
  readonly wrk: WrkResult;
}

export const RUNS = ['kept', 'fresh', 'mixed', 'scrapeKept', 'scrapeFresh'] as const;
export type Run = (typeof RUNS)[number];

export interface Round extends Partial<Record<Run, Cost>> {
  /** Of the mixed run: the share of all requests that the lane answered. */
  laneShare?: number;
  /** What kept this round from being whole. */
  failure?: string;
}

export interface CostRow {
  readonly key: string;
  readonly name: string;
  readonly note?: string;
  readonly rounds: readonly Round[];
  readonly medians: Readonly<Partial<Record<Run, { microseconds: number; perSecond: number }>>>;
  readonly laneShare?: number;
}

/** Half are seeders, so that these too can be given as many leechers as they ask for. */
const PEERS_PER_SWARM = 100;
const NUMWANT = 50;
const BYTES_PER_PEER = 6;
/** Some give the asker himself, or one twice, and then fewer. */
const PEERS_EXPECTED = 40;

export async function announceCosts(options: CostOptions): Promise<CostRow[]> {
  const { contenders, scratch, rounds, onProgress } = options;
  const crowd: Crowd = { name: 'announce-cost', swarms: options.swarms, peersPerSwarm: PEERS_PER_SWARM };
  const hashes = writeHashes(scratch, crowd);
  const measured = new Map<Contender, Round[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      onProgress(`round ${round + 1} of ${rounds}: ${contender.name}`);
      const row = await withServer(contender, scratch, [crowd], (server) =>
        oneRound(contender, server, options, crowd, hashes, round),
      ).catch((error): Round => ({ failure: String(error) }));
      if (row.failure !== undefined) onProgress(`${contender.name}: ${row.failure}`);
      measured.get(contender)!.push(row);
    }
  }
  return contenders.map((contender) => rowOf(contender, measured.get(contender)!));
}

async function oneRound(
  contender: Contender,
  server: Server,
  options: CostOptions,
  crowd: Crowd,
  hashes: string,
  number: number,
): Promise<Round> {
  const { isForwarded, keepsConnections, isFloor, isTrakx } = contender;
  const base = {
    port: server.port,
    hashes,
    peersPerSwarm: PEERS_PER_SWARM,
    isForwarded,
    kind: 'announce',
    seconds: options.secondsEach,
    isFresh: false,
    seed: number + 1,
  } as const;
  // Everybody is known from the start, so that each measured announce meets swarms of the same size.
  if (!isFloor) await announceCrowd(contender, server, crowd, crowd.swarms * PEERS_PER_SWARM);
  await runWrk({ ...base, seconds: options.warmUpSeconds, isFresh: !keepsConnections, seed: 1_000 + number });
  if (!isFloor) await checkReply(contender, server, crowd);
  const round: Round = {};
  if (keepsConnections) round.kept = await measure(server, base);
  round.fresh = await measure(server, { ...base, isFresh: true });
  if (options.withMixed && isTrakx) {
    const before = await laneCounts(server.port);
    round.mixed = await measure(server, { ...base, othersInHundred: 1 });
    round.laneShare = laneShare(before, await laneCounts(server.port));
  }
  if (options.withScrape && !isFloor) {
    if (keepsConnections) round.scrapeKept = await measure(server, { ...base, kind: 'scrape' });
    round.scrapeFresh = await measure(server, { ...base, kind: 'scrape', isFresh: true });
  }
  return round;
}

async function measure(server: Server, options: WrkOptions): Promise<Cost> {
  const before = cpuSeconds(server.pid);
  const wrk = await runWrk(options);
  const cpu = cpuSeconds(server.pid) - before;
  if (wrk.requests === 0) throw new Error('wrk got no answer');
  return { microseconds: (cpu * 1e6) / wrk.requests, perSecond: wrk.requests / wrk.seconds, wrk };
}

/** A server that answers "no" to everything would be fast: one reply is read and its peers are counted. */
async function checkReply(contender: Contender, server: Server, crowd: Crowd): Promise<void> {
  const request = announceRequest(escapedHash(infoHash(crowd, 7)), 7 * PEERS_PER_SWARM + 1, {
    isForwarded: contender.isForwarded,
    isFresh: true,
    numwant: NUMWANT,
  });
  const reply = await ask(server.port, request);
  const wrong = wrongWith(reply);
  if (wrong !== undefined) throw new Error(wrong);
  const text = reply.body.toString('latin1');
  const bytes = Number(/5:peers(\d+):/.exec(text)?.[1] ?? 0);
  if (bytes < PEERS_EXPECTED * BYTES_PER_PEER) {
    throw new Error(`the reply holds ${bytes / BYTES_PER_PEER} peers where ${NUMWANT} were asked for`);
  }
}

function rowOf({ key, name, note }: Contender, rounds: readonly Round[]): CostRow {
  const medians: Partial<Record<Run, { microseconds: number; perSecond: number }>> = {};
  for (const run of RUNS) {
    const costs = rounds.flatMap((round) => round[run] ?? []);
    if (costs.length === 0) continue;
    medians[run] = {
      microseconds: median(costs.map(({ microseconds }) => microseconds)),
      perSecond: median(costs.map(({ perSecond }) => perSecond)),
    };
  }
  const shares = rounds.flatMap(({ laneShare }) => laneShare ?? []);
  return {
    key,
    name,
    ...(note !== undefined && { note }),
    rounds,
    medians,
    ...(shares.length > 0 && { laneShare: median(shares) }),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
