/**
 * The table as it was at some moment: the newest whole snapshot that was taken at or before it. Each byte of the
 * snapshot is checked before the table is filled from it, because completed downloads of a damaged one could not be
 * taken back; a damaged one is passed over for the one before. All times are by the store's clock.
 */
import { runInSlices } from '../slices.ts';
import type { Random } from '../swarm/sampling.ts';
import { SwarmTable } from '../swarm/swarm-table.ts';
import { partKey } from './object-keys.ts';
import { HeldTotals, PartRestorer, type RestoreCounts, type RestoreSettings } from './part-restorer.ts';
import { readAhead } from './read-ahead.ts';
import { type CheckOptions, checkSnapshot, type ObjectProblem } from './snapshot-check.ts';
import { type SurveyedSnapshot, surveySnapshots } from './snapshot-survey.ts';
import { type Store, StoreError } from './store.ts';

export interface StateAtOptions extends CheckOptions {
  readonly store: Store;
  readonly atSeconds: number;
  readonly peerTtlSeconds: number;
  readonly random: Random;
}

export interface StateAt {
  readonly table: SwarmTable;
  readonly snapshot: SurveyedSnapshot;
  /** The last second, up to the one asked for, of which the store knows anything. */
  readonly asOfSeconds: number;
  readonly counts: Readonly<RestoreCounts>;
}

export interface FoundState {
  /** undefined: no whole snapshot is that old. */
  readonly state: StateAt | undefined;
  /** Newer snapshots that were passed over, and why. */
  readonly passedOver: readonly ObjectProblem[];
}

/** A table is sized so that it is never nearly full, when it would leave peers out. */
const SHARE_USED_MAX = 0.9;
const PEERS_MIN = 10_000;

/** Rejects with a StoreError when the store fails. */
export async function loadStateAt(options: StateAtOptions): Promise<FoundState> {
  const { store, atSeconds } = options;
  const passedOver: ObjectProblem[] = [];
  for (const snapshot of await surveySnapshots(store, options)) {
    const { manifest, listed, state, what } = snapshot;
    if (manifest !== undefined && manifest.takenAtSeconds > atSeconds) continue;
    if (state !== 'whole') {
      if (state !== 'unfinished') passedOver.push({ key: listed.prefix, what: what ?? state });
      continue;
    }
    const check = await checkSnapshot(store, snapshot, options);
    if (check.state !== 'whole') {
      passedOver.push(...check.problems);
      continue;
    }
    const knownSeconds = Math.max(manifest!.takenAtSeconds, check.finishedAtSeconds);
    const asOfSeconds = Math.min(atSeconds, knownSeconds);
    const { table, counts } = await load(snapshot, asOfSeconds, options);
    return { state: { table, snapshot, asOfSeconds, counts }, passedOver };
  }
  return { state: undefined, passedOver };
}

async function load(
  snapshot: SurveyedSnapshot,
  asOfSeconds: number,
  { store, keys, monotonicMs, signal, peerTtlSeconds, random, onRead }: StateAtOptions,
): Promise<{ readonly table: SwarmTable; readonly counts: RestoreCounts }> {
  const { swarms, peers, partBytes } = snapshot.manifest!;
  const table = makeTable(peers, swarms, random);
  const counts = { peersRestored: 0, peersExpired: 0, peersLeftOut: 0, peersNotServed: 0 };
  const settings: RestoreSettings = {
    table,
    isServed: () => true,
    peerTtlSeconds,
    addresses: { add: () => {} },
    nowSeconds: () => asOfSeconds,
    offsetSeconds: 0,
    keys,
  };
  const totals = new HeldTotals();
  const objectKeys = partBytes.map((_, part) => partKey(snapshot.listed, part));
  for await (const { key, bytes } of readAhead(store, objectKeys, signal)) {
    const part = bytes && new PartRestorer(key, bytes, settings, counts, totals);
    if (part !== undefined) await runInSlices(() => part.step(), { monotonicMs, signal });
    if (part?.state !== 'whole')
      throw new StoreError(
        'failed',
        `${key} was well and is no more: a tracker may have deleted it. Try again.`,
      );
    onRead?.(bytes!.length);
  }
  await runInSlices(() => totals.step(settings), { monotonicMs, signal });
  return { table, counts };
}

function makeTable(peers: number, swarms: number, random: Random): SwarmTable {
  return new SwarmTable({
    peersMax: Math.ceil(Math.max(peers, PEERS_MIN) / SHARE_USED_MAX),
    swarmsMax: Math.ceil(Math.max(swarms, PEERS_MIN) / SHARE_USED_MAX),
    hashKey: [random(), random()],
    random,
  });
}
