/** Tables for tests of saving and restoring: filled with made-up peers, and told apart by what they hold. */
import {
  ENDPOINT_BYTES,
  type Family,
  IPV4,
  IPV6,
  LEECHER,
  PARTIAL_SEED,
  RECORD_BYTES,
  SEEDER,
} from '../../src/swarm/record.ts';
import type { SwarmTable } from '../../src/swarm/swarm-table.ts';
import type { WalkSink } from '../../src/swarm/walk.ts';
import { seededRandom } from './random.ts';
import { infoHash as infoHashOf } from './swarm.ts';

/** Peers of both families and every role, in swarms of one to about a dozen and one of 400; some have completed. */
export function fillTable(
  table: SwarmTable,
  options: { peers: number; nowSeconds: number; seed?: number },
): void {
  const { peers, nowSeconds, seed = 1 } = options;
  const random = seededRandom(seed);
  const byte = (): number => random() >>> 24;
  for (let index = 0; index < peers; index++) {
    const number = index < 400 ? 0 : 1 + ((random() >>> 8) % Math.ceil(peers / 3));
    const family: Family = byte() < 64 ? IPV6 : IPV4;
    const role = ([LEECHER, PARTIAL_SEED, SEEDER] as const)[byte() % 3]!;
    const endpoint = Uint8Array.from({ length: ENDPOINT_BYTES[family]! }, byte);
    const peerId = Uint8Array.from({ length: 20 }, byte);
    const slot = table.open(infoHashOf(number), nowSeconds);
    table.sight(slot, family, endpoint, peerId, role, byte() < 40, nowSeconds - (byte() % 4));
  }
}

/**
 * Everything a snapshot should bring back, as sorted lines of text: a line for each peer (swarm, family, role,
 * flags, record without its seconds, last-seen second) and one for each count of completed downloads.
 */
export function contents(table: SwarmTable, nowSeconds: number): string[] {
  const lines = new Set<string>();
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const walk = table.walk(nowSeconds);
  const sink: WalkSink = {
    swarm(infoHash, completed) {
      if (completed > 0) lines.add(`${hex(infoHash)} completed ${completed}`);
    },
    run(infoHash, family, seeders, leechers, records, at) {
      const recordBytes = RECORD_BYTES[family]!;
      for (let index = 0; index < seeders + leechers; index++) {
        const record = Buffer.from(
          records.subarray(at + index * recordBytes, at + (index + 1) * recordBytes),
        );
        const seenAt = ENDPOINT_BYTES[family]!;
        const seen = record.readUInt16LE(seenAt);
        const age = (nowSeconds - seen) & 0x3fff;
        const identity = `${hex(record.subarray(0, seenAt))} ${hex(record.subarray(seenAt + 2))}`;
        lines.add(
          `${hex(infoHash)} ${index < seeders ? 'seeder' : 'leecher'} ${seen >>> 14} ${nowSeconds - age} ${identity}`,
        );
      }
    },
  };
  while (walk.step(sink));
  walk.end();
  return [...lines].sort();
}
