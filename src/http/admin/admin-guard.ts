/**
 * Who is let in: whoever sends the token, as often as any honest use asks. A client that sends a wrong one ten times is
 * not listened to for a quarter of an hour, whatever it sends then, so that nobody finds the token by trying. Each
 * wrong token leaves a line in the log, without the token and without the client's address.
 *
 * Who is one client says client-numbers.ts.
 */
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { Log } from '../../log.ts';
import { ClientNumbers, type ClientNumbersOptions } from '../client-numbers.ts';
import { refuse, sendReply } from './admin-reply.ts';
import { createTokenCheck } from './admin-token.ts';

/** Wrong tokens of a client within the window before it has to wait. */
export const WRONG_TOKENS_MAX = 10;
const WRONG_TOKENS_WINDOW_MS = 15 * 60_000;
/** Requests with the right token a minute, whoever sends them: enough to ban 600,000 hashes by the page. */
export const REQUESTS_PER_MINUTE_MAX = 600;
const MINUTE_MS = 60_000;

export interface AdminGuardParts extends ClientNumbersOptions {
  readonly adminToken: string;
  readonly log: Log;
  readonly wrongTokensMax?: number;
  readonly requestsPerMinuteMax?: number;
}

/** Calls the next handler for an administrator, and answers everybody else. */
export function adminGuard(parts: AdminGuardParts): RequestHandler {
  const { log } = parts;
  const wrongTokensMax = parts.wrongTokensMax ?? WRONG_TOKENS_MAX;
  const requestsMax = parts.requestsPerMinuteMax ?? REQUESTS_PER_MINUTE_MAX;
  const isAdministrator = createTokenCheck(parts.adminToken);
  const clients = new ClientNumbers(parts);
  // Clients whose address cannot be known are counted as one.
  const clientOf = (request: Request): string => String(clients.of(request) ?? 'unknown');
  const always = { standardHeaders: 'draft-8', legacyHeaders: false, validate: false } as const;
  const wrongTokens = rateLimit({
    ...always,
    windowMs: WRONG_TOKENS_WINDOW_MS,
    limit: wrongTokensMax,
    identifier: 'wrong-tokens',
    keyGenerator: clientOf,
    handler: (_request, response) =>
      tooMany(response, 'Too many wrong tokens came from your address: wait before you try again.'),
  });
  const requests = rateLimit({
    ...always,
    windowMs: MINUTE_MS,
    limit: requestsMax,
    identifier: 'requests',
    keyGenerator: () => 'administrator',
    handler: (_request, response) =>
      tooMany(response, `More than ${requestsMax} requests within a minute: wait before you go on.`),
  });

  return async (request: Request, response: Response, next: NextFunction) => {
    const wrongSoFar = (await wrongTokens.getKey(clientOf(request)))?.totalHits ?? 0;
    if (wrongSoFar >= wrongTokensMax) return wrongTokens(request, response, next);
    const { authorization } = request.headers;
    if (isAdministrator(authorization)) return requests(request, response, next);
    if (authorization === undefined) return unauthorized(response);
    return wrongTokens(request, response, () => {
      log.warn('A wrong admin token was refused.', {
        who: 'token',
        action: 'refused',
        wrongOfThisClient: wrongSoFar + 1,
        mustWait: wrongSoFar + 1 >= wrongTokensMax,
      });
      unauthorized(response);
    });
  };
}

function unauthorized(response: Response): void {
  sendReply(response, {
    ...refuse(401, 'Send the header "Authorization: Bearer <ADMIN_TOKEN>" with the right token.'),
    // The body stays unread, so the connection cannot be used again.
    headers: { 'WWW-Authenticate': 'Bearer realm="trakx"', Connection: 'close' },
  });
}

/** The seconds to wait stand in Retry-After already. */
function tooMany(response: Response, error: string): void {
  sendReply(response, { ...refuse(429, error), headers: { Connection: 'close' } });
}
