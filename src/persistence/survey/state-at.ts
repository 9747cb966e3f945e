/**
 * The table as it was at some moment: the newest whole snapshot that was taken at or before it, and the journal past that
 * up to that second. Each byte of the snapshot is checked before the table is filled from it, because completed downloads
 * of a damaged one could not be taken back; a damaged one is passed over for the one before. What is damaged or missing of
 * the journal is left out, and named. All times are by the store's clock.
 */
import { runInSlices } from '../../slices.ts';
import { History } from '../../stats/history.ts';
import type { Random } from '../../swarm/sampling.ts';
import { SwarmTable } from '../../swarm/swarm-table.ts';
import { swarmParts } from '../format/manifest.ts';
import { ObjectKind } from '../format/object-format.ts';
import { JOURNAL_PREFIX, partKey } from '../format/object-keys.ts';
import { vectorOf } from '../listing/manifest-cache.ts';
import { HeldTotals } from '../merge/held-totals.ts';
import { HistoryRestorer } from '../merge/history-restorer.ts';
import { PartRestorer } from '../merge/part-restorer.ts';
import { noCounts, type RestoreCounts } from '../merge/restore-settings.ts';
import { type MergeSettings, SegmentMerger } from '../merge/segment-merger.ts';
import { StopMemory } from '../merge/stop-memory.ts';
import type { SavedHistory } from '../snapshot/history-part.ts';
import { readAhead } from '../store/read-ahead.ts';
import { ifThere, type Store, StoreError } from '../store/store.ts';
import { type BootJournal, journalPast, missingSegments, SegmentCheck } from './journal-survey.ts';
import type { ObjectProblem } from './object-problem.ts';
import { type CheckOptions, checkSnapshot } from './snapshot-check.ts';
import { type SurveyedSnapshot, surveySnapshots } from './snapshot-survey.ts';

export interface StateAtOptions extends CheckOptions {
  readonly store: Store;
  readonly atSeconds: number;
  readonly peerTtlSeconds: number;
  readonly random: Random;
}

export interface StateAt {
  readonly table: SwarmTable;
  /** What can be read of it. */
  readonly history: SavedHistory;
  /** undefined: all of it is from the journal, in a store that has no snapshot yet. */
  readonly snapshot: SurveyedSnapshot | undefined;
  /** Journal segments of which something was merged. */
  readonly segments: number;
  /** The last second, up to the one asked for, of which the store knows anything. */
  readonly asOfSeconds: number;
  readonly counts: Readonly<RestoreCounts>;
}

export interface FoundState {
  /** undefined: the store knows nothing of a time so long ago. */
  readonly state: StateAt | undefined;
  /** What was passed over, and why: newer snapshots, segments of the journal. */
  readonly passedOver: readonly ObjectProblem[];
}

/** What a state is made from. */
interface Sources {
  readonly snapshot: SurveyedSnapshot | undefined;
  readonly journal: readonly BootJournal[];
  readonly asOfSeconds: number;
}

/** A table is sized so that it is never nearly full, when it would leave peers out. */
const SHARE_USED_MAX = 0.9;
const PEERS_MIN = 10_000;
/** A peer's entry in the journal is hardly ever smaller, compressed. */
const JOURNAL_BYTES_PER_PEER = 24;

/** Rejects with a StoreError when the store fails. */
export async function loadStateAt(options: StateAtOptions): Promise<FoundState> {
  const { store, atSeconds, signal } = options;
  const passedOver: ObjectProblem[] = [];
  const surveyed = await surveySnapshots(store, options);
  for (const snapshot of surveyed) {
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
    const journal = journalPast(await store.list(JOURNAL_PREFIX, signal), vectorOf(manifest!));
    const knownSeconds = Math.max(manifest!.takenAtSeconds, check.finishedAtSeconds);
    const asOfSeconds = await lastKnown(knownSeconds, journal, options);
    return { state: await load({ snapshot, journal, asOfSeconds }, passedOver, options), passedOver };
  }
  // A tracker that has not come to its first snapshot has its whole journal.
  const journal = journalPast(await store.list(JOURNAL_PREFIX, signal), new Map());
  const isAll = journal.length > 0 && journal.every(({ missing }) => missing.length === 0);
  if (!isAll || surveyed.some(({ state }) => state !== 'unfinished')) return { state: undefined, passedOver };
  const asOfSeconds = await lastKnown(0, journal, options);
  return {
    state: await load({ snapshot: undefined, journal, asOfSeconds }, passedOver, options),
    passedOver,
  };
}

/** The last second up to the one asked for in which anything was heard: the last segment of each boot tells. */
async function lastKnown(
  knownSeconds: number,
  journal: readonly BootJournal[],
  { store, keys, atSeconds, signal, monotonicMs }: StateAtOptions,
): Promise<number> {
  let known = knownSeconds;
  const last = journal.map(({ segments }) => segments.at(-1)!.key);
  for await (const { key, bytes } of readAhead(store, last, signal)) {
    if (bytes === undefined) throw goneError(key);
    const segment = new SegmentCheck(key, bytes, keys);
    await runInSlices(() => segment.step(), { monotonicMs, signal });
    known = Math.max(known, segment.lastSeconds);
  }
  return Math.min(known, atSeconds);
}

/** In a table with room for all of it. */
async function load(
  sources: Sources,
  passedOver: ObjectProblem[],
  options: StateAtOptions,
): Promise<StateAt> {
  const { snapshot, journal, asOfSeconds } = sources;
  const { swarms = 0, peers = 0 } = snapshot?.manifest ?? {};
  const fromJournal = journal.reduce((sum, { bytes }) => sum + bytes, 0) / JOURNAL_BYTES_PER_PEER;
  for (let times = 1; ; times *= 2) {
    const table = makeTable(times * (peers + fromJournal), times * (swarms + fromJournal), options.random);
    const problems = [...missingSegments(journal)];
    const counts = noCounts();
    const settings: MergeSettings = {
      table,
      keys: options.keys,
      isServed: () => true,
      peerTtlSeconds: options.peerTtlSeconds,
      stops: new StopMemory({
        hashKey: [options.random(), options.random()],
        journalSeconds: 0,
        entriesMax: Number.POSITIVE_INFINITY,
      }),
      addresses: { add: () => {} },
      nowSeconds: () => asOfSeconds,
      offsetSeconds: 0,
      untilSeconds: options.atSeconds,
    };
    const history = new History();
    const historyRestorer = new HistoryRestorer({
      history,
      keys: options.keys,
      nowSeconds: () => asOfSeconds,
      monotonicMs: options.monotonicMs,
    });
    if (snapshot !== undefined) {
      await loadSnapshot(snapshot, settings, counts, options);
      await loadHistory(snapshot, historyRestorer, options);
    }
    let segments = 0;
    for (const { segments: ofBoot } of journal) {
      segments += await mergeBoot(ofBoot, settings, counts, problems, historyRestorer, options);
    }
    if (counts.peersLeftOut > 0) continue;
    passedOver.push(...problems);
    // This is no start of a tracker.
    const saved = { points: history.points, restarts: Math.max(0, history.restarts - 1) };
    return { table, history: saved, snapshot, segments, asOfSeconds, counts };
  }
}

async function loadSnapshot(
  { listed, manifest }: SurveyedSnapshot,
  settings: MergeSettings,
  counts: RestoreCounts,
  { store, monotonicMs, signal, onRead }: StateAtOptions,
): Promise<void> {
  const totals = new HeldTotals();
  const { partBytes, completed } = manifest!;
  const objectKeys = partBytes.map((_, part) => partKey(listed, part)).slice(0, swarmParts(manifest!));
  for await (const { key, bytes } of readAhead(store, objectKeys, signal)) {
    const part = bytes && new PartRestorer(key, bytes, settings, counts, totals);
    if (part !== undefined) await runInSlices(() => part.step(), { monotonicMs, signal });
    if (part?.state !== 'whole') throw goneError(key);
    onRead?.(bytes!.length);
  }
  await runInSlices(() => totals.step(settings), { monotonicMs, signal });
  settings.table.addCompletedEver(completed ?? totals.completed);
}

/** What is damaged or gone of it is left out (rule D-N5). */
async function loadHistory(
  { listed, manifest }: SurveyedSnapshot,
  history: HistoryRestorer,
  { store, signal }: StateAtOptions,
): Promise<void> {
  for (let part = swarmParts(manifest!); part < manifest!.partBytes.length; part++) {
    const key = partKey(listed, part);
    const bytes = await ifThere(store.get(key, signal));
    if (bytes !== undefined) await history.restore(ObjectKind.snapshotPart, key, bytes, 0);
  }
}

/** Merges a boot's segments up to the moment; returns how many. */
async function mergeBoot(
  segments: BootJournal['segments'],
  settings: MergeSettings,
  counts: RestoreCounts,
  problems: ObjectProblem[],
  history: HistoryRestorer,
  { store, monotonicMs, signal, onRead }: StateAtOptions,
): Promise<number> {
  const objectKeys = segments.map(({ key }) => key);
  let merged = 0;
  for await (const { key, bytes } of readAhead(store, objectKeys, signal)) {
    if (bytes === undefined) throw goneError(key);
    const merger = new SegmentMerger(bytes, segments[merged]!, settings, counts);
    await runInSlices(() => merger.step(), { monotonicMs, signal });
    await history.restore(ObjectKind.journalSegment, key, bytes, 0);
    merged += 1;
    onRead?.(bytes.length);
    if (merger.hasReachedUntil) break;
    if (merger.state === 'locked') throw settings.keys.lockedError(key);
    if (merger.state !== 'whole') problems.push({ key, what: merger.damage ?? merger.state });
  }
  return merged;
}

function goneError(key: string): StoreError {
  return new StoreError('failed', `${key} is gone since it was read: a tracker has deleted it. Try again.`);
}

function makeTable(peers: number, swarms: number, random: Random): SwarmTable {
  return new SwarmTable({
    peersMax: Math.ceil(Math.max(peers, PEERS_MIN) / SHARE_USED_MAX),
    swarmsMax: Math.ceil(Math.max(swarms, PEERS_MIN) / SHARE_USED_MAX),
    hashKey: [random(), random()],
    random,
  });
}
