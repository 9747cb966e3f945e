/**
 * How much memory this process may use, and how many peers fit it. Heroku kills or swaps a dyno above its
 * quota, so the table is reserved for what the quota carries and not for what the machine has.
 */
import type { Environment, System } from './system.ts';

const MIB = 1024 * 1024;
/** A bigger table than this should be somebody's decision: MAX_PEERS. */
export const LIMIT_BYTES_MAX = 2048 * MIB;
/** Node itself, the libraries, the heap, and the buffers of requests and saves. */
const RESERVED_BYTES = 160 * MIB;
/** A peer's record, its share of the swarm slots, of the indexes and of the room lost to fragments. */
const BYTES_PER_PEER = 64;
const PEERS_MIN = 50_000;

/**
 * The smallest of the limits that are known, in bytes: the control group's (version 2, then 1), the platform's
 * MEMORY_AVAILABLE (MB, as Heroku's Node buildpack sets it), the machine's memory, and 2 GiB.
 */
export function memoryLimitBytes(env: Environment, system: System): number {
  return Math.min(LIMIT_BYTES_MAX, system.memoryBytes, ...quotas(env, system));
}

/**
 * What this process alone is held to: the control group's limit or MEMORY_AVAILABLE, in bytes. undefined when neither
 * names one within the machine's memory.
 */
export function memoryQuotaBytes(env: Environment, system: System): number | undefined {
  const least = Math.min(...quotas(env, system));
  return least <= system.memoryBytes ? least : undefined;
}

function quotas(env: Environment, system: System): number[] {
  const limits = controlGroupLimits(system);
  const megabytes = Number(env.MEMORY_AVAILABLE || Number.NaN);
  if (Number.isFinite(megabytes) && megabytes > 0) limits.push(megabytes * MIB);
  return limits;
}

/** What a process with so many peers needs, everything included. */
export function bytesForPeers(peers: number): number {
  return RESERVED_BYTES + peers * BYTES_PER_PEER;
}

/** MAX_PEERS when it isn't set. */
export function peersThatFit(limitBytes: number): number {
  return Math.max(PEERS_MIN, Math.floor((limitBytes - RESERVED_BYTES) / BYTES_PER_PEER));
}

/**
 * A container sees its own group at the root of /sys/fs/cgroup; a service of systemd's finds its group in
 * /proc/self/cgroup. "max" in version 2 and a number near 2^63 in version 1 mean no limit.
 */
function controlGroupLimits(system: System): number[] {
  const groups = system.readFile('/proc/self/cgroup') ?? '';
  const unified = /^0::(\/.*)$/m.exec(groups)?.[1] ?? '/';
  const memory = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/m.exec(groups)?.[1] ?? '/';
  const paths = [
    '/sys/fs/cgroup/memory.max',
    ...ancestors(unified).map((path) => `/sys/fs/cgroup${path}/memory.max`),
    '/sys/fs/cgroup/memory/memory.limit_in_bytes',
    ...ancestors(memory).map((path) => `/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`),
  ];
  const limits = paths.map((path) => Number((system.readFile(path) ?? '').trim() || Number.NaN));
  return limits.filter((limit) => Number.isFinite(limit) && limit > 0);
}

/** "/a/b" → ["/a/b", "/a"]: a group is held by its parents' limits too. */
function ancestors(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '');
  return names.map((_, depth) => `/${names.slice(0, names.length - depth).join('/')}`);
}
