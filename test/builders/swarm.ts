/** Swarms for tests: tables with a fixed secret, peers by number, and a generator with a seed. */
import type { Family } from '../../src/swarm/record.ts';
import { SwarmTable, type SwarmTableOptions } from '../../src/swarm/swarm-table.ts';
import { seededRandom } from './random.ts';

export const NOW = 1_700_000_000;
export const HASH_KEY = [0x12345678, 0x9abcdef0] as const;

export function swarmTable(options: Partial<SwarmTableOptions> = {}): SwarmTable {
  return new SwarmTable({
    peersMax: 50_000,
    swarmsMax: 25_000,
    hashKey: HASH_KEY,
    random: seededRandom(1),
    ...options,
  });
}

/** The info hash of swarm number `n`. */
export function infoHash(n: number): Uint8Array {
  const hash = new Uint8Array(20).fill(0xa5);
  new DataView(hash.buffer).setUint32(0, n);
  return hash;
}

/** The endpoint of peer number `n`: 6 or 18 bytes, no two alike. */
export function endpoint(family: Family, n: number): Uint8Array {
  const bytes = new Uint8Array(family === 0 ? 6 : 18);
  if (family === 1) bytes.set([0x20, 0x01, 0x0d, 0xb8], 0);
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 6, family === 0 ? 0x0b000000 + n : n);
  view.setUint16(bytes.length - 2, 1024 + (n % 60_000));
  return bytes;
}

export function peerId(n: number): Uint8Array {
  const bytes = new Uint8Array(20);
  bytes.set(new TextEncoder().encode('-XX0001-'));
  new DataView(bytes.buffer).setUint32(16, n);
  return bytes;
}
