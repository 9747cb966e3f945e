/**
 * The Express app: the tracker's own two paths, then the routers of pages, statistics, health and
 * administration as they are given, then "not found" and the answer to a failure of ours.
 *
 * Express's habits that would change bytes or meaning are off: letter case of paths, etag, x-powered-by, query
 * parsing, and HEAD running a GET handler, which would make an announce of it. Methods are checked first.
 */
import { type IncomingMessage, type RequestListener, type ServerResponse, STATUS_CODES } from 'node:http';
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import { encodeFailure } from '../protocol/failure-reply.ts';
import type { MonotonicMs } from '../slices.ts';
import type { Counters } from '../stats/counters.ts';
import { createAnnounceRoute } from './announce-route.ts';
import type { Answers } from './answers.ts';
import { sendBytes, sendText } from './plain-reply.ts';
import { originForm } from './request-target.ts';
import { createScrapeRoute } from './scrape-route.ts';
import { send } from './web-reply.ts';

export interface AppParts {
  readonly answers: Answers;
  readonly counters: Counters;
  readonly scrapeHashesMax: number;
  readonly monotonicMs: MonotonicMs;
  /** Mounted in this order, after /announce and /scrape. */
  readonly routers: readonly Router[];
}

const TRACKER_PATHS = ['/announce', '/scrape'];

/** What node:http calls for each request. */
export function createApp({
  answers,
  counters,
  scrapeHashesMax,
  monotonicMs,
  routers,
}: AppParts): RequestListener {
  const announce = createAnnounceRoute(answers);
  const scrape = createScrapeRoute(answers, scrapeHashesMax);

  const app = express();
  app.disable('etag');
  app.disable('x-powered-by');
  app.set('query parser', false);
  app.enable('case sensitive routing');

  const refuseOtherMethods = (request: Request, response: Response, next: NextFunction): void => {
    if (request.method === 'GET') next();
    else sendText(response, 405, 'method not allowed: GET', { Allow: 'GET' });
  };

  app.all(TRACKER_PATHS, refuseOtherMethods);
  app.get('/announce', (request, response) => announce(request, response, request.originalUrl));
  app.get('/scrape', (request, response) => scrape(request, response, request.originalUrl));
  for (const router of routers) app.use(router);
  app.use((_request: Request, response: Response) => send(response, 404, 'text/plain', 'not found\n'));

  const isTrackerPath = (path: string): boolean => TRACKER_PATHS.includes(path.replace(/(?<=.)\/$/, ''));
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const blame = clientStatusOf(error);
    if (blame !== undefined && !response.headersSent) {
      send(response, blame, 'text/plain', `${STATUS_CODES[blame] ?? 'bad request'}\n`);
      return;
    }
    const failure = answers.failed(request.path, error);
    if (response.headersSent) response.destroy();
    else if (isTrackerPath(request.path)) sendBytes(response, 200, encodeFailure(failure));
    else send(response, 500, 'text/plain', 'internal error\n');
  });

  return (request: IncomingMessage, response: ServerResponse) => {
    counters.hits += 1;
    const readMs = monotonicMs();
    response.once('finish', () => {
      if (isAnnounce(request)) counters.announceLatency.record((monotonicMs() - readMs) / 1_000);
      // Failures of ours were counted where they were caught.
      if (response.statusCode >= 400 && response.statusCode < 500) counters.errorsClient += 1;
    });
    const target = originForm(request.url ?? '');
    if (target === undefined) {
      sendText(response, 405, 'method not allowed: GET', { Allow: 'GET' });
      return;
    }
    request.url = target;
    app(request, response);
  };
}

/** Whether Express has given it to the route of announces. */
function isAnnounce(request: IncomingMessage): boolean {
  return (request as Partial<Request>).route?.path === '/announce';
}

/** The 4xx that Express and its parsers put on errors a request brought about: a bad escape, a bad body. */
function clientStatusOf(error: unknown): number | undefined {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
