/** Which share of a server's requests its express lane answered, from what /stats.json counts. */
import { getJson } from './fill.ts';

export interface LaneCounts {
  readonly lane: number;
  readonly all: number;
}

export async function laneCounts(port: number): Promise<LaneCounts> {
  const { requests } = (await getJson(port, '/stats.json')) as { requests: Record<string, number> };
  return { lane: requests.laneAnnounces! + requests.laneScrapes!, all: requests.hits! };
}

/** Between two looks. */
export function laneShare(before: LaneCounts, after: LaneCounts): number {
  return (after.lane - before.lane) / (after.all - before.all);
}
