/** Points of a history, for tests: each value follows from the minute, so that one in a wrong place shows. */
import type { History, HistoryDocument, HistoryPoint } from '../../src/stats/history.ts';
import { HISTORY_SERIES } from '../../src/stats/history-series.ts';

export const MINUTE = 60;

/** The point of the minute that ends at `endSeconds`, of a tracker that hears `announcesPerSecond`. */
export function pointAt(endSeconds: number, announcesPerSecond = 10): HistoryPoint {
  const peers = peersAt(endSeconds);
  const values = HISTORY_SERIES.map(({ name }, index) => {
    if (name === 'peers') return peers;
    if (name === 'announcesPerSecond') return announcesPerSecond;
    if (name === 'saveAgeSeconds') return Number.NaN;
    return peers + index;
  });
  return { endSeconds, values: Float32Array.from(values) };
}

export function peersAt(endSeconds: number): number {
  return Math.round(endSeconds / MINUTE) % 10_000;
}

/** Adds the points of so many minutes, the last of which ends at `endSeconds`. */
export function addMinutes(history: History, endSeconds: number, count: number, announces = 10): void {
  for (let back = count - 1; back >= 0; back--) history.add(pointAt(endSeconds - back * MINUTE, announces));
}

/** The minutes for which there is a point, by when they end. */
export function knownMinutes({ series, endSeconds, stepSeconds }: HistoryDocument): number[] {
  const { peers } = series;
  return peers.flatMap((value, index) =>
    value === null ? [] : [endSeconds - (peers.length - 1 - index) * stepSeconds],
  );
}
