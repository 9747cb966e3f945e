/** `trakx snapshots verify`: reads every byte of one snapshot, or of everything in the store, and says what is wrong. */
import { JOURNAL_PREFIX } from '../../persistence/format/object-keys.ts';
import { vectorOf } from '../../persistence/listing/manifest-cache.ts';
import { checkAccessObjects } from '../../persistence/survey/access-check.ts';
import { checkJournal, journalPast, missingSegments } from '../../persistence/survey/journal-survey.ts';
import type { ObjectProblem } from '../../persistence/survey/object-problem.ts';
import { checkSnapshot } from '../../persistence/survey/snapshot-check.ts';
import {
  isLeftover,
  type SurveyedSnapshot,
  storedBytes,
  surveySnapshots,
} from '../../persistence/survey/snapshot-survey.ts';
import { CommandError } from '../command-error.ts';
import { ExitCode } from '../exit-code.ts';
import { bytesText, counted } from '../terminal/quantities.ts';
import { type Around, findSnapshot, nameOf, newestWhole, storeSeconds } from './snapshots-around.ts';

export interface VerifyOptions {
  /** undefined: the newest. */
  readonly name: string | undefined;
  readonly isAll: boolean;
  readonly isJson: boolean;
}

interface Verified {
  /** A snapshot, the journal, or the access log. */
  readonly what: string;
  readonly state: string;
  readonly bytes: number;
  readonly isWell: boolean;
  readonly swarms?: number;
  readonly peers?: number;
  readonly problems: readonly ObjectProblem[];
}

/** Fails when anything is wrong. */
export async function verifyCommand(around: Around, options: VerifyOptions): Promise<number> {
  const { store, out } = around;
  const surveyed = await surveySnapshots(store, around);
  const chosen = choose(surveyed, options, store.address);
  const bytesAll = chosen.reduce((sum, { listed }) => sum + storedBytes(listed), 0);
  let bytesRead = 0;
  const onRead = (bytes: number): void => {
    bytesRead += bytes;
    around.progress.show(() => `read ${bytesText(bytesRead)} of ${bytesText(bytesAll)}`);
  };
  const verified: Verified[] = [];
  const tell = (result: Verified): void => {
    verified.push(result);
    if (options.isJson) return;
    around.progress.clear();
    out.write(sentence(result));
    for (const { key, what } of result.problems) out.write(`  ${key}: ${what}\n`);
  };
  for (const snapshot of chosen) {
    const result = await verify(snapshot, around, onRead, !options.isAll);
    if (result !== undefined) tell(result);
  }
  if (options.isAll) {
    tell(await verifyJournal(surveyed, around, onRead));
    tell(await verifyAccess(around));
  }
  around.progress.clear();
  const isWell = verified.every((result) => result.isWell);
  if (options.isJson) {
    out.write(`${JSON.stringify({ store: store.address, isWell, verified }, null, 2)}\n`);
  }
  return isWell ? ExitCode.done : ExitCode.failed;
}

function choose(
  surveyed: readonly SurveyedSnapshot[],
  { name, isAll }: VerifyOptions,
  address: string,
): readonly SurveyedSnapshot[] {
  if (isAll) return surveyed;
  if (name !== undefined) return [findSnapshot(surveyed, name)];
  // The one that is being written just now is not meant.
  const newest = surveyed.find(({ state }) => state !== 'unfinished') ?? surveyed[0];
  if (newest === undefined) throw new CommandError(`There is no snapshot in ${address}`);
  return [newest];
}

/** undefined when it was deleted while it was being read, as a running tracker does with old ones. */
async function verify(
  snapshot: SurveyedSnapshot,
  around: Around,
  onRead: (bytes: number) => void,
  isAskedFor: boolean,
): Promise<Verified | undefined> {
  const { store, signal } = around;
  const check = await checkSnapshot(store, snapshot, { ...around, onRead });
  if (check.state === 'damaged' && snapshot.manifest !== undefined) {
    const manifest = snapshot.listed.manifest!.key;
    if ((await store.list(manifest, signal)).length === 0) return undefined;
  }
  // One that is being written is nobody's fault, unless somebody wants to rely on it.
  const isBeingWritten =
    check.state === 'unfinished' && !isAskedFor && !isLeftover(snapshot, storeSeconds(around));
  const { problems } = check;
  const reason = check.state === 'unfinished' ? [{ key: snapshot.listed.prefix, what: snapshot.what! }] : [];
  return {
    what: `snapshot ${nameOf(snapshot)}`,
    state: check.state,
    isWell: (check.state === 'whole' && problems.length === 0) || isBeingWritten,
    bytes: check.bytesRead,
    swarms: check.swarms,
    peers: check.peers,
    problems: isBeingWritten ? problems : [...problems, ...reason],
  };
}

/** A gap is wrong where no whole snapshot holds what was in it. */
async function verifyJournal(
  surveyed: readonly SurveyedSnapshot[],
  around: Around,
  onRead: (bytes: number) => void,
): Promise<Verified> {
  const { store, signal } = around;
  const newest = newestWhole(surveyed)?.manifest;
  const vector = newest === undefined ? new Map<string, number>() : vectorOf(newest);
  const journal = journalPast(await store.list(JOURNAL_PREFIX, signal), vector);
  const check = await checkJournal(store, { ...around, onRead });
  const problems = [...check.problems, ...(newest === undefined ? [] : missingSegments(journal))];
  const isWell = problems.length === 0;
  return {
    what: counted(check.segments, 'journal segment'),
    state: isWell ? 'whole' : 'damaged',
    isWell,
    bytes: check.bytesRead,
    problems,
  };
}

async function verifyAccess(around: Around): Promise<Verified> {
  const { objects, bytesRead, problems } = await checkAccessObjects(around.store, around);
  const isWell = problems.length === 0;
  return {
    what: `${counted(objects, 'object')} of bans and allowed hashes`,
    state: isWell ? 'whole' : 'damaged',
    isWell,
    bytes: bytesRead,
    problems,
  };
}

function sentence({ what, state, bytes, swarms, peers }: Verified): string {
  const held = swarms === undefined ? '' : `, ${swarms} swarms, ${peers} peers`;
  return `${what}: ${state}, ${bytesText(bytes)}${held}\n`;
}
