/** The table whose snapshot is in test/golden/version-1/: both families, every role, counts without peers. */
import { IPV4, IPV6, LEECHER, PARTIAL_SEED, SEEDER } from '../../src/swarm/record.ts';
import type { SwarmTable } from '../../src/swarm/swarm-table.ts';
import { endpoint, infoHash, NOW, peerId, swarmTable } from '../builders/swarm.ts';

export function goldenTable(): SwarmTable {
  const table = swarmTable({ peersMax: 5_000, swarmsMax: 2_000 });
  const roles = [LEECHER, PARTIAL_SEED, SEEDER] as const;
  for (let number = 0; number < 1_500; number++) {
    const family = number % 3 === 0 ? IPV6 : IPV4;
    const swarm = number < 300 ? 0 : number % 400;
    const seenAt = NOW - 3_000 + number;
    const slot = table.open(infoHash(swarm), seenAt);
    table.sight(slot, family, endpoint(family, number), peerId(number), roles[number % 7 % 3]!, number % 11 === 0, seenAt);
  }
  const slot = table.open(infoHash(5_000), NOW);
  table.sight(slot, IPV4, endpoint(IPV4, 1), peerId(1), SEEDER, true, NOW);
  table.forget(slot, IPV4, endpoint(IPV4, 1), NOW);
  return table;
}
