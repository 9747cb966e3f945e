/** Reads every object of the access log and says what is wrong with it. Changes nothing. */
import { nextTurn } from '../../slices.ts';
import { AccessObjectReader } from '../format/access-object.ts';
import { ACCESS_PREFIX, bootOfAccessKey } from '../format/object-keys.ts';
import { readAhead } from '../store/read-ahead.ts';
import type { Store } from '../store/store.ts';
import { type ObjectProblem, problemOf } from './object-problem.ts';
import type { SurveyOptions } from './snapshot-survey.ts';

export interface AccessCheck {
  readonly objects: number;
  readonly bytesRead: number;
  readonly problems: readonly ObjectProblem[];
  /** An object of a later version is among them. */
  readonly hasNewer: boolean;
}

/** Rejects with a StoreError when the store fails. */
export async function checkAccessObjects(
  store: Store,
  { keys, signal }: SurveyOptions,
): Promise<AccessCheck> {
  const listed = await store.list(ACCESS_PREFIX, signal);
  const objectKeys = listed.map(({ key }) => key).filter((key) => bootOfAccessKey(key) !== undefined);
  const problems: ObjectProblem[] = [];
  let [objects, bytesRead, hasNewer] = [0, 0, false];
  for await (const { key, bytes } of readAhead(store, objectKeys, signal)) {
    if (bytes === undefined) continue; // folded with others since it was listed
    const reader = new AccessObjectReader(key, bytes, keys);
    while (reader.next() !== undefined);
    objects += 1;
    bytesRead += bytes.length;
    hasNewer ||= reader.state === 'newer';
    const what = problemOf(reader);
    if (what !== undefined) problems.push({ key, what });
    await nextTurn();
  }
  return { objects, bytesRead, problems, hasNewer };
}
