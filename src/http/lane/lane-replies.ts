/**
 * Replies of the express lane, written whole into a reply buffer: a header of prepared bytes, then the body,
 * encoded where it goes out. The header has the fields that node:http would send, for the same reasons.
 */
import type { Socket } from 'node:net';
import {
  type AnnounceReply,
  announceReplyBytesMax,
  encodeDictionaryReply,
  writeAnnounceReply,
} from '../../protocol/announce-reply.ts';
import { parseAnnounceRequest, RequestMemory } from '../../protocol/announce-request.ts';
import { ascii } from '../../protocol/ascii.ts';
import { ClientError } from '../../protocol/client-error.ts';
import { encodeFailure } from '../../protocol/failure-reply.ts';
import type { RequestHead } from '../../protocol/request-head.ts';
import { parseScrapeRequest } from '../../protocol/scrape-request.ts';
import type { Counters } from '../../stats/counters.ts';
import { type Answers, compressed } from '../answers.ts';
import type { Connected } from '../client-address.ts';
import type { ReplyBuffer } from './reply-buffer.ts';

/** Whom a reply goes to. */
export interface Asker extends Connected {
  readonly socket: Socket;
}

export interface LaneRepliesParts {
  readonly answers: Answers;
  readonly counters: Counters;
  readonly scrapeHashesMax: number;
  /** How long an idle connection is kept. */
  readonly idleMs: number;
  readonly out: ReplyBuffer;
}

const HEADER_END = ascii('\r\n\r\n');
/** The length of an HTTP date (RFC 9110 §5.6.7). */
const DATE_BYTES = 29;
/** Room for a header, however long the body. */
const HEADER_BYTES_MAX = 256;

export class LaneReplies {
  readonly #parts: LaneRepliesParts;
  /** Of the announce at hand. */
  readonly #memory = new RequestMemory();
  readonly #plain: PreparedHeaders;
  readonly #gzipped: PreparedHeaders;

  constructor(parts: LaneRepliesParts) {
    this.#parts = parts;
    this.#plain = preparedHeaders(parts.idleMs, '');
    this.#gzipped = preparedHeaders(parts.idleMs, 'Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n');
  }

  /**
   * Adds the answer to the request in `bytes` that `head` has read; a failure of ours is one, too. `now`: seconds since
   * the epoch.
   */
  add(head: RequestHead, bytes: Buffer, to: Asker, keeps: boolean, now: number): void {
    const { answers, counters } = this.#parts;
    counters.hits += 1;
    try {
      if (head.isScrape) this.#addScrape(head, bytes, to, keeps, now);
      else this.#addAnnounce(head, bytes, to, keeps, now);
    } catch (error) {
      // What had been written of a reply is not part of the buffer yet.
      const failure = answers.failed(head.isScrape ? '/scrape' : '/announce', error);
      this.#addBody(encodeFailure(failure), to, keeps, now);
    }
    if (head.isScrape) counters.laneScrapes += 1;
    else counters.laneAnnounces += 1;
  }

  #addAnnounce(head: RequestHead, bytes: Buffer, to: Asker, keeps: boolean, now: number): void {
    const announce = parseAnnounceRequest(bytes, head.queryStart, head.queryEnd, this.#memory);
    const reply = this.#parts.answers.announce(announce, to, head, now);
    if (reply instanceof ClientError) this.#addBody(encodeFailure(reply), to, keeps, now);
    else if (announce instanceof ClientError || announce.isCompact) this.#addCompact(reply, to, keeps, now);
    else this.#addBody(encodeDictionaryReply(reply), to, keeps, now);
  }

  #addScrape(head: RequestHead, bytes: Buffer, to: Asker, keeps: boolean, now: number): void {
    const { answers, scrapeHashesMax } = this.#parts;
    const hashes = parseScrapeRequest(bytes, head.queryStart, head.queryEnd, scrapeHashesMax);
    const body = answers.scrape(hashes);
    if (body instanceof ClientError) {
      this.#addBody(encodeFailure(body), to, keeps, now);
      return;
    }
    const gzipped = compressed(body, () => head.acceptEncoding());
    if (gzipped === undefined) this.#addBody(body, to, keeps, now);
    else this.#addBody(gzipped, to, keeps, now, true);
  }

  /** The body goes where it belongs if its length has as many digits as expected; else it is moved there. */
  #addCompact(reply: AnnounceReply, to: Asker, keeps: boolean, now: number): void {
    const { out } = this.#parts;
    const bytesMax = announceReplyBytesMax(reply);
    out.reserve(HEADER_BYTES_MAX + bytesMax, to.socket);
    const { bytes, length: start } = out;
    const header = keeps ? this.#plain.keeping : this.#plain.closing;
    const lengthAt = header.write(now, bytes, start);
    const expectedAt = lengthAt + digitsOf(bytesMax) + HEADER_END.length;
    const expectedEnd = writeAnnounceReply(reply, bytes, expectedAt);
    const bodyBytes = expectedEnd - expectedAt;
    const bodyAt = writeLength(bodyBytes, bytes, lengthAt);
    if (bodyAt !== expectedAt) bytes.copyWithin(bodyAt, expectedAt, expectedEnd);
    out.length = bodyAt + bodyBytes;
  }

  #addBody(body: Uint8Array, to: Asker, keeps: boolean, now: number, isGzip = false): void {
    const { out } = this.#parts;
    out.reserve(HEADER_BYTES_MAX + body.length, to.socket);
    const { bytes, length: start } = out;
    const { keeping, closing } = isGzip ? this.#gzipped : this.#plain;
    const header = keeps ? keeping : closing;
    const bodyAt = writeLength(body.length, bytes, header.write(now, bytes, start));
    bytes.set(body, bodyAt);
    out.length = bodyAt + body.length;
  }
}

interface PreparedHeaders {
  /** For connections that are kept. */
  readonly keeping: PreparedHeader;
  readonly closing: PreparedHeader;
}

function preparedHeaders(idleMs: number, field: string): PreparedHeaders {
  const idleSeconds = Math.floor(idleMs / 1000);
  return {
    keeping: new PreparedHeader(`${field}Connection: keep-alive\r\nKeep-Alive: timeout=${idleSeconds}\r\n`),
    closing: new PreparedHeader(`${field}Connection: close\r\n`),
  };
}

/** A header up to the digits of its Content-Length, with a date that is made anew once a second. */
class PreparedHeader {
  readonly #bytes: Uint8Array;
  readonly #dateAt: number;
  #dateSeconds = -1;

  constructor(fields: string) {
    const beforeDate = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n${fields}Date: `;
    this.#dateAt = beforeDate.length;
    this.#bytes = ascii(`${beforeDate}${' '.repeat(DATE_BYTES)}\r\nContent-Length: `);
  }

  write(nowSeconds: number, out: Uint8Array, at: number): number {
    if (nowSeconds !== this.#dateSeconds) {
      this.#bytes.set(ascii(new Date(nowSeconds * 1000).toUTCString()), this.#dateAt);
      this.#dateSeconds = nowSeconds;
    }
    out.set(this.#bytes, at);
    return at + this.#bytes.length;
  }
}

/** The digits of Content-Length and the header's end. */
function writeLength(length: number, out: Uint8Array, at: number): number {
  const end = at + digitsOf(length);
  let rest = length;
  for (let digitAt = end - 1; digitAt >= at; digitAt--) {
    out[digitAt] = 0x30 + (rest % 10);
    rest = (rest / 10) | 0;
  }
  out.set(HEADER_END, end);
  return end + HEADER_END.length;
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; bound <= value; bound *= 10) digits++;
  return digits;
}
