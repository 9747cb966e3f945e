/**
 * The operations on the two lists, bans and allowed hashes: pages and search, one hash, many at once. A change is
 * answered with 200 only when it is stored; each leaves a line in the log.
 */
import { type Access, LISTED_HASHES_MAX, type ListName } from '../../access/access.ts';
import type { ListedHash } from '../../access/hash-list.ts';
import { HashPattern, HashSearch, SEARCH_CHARACTERS_MAX } from '../../access/hash-search.ts';
import type { Log } from '../../log.ts';
import type { AccessChange, AccessLog, ChangeOutcome } from '../../persistence/access/access-log.ts';
import { formatInfoHash } from '../../protocol/info-hash.ts';
import { infoHashFrom } from '../../protocol/magnet.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';
import type { HashKey } from '../../swarm/half-sip-hash.ts';
import { AdminProblem, parseMany, parseReason, readBody } from './admin-body.ts';
import { isoTime, type Reply, refuse } from './admin-reply.ts';
import { statesOf } from './hash-states.ts';
import { type Asked, countOf, type Operation, refuseBody } from './operation.ts';

export interface ListOperationsParts {
  readonly access: Access;
  readonly accessLog: Pick<AccessLog, 'change'>;
  readonly hashKey: HashKey;
  readonly monotonicMs: MonotonicMs;
  readonly log: Log;
}

/** Hashes of an answer: about as many as can be written without holding up announces. */
export const PAGE_HASHES_MAX = 1_000;

export function listOperations(parts: ListOperationsParts, list: ListName): readonly Operation[] {
  const all = `/admin/${list}`;
  const one = `${all}/{infoHash}`;
  const none: readonly string[] = [];
  return [
    {
      method: 'GET',
      path: all,
      queryNames: ['limit', 'cursor', 'search'],
      answer: (asked) => page(parts, list, asked),
    },
    {
      method: 'POST',
      path: all,
      queryNames: ['reason', 'results'],
      answer: (asked) => addMany(parts, list, asked),
    },
    { method: 'GET', path: one, queryNames: none, answer: (asked) => showOne(parts, list, asked) },
    { method: 'PUT', path: one, queryNames: none, answer: (asked) => changeOne(parts, list, true, asked) },
    {
      method: 'DELETE',
      path: one,
      queryNames: none,
      answer: (asked) => changeOne(parts, list, false, asked),
    },
  ];
}

async function page({ access, monotonicMs }: ListOperationsParts, name: ListName, { query }: Asked) {
  const limit = countOf(query, 'limit', PAGE_HASHES_MAX);
  const cursor = countOf(query, 'cursor', 0);
  const search = query.get('search')?.trim() ?? '';
  if (limit === undefined || limit < 1 || limit > PAGE_HASHES_MAX) {
    return refuse(400, `limit must be a number from 1 to ${PAGE_HASHES_MAX}.`);
  }
  if (cursor === undefined || cursor > LISTED_HASHES_MAX) {
    return refuse(400, 'cursor must be what "next" of the page before said.');
  }
  if (search.length > SEARCH_CHARACTERS_MAX && infoHashFrom(search) === undefined) {
    return refuse(
      400,
      `search must be a hash, the beginning of one, or up to ${SEARCH_CHARACTERS_MAX} characters of a reason.`,
    );
  }
  const list = access.list(name);
  const pattern = search === '' ? undefined : new HashPattern(search);
  const run = new HashSearch(list, pattern, { cursor, countMax: limit });
  await runInSlices(() => run.step(), { monotonicMs });
  const found = run.page;
  const byEnvironment = access
    .byEnvironment(name)
    .filter((infoHash) => pattern === undefined || pattern.matches(infoHash, ''))
    .map(formatInfoHash);
  const body = {
    count: list.size,
    isLoaded: access.isLoaded,
    [name]: found.hashes.map(describe),
    ...(cursor === 0 ? { byEnvironment } : {}),
    next: found.next === undefined ? null : String(found.next),
  };
  return { status: 200, body };
}

function showOne({ access }: ListOperationsParts, name: ListName, { infoHash }: Asked): Reply {
  const listed = access.list(name).find(infoHash);
  const isByEnvironment = access.isByEnvironment(name, infoHash);
  if (listed?.isListed !== true && !isByEnvironment) return notListed(name, infoHash);
  const details =
    listed?.isListed === true
      ? describe(listed)
      : { infoHash: formatInfoHash(infoHash), reason: '', changedAt: null };
  return { status: 200, body: { ...details, isByEnvironment, isServed: access.isServed(infoHash) } };
}

async function addMany(parts: ListOperationsParts, list: ListName, { request, query }: Asked) {
  const results = query.get('results') ?? 'no';
  if (results !== 'yes' && results !== 'no') return refuse(400, 'results must be yes or no.');
  const body = await readBody(request);
  if (body instanceof AdminProblem) return refuseBody(body);
  const isText = /^\s*text\/plain\s*(;|$)/i.test(request.headers['content-type'] ?? '');
  const many = await parseMany(body, { isText, reason: query.get('reason') }, parts.monotonicMs);
  if (many instanceof AdminProblem) return refuseBody(many);
  const { hashes, reason, invalid, invalidCount } = many;
  const states = await statesOf(hashes, parts.access.list(list), { ...parts, resultsMax: PAGE_HASHES_MAX });
  const { distinct, alreadyListed } = states;
  if (results === 'yes' && distinct.length > PAGE_HASHES_MAX) {
    return refuse(413, `With results=yes a request may name up to ${PAGE_HASHES_MAX} hashes: send several.`);
  }
  const counts = {
    added: distinct.length - alreadyListed,
    alreadyListed,
    repeated: hashes.length - distinct.length,
    invalid,
    invalidCount,
    ...(results === 'yes' ? { results: states.results } : {}),
  };
  return change(parts, { list, isListed: true, hashes: distinct, reason }, counts);
}

async function changeOne(
  parts: ListOperationsParts,
  list: ListName,
  isListed: boolean,
  { request, infoHash }: Asked,
): Promise<Reply> {
  const body = await readBody(request);
  const reason = body instanceof AdminProblem ? body : parseReason(body);
  if (reason instanceof AdminProblem) return refuseBody(reason);
  const { access } = parts;
  // Before the lists are read nobody knows what is on them, so a removal is then made all the same.
  const isUnknown = access.isLoaded && access.list(list).find(infoHash)?.isListed !== true;
  if (!isListed && isUnknown && !access.isByEnvironment(list, infoHash)) return notListed(list, infoHash);
  return change(parts, { list, isListed, hashes: [infoHash], reason });
}

/** `counts` are of an answer that says that the change was made. */
async function change(
  { accessLog, log }: ListOperationsParts,
  asked: AccessChange,
  counts: object = {},
): Promise<Reply> {
  const outcome = await accessLog.change(asked);
  const { list, isListed, hashes, reason } = asked;
  log.info('An administrator changed an access list.', {
    who: 'token',
    action: isListed ? 'add' : 'remove',
    list,
    hashes: hashes.length,
    infoHash: hashes.length === 1 ? formatInfoHash(hashes[0]!) : undefined,
    reason,
    outcome: outcome.kind,
  });
  return replyTo(outcome, asked, counts);
}

function replyTo(outcome: ChangeOutcome, { hashes, reason }: AccessChange, counts: object): Reply {
  switch (outcome.kind) {
    case 'stored':
      return {
        status: 200,
        body: { enforced: true, stored: true, ...made(outcome.atSeconds) },
      };
    case 'enforced': {
      const error = 'The change is in force, but the store did not take it yet. It is tried until it does.';
      return { status: 503, body: { enforced: true, stored: false, error, ...made(outcome.atSeconds) } };
    }
    case 'not-stored': {
      const error = 'The store did not take the change, so it was not made. Try again.';
      return { status: 503, body: { enforced: false, stored: false, error } };
    }
    case 'too-many':
      return refuse(413, `A change may name up to ${outcome.hashesMax} hashes: send several.`);
    case 'full':
      return refuse(507, 'The list can hold no more hashes.');
    case 'by-environment': {
      const infoHash = formatInfoHash(outcome.infoHash);
      return refuse(
        409,
        `${infoHash} stands in ${outcome.variable}: take it out of that variable and start again.`,
      );
    }
  }
  function made(atSeconds: number): object {
    return { hashes: hashes.length, ...counts, reason, changedAt: isoTime(atSeconds) };
  }
}

function describe({ infoHash, reason, atSeconds }: ListedHash): object {
  return { infoHash: formatInfoHash(infoHash), reason, changedAt: isoTime(atSeconds) };
}

function notListed(list: ListName, infoHash: Uint8Array): Reply {
  const what = list === 'bans' ? 'banned' : 'on the allow list';
  return refuse(404, `${formatInfoHash(infoHash)} is not ${what}.`);
}
