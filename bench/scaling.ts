/**
 * Whether an announce costs the same however many peers there are: CPU per announce over the size of the table, and
 * over the size of a swarm in a table of one size. Each point is a new process.
 */
import { type Contender, withServer } from './contenders.ts';
import { announceCrowd } from './memory.ts';
import type { Crowd } from './mix.ts';
import { cpuSeconds, rssBytes } from './processes.ts';
import { runWrk, writeHashes } from './wrk.ts';

export interface ScalingOptions {
  readonly contender: Contender;
  readonly scratch: string;
  readonly tableSizes: readonly number[];
  readonly swarmSizes: readonly number[];
  /** Peers in the table while the size of its swarms changes; a swarm may be larger. */
  readonly peersOfSwarmSizes: number;
  readonly secondsEach: number;
  readonly warmUpSeconds: number;
  readonly onProgress: (text: string) => void;
}

export interface ScalingPoint {
  readonly peers: number;
  readonly swarms: number;
  readonly peersPerSwarm: number;
  readonly microseconds: number;
  readonly perSecond: number;
  readonly rssBytes: number;
}

export interface Scaling {
  readonly overTable: readonly ScalingPoint[];
  readonly overSwarm: readonly ScalingPoint[];
  readonly failures: readonly string[];
}

const PEERS_PER_SWARM = 3;

export async function scalingCurves(options: ScalingOptions): Promise<Scaling> {
  const overTable: ScalingPoint[] = [];
  const overSwarm: ScalingPoint[] = [];
  const failures: string[] = [];
  const add = async (to: ScalingPoint[], peers: number, peersPerSwarm: number): Promise<void> => {
    const swarms = Math.max(1, Math.round(peers / peersPerSwarm));
    options.onProgress(`scaling: ${swarms * peersPerSwarm} peers, ${peersPerSwarm} a swarm`);
    try {
      to.push(await onePoint(options, { name: 'scaling', swarms, peersPerSwarm }));
    } catch (error) {
      failures.push(String(error));
      options.onProgress(String(error));
    }
  };
  for (const peers of options.tableSizes) await add(overTable, peers, PEERS_PER_SWARM);
  for (const size of options.swarmSizes) await add(overSwarm, options.peersOfSwarmSizes, size);
  return { overTable, overSwarm, failures };
}

function onePoint(options: ScalingOptions, crowd: Crowd): Promise<ScalingPoint> {
  const { contender, scratch } = options;
  const hashes = writeHashes(scratch, crowd);
  return withServer(contender, scratch, [crowd], async (server) => {
    const peers = crowd.swarms * crowd.peersPerSwarm;
    await announceCrowd(contender, server, crowd, peers);
    const wrk = {
      port: server.port,
      hashes,
      peersPerSwarm: crowd.peersPerSwarm,
      kind: 'announce',
      isForwarded: contender.isForwarded,
      isFresh: false,
    } as const;
    await runWrk({ ...wrk, seconds: options.warmUpSeconds, seed: 1 });
    const before = cpuSeconds(server.pid);
    const { requests, seconds } = await runWrk({ ...wrk, seconds: options.secondsEach, seed: 2 });
    const cpu = cpuSeconds(server.pid) - before;
    return {
      peers,
      ...crowd,
      microseconds: (cpu * 1e6) / requests,
      perSecond: requests / seconds,
      rssBytes: rssBytes(server.pid),
    };
  });
}
