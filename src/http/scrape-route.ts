/**
 * GET /scrape over node:http. It needs no client address and changes nothing. A long answer is compressed for
 * clients that say they take gzip; unasked, some can't read it (aria2).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { ClientError } from '../protocol/client-error.ts';
import { encodeFailure } from '../protocol/failure-reply.ts';
import { encodeScrapeReply } from '../protocol/scrape-reply.ts';
import { parseScrapeRequest } from '../protocol/scrape-request.ts';
import type { Counters } from '../stats/counters.ts';
import type { Tracker } from '../tracker/tracker.ts';
import { sendBytes } from './plain-reply.ts';
import { targetBytes } from './request-target.ts';

export interface ScrapeRouteParts {
  readonly tracker: Pick<Tracker, 'scrape'>;
  readonly counters: Counters;
  /** Hashes past this many in one request are passed over. */
  readonly scrapeHashesMax: number;
}

/** Answers one scrape; `target` is its request target in origin form. */
export type ScrapeRoute = (request: IncomingMessage, response: ServerResponse, target: string) => void;

/** Below this, compressing saves no packet. */
const COMPRESSED_FROM_BYTES = 1024;

export function createScrapeRoute({ tracker, counters, scrapeHashesMax }: ScrapeRouteParts): ScrapeRoute {
  return (request, response, target) => {
    counters.scrapes += 1;
    const { bytes, queryStart } = targetBytes(target);
    const hashes = parseScrapeRequest(bytes, queryStart, bytes.length, scrapeHashesMax);
    if (hashes instanceof ClientError) {
      counters.refusedMalformed += 1;
      counters.errorsClient += 1;
      sendBytes(response, 200, encodeFailure(hashes));
      return;
    }
    const body = encodeScrapeReply(tracker.scrape(hashes));
    if (body.length > COMPRESSED_FROM_BYTES && takesGzip(request.headers['accept-encoding'])) {
      sendBytes(response, 200, gzipSync(body), { 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' });
    } else {
      sendBytes(response, 200, body);
    }
  };
}

/** Whether Accept-Encoding names gzip, and not with a weight of zero (RFC 9110 §12.5.3). */
function takesGzip(acceptEncoding: string | string[] | undefined): boolean {
  return String(acceptEncoding ?? '')
    .split(',')
    .some((coding) => /^\s*gzip\s*(;\s*q\s*=\s*(0?\.\d*[1-9]\d*|1(\.0*)?)\s*)?$/i.test(coding));
}
