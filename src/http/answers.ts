/**
 * What both ways to the tracker share, the express lane and node:http: in which order an announce is checked,
 * what is counted of it, and which answer a scrape gets. Whatever the request says, the status is 200, because
 * clients read no other answer; what is wrong stands in the body. Leaves the bytes of the request and of the
 * reply to those who hold them.
 */
import { gzipSync } from 'node:zlib';
import { errorFields, type Log } from '../log.ts';
import type { AnnounceReply } from '../protocol/announce-reply.ts';
import type { AnnounceRequest } from '../protocol/announce-request.ts';
import { ClientError, INTERNAL_ERROR } from '../protocol/client-error.ts';
import { encodeScrapeReply } from '../protocol/scrape-reply.ts';
import type { Counters } from '../stats/counters.ts';
import type { Tracker } from '../tracker/tracker.ts';
import type { ClientAddresses, Connected, Forwarding } from './client-address.ts';

export interface AnswersParts {
  readonly tracker: Pick<Tracker, 'announce' | 'scrape'>;
  readonly clientAddresses: ClientAddresses;
  readonly counters: Counters;
  /** Seconds since the epoch, now. */
  readonly nowSeconds: () => number;
  readonly log: Log;
}

export class Answers {
  /** Seconds since the epoch, now. */
  readonly nowSeconds: () => number;
  readonly #tracker: Pick<Tracker, 'announce' | 'scrape'>;
  readonly #clientAddresses: ClientAddresses;
  readonly #counters: Counters;
  readonly #log: Log;

  constructor(parts: AnswersParts) {
    this.#tracker = parts.tracker;
    this.#clientAddresses = parts.clientAddresses;
    this.#counters = parts.counters;
    this.nowSeconds = parts.nowSeconds;
    this.#log = parts.log;
  }

  /**
   * Applies what the parser made of an announce. First the request itself is looked at, then the address, then
   * whether the tracker serves it. The reply's bytes are valid until the next announce.
   */
  announce(
    announce: AnnounceRequest | ClientError,
    connected: Connected,
    forwarding: Forwarding,
    now: number,
  ): AnnounceReply | ClientError {
    const counters = this.#counters;
    counters.announces += 1;
    if (announce instanceof ClientError) {
      counters.refusedMalformed += 1;
      counters.errorsClient += 1;
      return announce;
    }
    const source = this.#clientAddresses.of(connected, forwarding);
    if (source instanceof ClientError) {
      counters.refusedAddress += 1;
      counters.errorsClient += 1;
      return source;
    }
    const reply = this.#tracker.announce(announce, source, now);
    if (reply instanceof ClientError) counters.errorsClient += 1;
    return reply;
  }

  /** The body of a scrape's answer. It needs no client address and changes nothing. */
  scrape(hashes: readonly Uint8Array[] | ClientError): Uint8Array | ClientError {
    const counters = this.#counters;
    counters.scrapes += 1;
    if (hashes instanceof ClientError) {
      counters.refusedMalformed += 1;
      counters.errorsClient += 1;
      return hashes;
    }
    return encodeScrapeReply(this.#tracker.scrape(hashes));
  }

  /** Counts and logs a failure of ours, and gives what the client is told of it: no details. */
  failed(path: string, error: unknown): ClientError {
    this.#counters.errorsServer += 1;
    this.#log.error('a request failed', { path, ...errorFields(error, true) });
    return INTERNAL_ERROR;
  }
}

/** Below this, compressing saves no packet. */
const COMPRESSED_FROM_BYTES = 1024;

/**
 * The body compressed, if it is long and the client says that it takes gzip; unasked, some can't read it (aria2).
 */
export function compressed(
  body: Uint8Array,
  acceptEncoding: () => string | undefined,
): Uint8Array | undefined {
  return body.length > COMPRESSED_FROM_BYTES && takesGzip(acceptEncoding()) ? gzipSync(body) : undefined;
}

/** Whether Accept-Encoding names gzip, and not with a weight of zero (RFC 9110 §12.5.3). */
function takesGzip(acceptEncoding: string | undefined): boolean {
  return (acceptEncoding ?? '')
    .split(',')
    .some((coding) => /^\s*gzip\s*(;\s*q\s*=\s*(0?\.\d*[1-9]\d*|1(\.0*)?)\s*)?$/i.test(coding));
}
