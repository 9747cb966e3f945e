/**
 * The administrator's JSON over HTTP: bans and allowed hashes, one or many at once. There only when there is an
 * ADMIN_TOKEN, and the token is checked before anything else of the request is read.
 *
 *   GET    /admin/bans             a page of the list: ?limit=…&cursor=…
 *   POST   /admin/bans             {"hashes": ["…", …], "reason": "…"}
 *   GET    /admin/bans/<info hash>
 *   PUT    /admin/bans/<info hash> {"reason": "…"}
 *   DELETE /admin/bans/<info hash>
 *
 * The same under /admin/allowed. A change is answered with 200 only when it is stored.
 */
import type { Request, Response } from 'express';
import { Router } from 'express';
import type { Access, ListName } from '../../access/access.ts';
import type { ListedHash } from '../../access/hash-list.ts';
import type { Log } from '../../log.ts';
import type { AccessChange, AccessLog, ChangeOutcome } from '../../persistence/access/access-log.ts';
import { formatInfoHash, parseInfoHash } from '../../protocol/info-hash.ts';
import type { MonotonicMs } from '../../slices.ts';
import { AdminProblem, parseMany, parseReason, readBody } from './admin-body.ts';
import { createTokenCheck } from './admin-token.ts';

export interface AdminRoutesParts {
  /** undefined: there are no such routes. */
  readonly adminToken: string | undefined;
  readonly access: Access;
  readonly accessLog: Pick<AccessLog, 'change'>;
  readonly monotonicMs: MonotonicMs;
  readonly log: Log;
}

/** Hashes of a page, unless fewer are asked for: about as many as can be written without holding up announces. */
const PAGE_HASHES_MAX = 1_000;
const PATH = /^\/(bans|allowed)(?:\/([^/]+))?$/;

interface Reply {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Routes below /admin; a router without any when there is no token, so that they are not found. */
export function adminRoutes(parts: AdminRoutesParts): Router {
  const router = Router({ caseSensitive: true, strict: true });
  if (parts.adminToken === undefined) return router;
  const isAdministrator = createTokenCheck(parts.adminToken);
  router.use('/admin', async (request: Request, response: Response) => {
    if (isAdministrator(request.headers.authorization)) return send(response, await answer(parts, request));
    // The body stays unread, so the connection cannot be used again.
    send(response, {
      status: 401,
      body: { error: 'Send the header "Authorization: Bearer <ADMIN_TOKEN>" with the right token.' },
      headers: { 'WWW-Authenticate': 'Bearer realm="trakx"', Connection: 'close' },
    });
  });
  return router;
}

async function answer(parts: AdminRoutesParts, request: Request): Promise<Reply> {
  const match = PATH.exec(request.path);
  if (match === null)
    return refuse(404, 'There are /admin/bans, /admin/allowed and one path below each per info hash.');
  const list = match[1] as ListName;
  const text = match[2];
  const methods = text === undefined ? ['GET', 'POST'] : ['GET', 'PUT', 'DELETE'];
  if (!methods.includes(request.method)) {
    const allowed = methods.join(', ');
    return {
      ...refuse(405, `This path allows ${allowed}.`),
      headers: { Allow: allowed, Connection: 'close' },
    };
  }
  if (text === undefined)
    return request.method === 'GET' ? page(parts, list, request) : addMany(parts, list, request);
  const infoHash = parseInfoHash(text);
  if (infoHash === undefined) return refuse(400, 'An info hash has 40 hexadecimal characters.');
  if (request.method === 'GET') return showOne(parts, list, infoHash);
  return changeOne(parts, list, infoHash, request);
}

function page({ access }: AdminRoutesParts, name: ListName, request: Request): Reply {
  const query = new URLSearchParams(/\?(.*)$/.exec(request.originalUrl)?.[1]);
  const limit = readCount(query, 'limit', PAGE_HASHES_MAX);
  const cursor = readCount(query, 'cursor', 0);
  if (limit === undefined || limit < 1 || limit > PAGE_HASHES_MAX) {
    return refuse(400, `limit must be a number from 1 to ${PAGE_HASHES_MAX}.`);
  }
  if (cursor === undefined) return refuse(400, 'cursor must be what "next" of the page before said.');
  const list = access.list(name);
  const { hashes, next } = list.page(cursor, limit);
  const body = {
    count: list.size,
    isLoaded: access.isLoaded,
    [name]: hashes.map(describe),
    ...(cursor === 0 ? { byEnvironment: access.byEnvironment(name).map(formatInfoHash) } : {}),
    next: next === undefined ? null : String(next),
  };
  return { status: 200, body };
}

function showOne({ access }: AdminRoutesParts, name: ListName, infoHash: Uint8Array): Reply {
  const listed = access.list(name).find(infoHash);
  const isByEnvironment = access.isByEnvironment(name, infoHash);
  if (listed?.isListed !== true && !isByEnvironment) return notListed(name, infoHash);
  const details = listed?.isListed === true ? describe(listed) : { infoHash: formatInfoHash(infoHash) };
  return { status: 200, body: { ...details, isByEnvironment, isServed: access.isServed(infoHash) } };
}

async function addMany(parts: AdminRoutesParts, list: ListName, request: Request): Promise<Reply> {
  const body = await readBody(request);
  const many = body instanceof AdminProblem ? body : await parseMany(body, parts.monotonicMs);
  if (many instanceof AdminProblem) return refuseBody(many);
  return change(parts, { list, isListed: true, ...many });
}

async function changeOne(
  parts: AdminRoutesParts,
  list: ListName,
  infoHash: Uint8Array,
  request: Request,
): Promise<Reply> {
  const body = await readBody(request);
  const reason = body instanceof AdminProblem ? body : parseReason(body);
  if (reason instanceof AdminProblem) return refuseBody(reason);
  const isListed = request.method === 'PUT';
  const { access } = parts;
  // Before the lists are read nobody knows what is on them, so a removal is then made all the same.
  const isUnknown = access.isLoaded && access.list(list).find(infoHash)?.isListed !== true;
  if (!isListed && isUnknown && !access.isByEnvironment(list, infoHash)) return notListed(list, infoHash);
  return change(parts, { list, isListed, hashes: [infoHash], reason });
}

async function change({ accessLog, log }: AdminRoutesParts, asked: AccessChange): Promise<Reply> {
  const outcome = await accessLog.change(asked);
  log.info('An administrator changed an access list.', {
    list: asked.list,
    action: asked.isListed ? 'add' : 'remove',
    hashes: asked.hashes.length,
    outcome: outcome.kind,
  });
  return replyTo(outcome, asked);
}

function replyTo(outcome: ChangeOutcome, { hashes, reason }: AccessChange): Reply {
  switch (outcome.kind) {
    case 'stored': {
      const changedAt = isoTime(outcome.atSeconds);
      return {
        status: 200,
        body: { enforced: true, stored: true, hashes: hashes.length, reason, changedAt },
      };
    }
    case 'enforced':
      return unavailable(
        true,
        'The change is in force, but the store did not take it yet. It is tried until it does.',
      );
    case 'not-stored':
      return unavailable(false, 'The store did not take the change, so it was not made. Try again.');
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
}

function describe({ infoHash, reason, atSeconds }: ListedHash): object {
  return { infoHash: formatInfoHash(infoHash), reason, changedAt: isoTime(atSeconds) };
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

function readCount(query: URLSearchParams, name: string, fallback: number): number | undefined {
  const text = query.get(name);
  if (text === null) return fallback;
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function notListed(list: ListName, infoHash: Uint8Array): Reply {
  const what = list === 'bans' ? 'banned' : 'on the allow list';
  return refuse(404, `${formatInfoHash(infoHash)} is not ${what}.`);
}

function unavailable(enforced: boolean, error: string): Reply {
  return { status: 503, body: { enforced, stored: false, error } };
}

function refuse(status: number, error: string): Reply {
  return { status, body: { error } };
}

function refuseBody({ status, error }: AdminProblem): Reply {
  // Of a body that is too large the rest stays unread.
  return status === 413
    ? { ...refuse(status, error), headers: { Connection: 'close' } }
    : refuse(status, error);
}

function send(response: Response, { status, body, headers }: Reply): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': bytes.length,
    'Cache-Control': 'no-store',
    ...headers,
  });
  response.end(bytes);
}
