/** GET /scrape over node:http: query bytes in, bencoded bytes out. What is decided stands in answers.ts. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ClientError } from '../protocol/client-error.ts';
import { encodeFailure } from '../protocol/failure-reply.ts';
import { parseScrapeRequest } from '../protocol/scrape-request.ts';
import { type Answers, compressed } from './answers.ts';
import { sendBytes } from './plain-reply.ts';
import { targetBytes } from './request-target.ts';

/** Answers one scrape; `target` is its request target in origin form. */
export type ScrapeRoute = (request: IncomingMessage, response: ServerResponse, target: string) => void;

/** Hashes past `scrapeHashesMax` in one request are passed over. */
export function createScrapeRoute(answers: Answers, scrapeHashesMax: number): ScrapeRoute {
  return (request, response, target) => {
    const { bytes, queryStart } = targetBytes(target);
    const body = answers.scrape(parseScrapeRequest(bytes, queryStart, bytes.length, scrapeHashesMax));
    if (body instanceof ClientError) {
      sendBytes(response, 200, encodeFailure(body));
      return;
    }
    const gzipped = compressed(body, () => acceptEncodingOf(request));
    if (gzipped === undefined) sendBytes(response, 200, body);
    else sendBytes(response, 200, gzipped, { 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' });
  };
}

function acceptEncodingOf({ headers }: IncomingMessage): string | undefined {
  const field = headers['accept-encoding'];
  return field === undefined ? undefined : String(field);
}
