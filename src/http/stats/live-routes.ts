/**
 * What the page of statistics draws from: /stats/history.json, the last hour, day or week; /stats/events, what changes
 * from now on. Shapes are stats/'s work (docs/operations.md, "Statistics").
 */
import { type Request, type Response, Router } from 'express';
import { HISTORY_SPANS, type History, type HistorySpan, MINUTE_SECONDS } from '../../stats/history.ts';
import type { ClientNumbers } from '../client-numbers.ts';
import { Compressible } from '../compressible.ts';
import { readOnly, send } from '../web-reply.ts';
import type { LiveEvents } from './live-events.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const BUSY_SECONDS = 30;

export interface LiveRoutesParts {
  readonly history: Pick<History, 'document' | 'revision'>;
  readonly events: Pick<LiveEvents, 'hasRoom' | 'hasRoomFor' | 'add'>;
  readonly clients: Pick<ClientNumbers, 'of'>;
  /** Seconds since the epoch, now. */
  readonly nowSeconds: () => number;
}

export function liveRoutes(parts: LiveRoutesParts): Router {
  const { history, nowSeconds } = parts;
  const router = Router({ caseSensitive: true });
  const documents = new Map<string, HistoryText>(
    HISTORY_SPANS.map((span) => [span, new HistoryText(history, span)]),
  );
  readOnly(router, '/stats/history.json', async (request, response) => {
    const document = documents.get(askedSpan(request));
    if (document === undefined) {
      const error = `span: allowed is ${HISTORY_SPANS.join(', ')}`;
      return send(response, 400, JSON_TYPE, `${JSON.stringify({ error })}\n`);
    }
    return document.at(nowSeconds()).sendTo(request, response);
  });
  readOnly(router, '/stats/events', (request, response) => listen(request, response, parts));
  return router;
}

/** A document as text, made anew when it has changed: a day takes milliseconds, and anybody may ask. */
class HistoryText {
  readonly #history: LiveRoutesParts['history'];
  readonly #span: HistorySpan;
  #body = new Compressible(JSON_TYPE, '');
  #revision = -1;
  #minute = -1;

  constructor(history: LiveRoutesParts['history'], span: HistorySpan) {
    this.#history = history;
    this.#span = span;
  }

  at(nowSeconds: number): Compressible {
    const { revision } = this.#history;
    const minute = Math.floor(nowSeconds / MINUTE_SECONDS);
    if (revision !== this.#revision || minute !== this.#minute) {
      const document = this.#history.document(this.#span, nowSeconds);
      this.#body = new Compressible(JSON_TYPE, `${JSON.stringify(document)}\n`);
      this.#revision = revision;
      this.#minute = minute;
    }
    return this.#body;
  }
}

/** Without one the hour; given twice it is none. */
function askedSpan(request: Request): string {
  const [, query = ''] = request.url.split('?', 2);
  const asked = new URLSearchParams(query).getAll('span');
  return asked.length === 0 ? 'hour' : asked.join(' ');
}

function listen(request: Request, response: Response, { events, clients }: LiveRoutesParts): void {
  const client = clients.of(request);
  if (!events.hasRoom) {
    tellToComeBack(response, 503, 'as many listen as can be served; try again later, or read /stats.json');
    return;
  }
  if (!events.hasRoomFor(client)) {
    tellToComeBack(
      response,
      429,
      'as many listen from your address as one may have; close a page, or read /stats.json',
    );
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
  else events.add(response, client);
}

function tellToComeBack(response: Response, status: number, error: string): void {
  const headers = { 'Retry-After': `${BUSY_SECONDS}` };
  send(response, status, JSON_TYPE, `${JSON.stringify({ error })}\n`, headers);
}
