/**
 * Memory per peer: how much the process grows for each new peer, after a warm-up of announces by a crowd that it
 * already knows, so that code, buffers and garbage are not counted as peers.
 */
import { type Contender, type Server, withServer } from './contenders.ts';
import { fill } from './fill.ts';
import { announceRequest, type Crowd, escapedHash, infoHash } from './mix.ts';
import { pause, rssBytes } from './processes.ts';

export interface MemoryOptions {
  readonly contenders: readonly Contender[];
  readonly scratch: string;
  readonly warmUpAnnounces: number;
  readonly peers: number;
  readonly onProgress: (text: string) => void;
}

export interface MemoryRow {
  readonly key: string;
  readonly name: string;
  readonly peersPerSwarm: number;
  /** Half of the new peers over IPv6. */
  readonly isMixed: boolean;
  readonly peers?: number;
  readonly idleBytes?: number;
  readonly bytesPerPeer?: number;
  readonly failure?: string;
}

export const SHAPES = [
  { peersPerSwarm: 3, isMixed: false },
  { peersPerSwarm: 1_000, isMixed: false },
  { peersPerSwarm: 3, isMixed: true },
  { peersPerSwarm: 1_000, isMixed: true },
] as const;
const KNOWN: Crowd = { name: 'memory-warm-up', swarms: 200, peersPerSwarm: 100 };
/** Time for the collector and the kernel to settle. */
const SETTLE_MS = 3_000;
const HASHES_REMEMBERED_MAX = 10_000;
const FILL_MS_MAX = 15 * 60_000;

export async function memoryPerPeer(options: MemoryOptions): Promise<MemoryRow[]> {
  const { contenders, scratch, onProgress } = options;
  const rows: MemoryRow[] = [];
  for (const contender of contenders) {
    if (contender.isFloor) continue;
    for (const { peersPerSwarm, isMixed } of SHAPES) {
      if (isMixed && contender.key !== 'trakx') continue;
      const { key, name, share } = contender;
      const row = { key, name, peersPerSwarm, isMixed };
      const peers = Math.round(options.peers * share);
      onProgress(
        `memory: ${name}, ${peers} peers, ${peersPerSwarm} a swarm${isMixed ? ', half over IPv6' : ''}`,
      );
      const swarms = Math.max(1, Math.round(peers / peersPerSwarm));
      const crowd: Crowd = { name: 'memory', swarms, peersPerSwarm };
      rows.push(
        await withServer(contender, scratch, [KNOWN, crowd], async (server) => {
          await pause(SETTLE_MS);
          const idleBytes = rssBytes(server.pid);
          await announceCrowd(contender, server, KNOWN, Math.round(options.warmUpAnnounces * share));
          await pause(SETTLE_MS);
          const before = rssBytes(server.pid);
          await announceCrowd(contender, server, crowd, swarms * peersPerSwarm, 0, isMixed);
          await pause(SETTLE_MS);
          const grown = rssBytes(server.pid) - before;
          const counted = swarms * peersPerSwarm;
          return { ...row, peers: counted, idleBytes, bytesPerPeer: grown / counted };
        }).catch((error): MemoryRow => ({ ...row, failure: String(error) })),
      );
      const { failure } = rows.at(-1)!;
      if (failure !== undefined) onProgress(failure);
    }
  }
  return rows;
}

/** Announces of the crowd's peers in their order, swarm by swarm interleaved, and again from the first. */
export function announceCrowd(
  contender: Pick<Contender, 'isForwarded' | 'keepsConnections'>,
  server: Pick<Server, 'port'>,
  crowd: Crowd,
  announces: number,
  from = 0,
  isMixed = false,
): Promise<void> {
  const { swarms, peersPerSwarm } = crowd;
  const shape = { isForwarded: contender.isForwarded, isMixed, isFresh: !contender.keepsConnections };
  const escapedHashes = new Map<number, string>();
  const hashOf = (swarm: number): string => {
    if (swarms > HASHES_REMEMBERED_MAX) return escapedHash(infoHash(crowd, swarm));
    let escaped = escapedHashes.get(swarm);
    if (escaped === undefined) {
      escaped = escapedHash(infoHash(crowd, swarm));
      escapedHashes.set(swarm, escaped);
    }
    return escaped;
  };
  return fill({
    port: server.port,
    requests: announces,
    request: (n) => {
      const swarm = (from + n) % swarms;
      const place = Math.floor((from + n) / swarms) % peersPerSwarm;
      return announceRequest(hashOf(swarm), swarm * peersPerSwarm + place, shape);
    },
    isFresh: !contender.keepsConnections,
    msMax: FILL_MS_MAX,
  });
}
