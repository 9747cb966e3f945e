/**
 * What the page of statistics draws from: /stats/history.json, the last hour, day or week; /stats/events, what changes
 * from now on. Shapes are stats/'s work (docs/operations.md, "Statistics").
 */
import { type Request, type Response, Router } from 'express';
import { HISTORY_SPANS, type History, type HistorySpan } from '../../stats/history.ts';
import { readOnly, send } from '../pages/page.ts';
import type { LiveEvents } from './live-events.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const BUSY_SECONDS = 30;

export interface LiveRoutesParts {
  readonly history: Pick<History, 'document'>;
  readonly events: Pick<LiveEvents, 'hasRoom' | 'add'>;
  /** Seconds since the epoch, now. */
  readonly nowSeconds: () => number;
}

export function liveRoutes({ history, events, nowSeconds }: LiveRoutesParts): Router {
  const router = Router({ caseSensitive: true });
  readOnly(router, '/stats/history.json', (request, response) => {
    const span = spanOf(request);
    if (span === undefined) {
      const error = `span: allowed is ${HISTORY_SPANS.join(', ')}`;
      return send(response, 400, JSON_TYPE, `${JSON.stringify({ error })}\n`);
    }
    send(response, 200, JSON_TYPE, `${JSON.stringify(history.document(span, nowSeconds()))}\n`);
  });
  readOnly(router, '/stats/events', (request, response) => listen(request, response, events));
  return router;
}

/** Without one the hour; undefined for one that is not known, or given twice. */
function spanOf(request: Request): HistorySpan | undefined {
  const [, query = ''] = request.url.split('?', 2);
  const asked = new URLSearchParams(query).getAll('span');
  if (asked.length > 1) return undefined;
  return HISTORY_SPANS.find((span) => span === (asked[0] ?? 'hour'));
}

function listen(request: Request, response: Response, events: LiveRoutesParts['events']): void {
  if (!events.hasRoom) {
    const error = 'as many listen as can be served; try again later, or read /stats.json';
    send(response, 503, JSON_TYPE, `${JSON.stringify({ error })}\n`, { 'Retry-After': `${BUSY_SECONDS}` });
    return;
  }
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store, no-transform',
    'X-Content-Type-Options': 'nosniff',
    // nginx would gather the events into larger pieces.
    'X-Accel-Buffering': 'no',
  });
  if (request.method === 'HEAD') response.end();
  else events.add(response);
}
