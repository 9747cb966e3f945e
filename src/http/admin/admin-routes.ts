/**
 * The administrator's JSON over HTTP, below /admin: there only when there is an ADMIN_TOKEN, and the token is checked
 * before anything else of a request is read. Its operations stand in the files beside this one, and what they take and
 * answer in the document at /admin/openapi.json, which needs no token; a test holds the two against each other.
 */
import { type Request, type Response, Router } from 'express';
import { INFO_HASH_BYTES } from '../../protocol/info-hash.ts';
import { infoHashFrom } from '../../protocol/magnet.ts';
import type { ClientAddresses } from '../client-address.ts';
import { readOnly, send } from '../web-reply.ts';
import { A_HASH } from './admin-body.ts';
import { adminGuard } from './admin-guard.ts';
import { type Reply, refuse, sendReply } from './admin-reply.ts';
import { type ListOperationsParts, listOperations } from './list-operations.ts';
import { openApiDocument } from './openapi.ts';
import type { Operation } from './operation.ts';
import { type SwarmOperationsParts, swarmOperations } from './swarm-operations.ts';
import { type TrackerOperationsParts, trackerOperations } from './tracker-operations.ts';

export interface AdminRoutesParts extends ListOperationsParts, SwarmOperationsParts, TrackerOperationsParts {
  /** undefined: there are no such routes. */
  readonly adminToken: string | undefined;
  /** The page for people (admin-page.ts). */
  readonly page: Router;
  readonly accessLog: ListOperationsParts['accessLog'] & TrackerOperationsParts['accessLog'];
  readonly clientAddresses: Pick<ClientAddresses, 'addressOf'>;
  readonly wrongTokensMax?: number;
  readonly requestsPerMinuteMax?: number;
}

const NO_HASH = new Uint8Array(INFO_HASH_BYTES);
const PARAMETER = '{infoHash}';

/** Every operation that needs the token. */
export function adminOperations(parts: AdminRoutesParts): readonly Operation[] {
  return [
    ...listOperations(parts, 'bans'),
    ...listOperations(parts, 'allowed'),
    ...swarmOperations(parts),
    ...trackerOperations(parts),
  ];
}

/** Routes below /admin; a router without any when there is no token, so that they are not found. */
export function adminRoutes(parts: AdminRoutesParts): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const { adminToken } = parts;
  if (adminToken === undefined) return router;
  router.use(parts.page);
  const document = `${JSON.stringify(openApiDocument(), null, 1)}\n`;
  readOnly(router, '/admin/openapi.json', (_request, response) =>
    send(response, 200, 'application/json', document),
  );
  router.use('/admin', adminGuard({ ...parts, adminToken }));
  const operations = adminOperations(parts);
  router.use('/admin', async (request: Request, response: Response) =>
    sendReply(response, await answer(operations, request)),
  );
  return router;
}

async function answer(operations: readonly Operation[], request: Request): Promise<Reply> {
  const path = `/admin${request.path}`;
  const isOne = (operation: Operation): boolean => isAt(operation, path);
  const there = operations.filter(isOne);
  if (there.length === 0) {
    const all = [...new Set(operations.map(({ path: known }) => known))].join(', ');
    return refuse(404, `There is no such path, but ${all}: see /admin/openapi.json.`);
  }
  const operation = there.find(({ method }) => method === request.method);
  if (operation === undefined) {
    const allowed = there.map(({ method }) => method).join(', ');
    return {
      ...refuse(405, `This path allows ${allowed}.`),
      headers: { Allow: allowed, Connection: 'close' },
    };
  }
  const { queryNames } = operation;
  const query = new URLSearchParams(/\?(.*)$/s.exec(request.originalUrl)?.[1]);
  if ([...query.keys()].some((name) => !queryNames.includes(name))) {
    const known = queryNames.length === 0 ? 'no parameters' : `only ${queryNames.join(', ')}`;
    return refuse(400, `The query of this path takes ${known}.`);
  }
  const infoHash = operation.path.endsWith(PARAMETER)
    ? infoHashFrom(path.slice(operation.path.length - PARAMETER.length))
    : NO_HASH;
  if (infoHash === undefined)
    return refuse(400, `In place of {infoHash} the path must have ${A_HASH}, percent-encoded.`);
  return operation.answer({ request, query, infoHash });
}

/** Whether the path is the operation's, any text in place of its parameter. */
function isAt({ path: pattern }: Operation, path: string): boolean {
  if (!pattern.endsWith(PARAMETER)) return pattern === path;
  const before = pattern.slice(0, -PARAMETER.length);
  return path.startsWith(before) && path.length > before.length && !path.slice(before.length).includes('/');
}
