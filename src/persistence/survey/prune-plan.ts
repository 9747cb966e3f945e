/**
 * What a prune by hand would delete, and why, before anything is deleted. What is old is what the retention says (it
 * runs here over a store whose deletes are only written down); damaged snapshots and leftovers come on top when they
 * are asked for. One snapshot whose every byte was read and found well always stays, and as long as an object of a
 * later version is in the store, everything does (rules D-O4, D-T1, D-T2).
 */
import type { Log } from '../../log.ts';
import { JOURNAL_PREFIX, parseSnapshotKey, snapshotPrefix } from '../format/object-keys.ts';
import { ManifestCache } from '../listing/manifest-cache.ts';
import { NewerObjects } from '../listing/newer-objects.ts';
import { Retention } from '../listing/retention.ts';
import { listSegments } from '../listing/segment-listing.ts';
import type { ListedSnapshot } from '../listing/snapshot-listing.ts';
import { readAhead } from '../store/read-ahead.ts';
import type { Store, StoredObject } from '../store/store.ts';
import { checkAccessObjects } from './access-check.ts';
import { SegmentCheck } from './journal-survey.ts';
import { LOCKED } from './object-problem.ts';
import { type CheckOptions, checkSnapshot } from './snapshot-check.ts';
import { isLeftover, type SurveyedSnapshot, surveySnapshots } from './snapshot-survey.ts';

/** `journal`: segments that no snapshot that stays needs. */
export type PruneReason = 'old' | 'leftover' | 'damaged' | 'named' | 'journal';

export interface PruneItem {
  readonly reason: PruneReason;
  /** undefined: journal segments. */
  readonly snapshot: SurveyedSnapshot | undefined;
  /** In the order in which they may be deleted. */
  readonly keys: readonly string[];
  /** The running tracker would delete it too, at its next save. */
  readonly isRetention: boolean;
}

export interface PrunePlan {
  readonly items: readonly PruneItem[];
  /** The newest snapshot that is whole to the last byte; undefined when nothing is to be deleted, or there is none. */
  readonly kept: SurveyedSnapshot | undefined;
}

export interface PruneWishes {
  /** How many whole snapshots stay. */
  readonly keep: number;
  /** How many a tracker would leave (SNAPSHOT_KEEP). */
  readonly keepOfTracker: number;
  /** Damaged snapshots go, and leftovers. */
  readonly isDamaged: boolean;
  readonly named: readonly SurveyedSnapshot[];
}

export interface PruneOptions extends CheckOptions {
  readonly store: Store;
  /** Of this process: whose leftovers could be swept at once; it has none. */
  readonly boot: string;
  readonly nowSeconds: () => number;
  readonly log: Log;
}

/** Why nothing is deleted, for the operator. */
export class PruneRefusal extends Error {
  override readonly name = 'PruneRefusal';
}

/** Rejects with a PruneRefusal when a wish must not be granted, with a StoreError when the store fails. */
export async function planPrune(
  surveyed: readonly SurveyedSnapshot[],
  wishes: PruneWishes,
  options: PruneOptions,
): Promise<PrunePlan> {
  await refuseWhatIsNotOurs(surveyed, options);
  const damaged = new Set(
    surveyed.filter(({ state }) => state === 'damaged').map(({ listed }) => listed.prefix),
  );
  const journal = await options.store.list(JOURNAL_PREFIX, options.signal);
  for (;;) {
    const items = await itemsOf(surveyed, journal, damaged, wishes, options);
    if (items.length === 0) return { items, kept: undefined };
    const kept = surveyed.find(({ state, listed }) => state === 'whole' && !damaged.has(listed.prefix));
    if (kept === undefined) {
      if (items.some(({ reason }) => reason === 'damaged')) throw new PruneRefusal(LAST_PEERS);
      return { items, kept };
    }
    const check = await checkSnapshot(options.store, kept, options);
    if (check.state === 'whole') return { items, kept };
    damaged.add(kept.listed.prefix);
  }
}

const LAST_PEERS =
  'No whole snapshot would stay, and the damaged ones are all that peers can be restored from. Name those that shall go all the same.';

async function refuseWhatIsNotOurs(
  surveyed: readonly SurveyedSnapshot[],
  options: PruneOptions,
): Promise<void> {
  const locked = surveyed.find(({ state }) => state === 'locked');
  if (locked !== undefined && !options.keys.hasOpened)
    throw new PruneRefusal(`${locked.listed.prefix}: ${LOCKED}. Nothing is deleted.`);
  const newer = surveyed.find(({ state }) => state === 'newer');
  const isNewer =
    newer !== undefined ||
    (await checkAccessObjects(options.store, options)).hasNewer ||
    (await hasNewerJournal(options));
  if (!isNewer) return;
  throw new PruneRefusal(
    'The store holds objects of a later version of the tracker: nothing is deleted. Use that version.',
  );
}

/** A process writes one version, so one of its segments tells. */
async function hasNewerJournal({ store, keys, signal }: PruneOptions): Promise<boolean> {
  const journal = listSegments(await store.list(JOURNAL_PREFIX, signal));
  const objectKeys = [...journal.values()].map((segments) => segments.at(-1)!.key);
  for await (const { key, bytes } of readAhead(store, objectKeys, signal)) {
    const segment = bytes && new SegmentCheck(key, bytes, keys);
    while (segment?.step());
    if (segment?.blocks.state === 'newer') return true;
  }
  return false;
}

async function itemsOf(
  surveyed: readonly SurveyedSnapshot[],
  journal: readonly StoredObject[],
  damaged: ReadonlySet<string>,
  wishes: PruneWishes,
  options: PruneOptions,
): Promise<readonly PruneItem[]> {
  const seconds = options.nowSeconds() + options.store.clockOffsetSeconds;
  const newestWhole = surveyed.find(({ state, listed }) => state === 'whole' && !damaged.has(listed.prefix));
  const chosen = new Map<SurveyedSnapshot, PruneReason>();
  for (const snapshot of surveyed) {
    const { listed, state } = snapshot;
    const isNamed = wishes.named.some((named) => named.listed.prefix === listed.prefix);
    if (isNamed && snapshot === newestWhole)
      throw new PruneRefusal(`${listed.prefix} is the newest whole snapshot: it stays.`);
    if (isNamed && state === 'unfinished' && !isLeftover(snapshot, seconds))
      throw new PruneRefusal(`${listed.prefix} may still be being written: it stays for two hours.`);
    if (isNamed) chosen.set(snapshot, 'named');
    else if (wishes.isDamaged && damaged.has(listed.prefix)) chosen.set(snapshot, 'damaged');
  }
  const rest = surveyed.filter((snapshot) => !chosen.has(snapshot)).map(({ listed }) => listed);
  const byRetention = await retentionKeys(rest, journal, damaged, wishes.keep, options);
  const byTracker = new Set(
    wishes.keep === wishes.keepOfTracker
      ? byRetention
      : await retentionKeys(rest, journal, damaged, wishes.keepOfTracker, options),
  );
  return [
    ...[...chosen].map(([snapshot, reason]) => ({
      reason,
      snapshot,
      keys: keysOf(snapshot.listed),
      isRetention: false,
    })),
    ...grouped(byRetention, surveyed, byTracker),
  ];
}

/** What the retention would delete, in its order. */
async function retentionKeys(
  listed: readonly ListedSnapshot[],
  journal: readonly StoredObject[],
  damaged: ReadonlySet<string>,
  keep: number,
  options: PruneOptions,
): Promise<readonly string[]> {
  const keys: string[] = [];
  const retention = new Retention({
    ...options,
    store: withoutDeletes(options.store, keys),
    keep,
    isDamaged: (prefix) => damaged.has(prefix),
    isSegmentDamaged: () => false, // whatever it held, the snapshots that stay hold it
    manifests: new ManifestCache(options.store, options.keys),
    newer: new NewerObjects(),
  });
  await retention.run(listed, journal, options.signal);
  return keys;
}

/** Reads as the store does; its deletes are written down and not done. */
function withoutDeletes(store: Store, deleted: string[]): Store {
  return {
    address: store.address,
    clockOffsetSeconds: store.clockOffsetSeconds,
    put: () => Promise.reject(new Error('a prune writes nothing')),
    get: (key, signal) => store.get(key, signal),
    list: (prefix, signal) => store.list(prefix, signal),
    delete: async (key) => {
      deleted.push(key);
    },
  };
}

function grouped(
  keys: readonly string[],
  surveyed: readonly SurveyedSnapshot[],
  byTracker: ReadonlySet<string>,
): readonly PruneItem[] {
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const id = parseSnapshotKey(key);
    const group = `${id === undefined ? '' : snapshotPrefix(id)} ${byTracker.has(key)}`;
    groups.set(group, [...(groups.get(group) ?? []), key]);
  }
  return [...groups].map(([group, members]) => {
    const [prefix, isRetention] = group.split(' ');
    const snapshot = surveyed.find(({ listed }) => listed.prefix === prefix);
    const reason = snapshot === undefined ? 'journal' : snapshot.state === 'unfinished' ? 'leftover' : 'old';
    return { reason, snapshot, keys: members, isRetention: isRetention === 'true' };
  });
}

/** The manifest first: what is half deleted is then no snapshot any more. */
function keysOf({ manifest, parts }: ListedSnapshot): readonly string[] {
  const keys = [...parts.values()].map(({ key }) => key);
  return manifest === undefined ? keys : [manifest.key, ...keys];
}

/**
 * Deletes what the plan says, in its order. Rejects with a PruneRefusal when the snapshot that the plan relies on is gone
 * since; with a StoreError when the store fails, and then the rest is still there.
 */
export async function prune(
  plan: PrunePlan,
  { store, keys, signal }: Pick<PruneOptions, 'store' | 'keys' | 'signal'>,
  onDeleted: (key: string) => void,
): Promise<void> {
  if (plan.kept !== undefined) {
    const now = await surveySnapshots(store, { keys, signal });
    const prefix = plan.kept.listed.prefix;
    if (!now.some(({ listed, state }) => listed.prefix === prefix && state === 'whole'))
      throw new PruneRefusal(`${prefix} is gone since the store was read: nothing was deleted. Try again.`);
  }
  for (const { keys } of plan.items) {
    for (const key of keys) {
      await store.delete(key, signal);
      onDeleted(key);
    }
  }
}
