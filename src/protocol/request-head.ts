/**
 * The one form of HTTP request that nearly all torrent traffic has, recognised in the bytes it came in:
 *
 *   GET /announce?‥ HTTP/1.1 CRLF        or /scrape?‥, or HTTP/1.0
 *   name ":" value CRLF ‥                one Host (HTTP/1.1), at most one Connection: close or keep-alive
 *   CRLF
 *
 * A strict recogniser, not a parser of HTTP (RFC 9112): whatever is unusual is `foreign`, be it wrong or merely
 * rare, and a full HTTP parser has to look at it. Promises that what it takes as whole is a request without a
 * body that every such parser takes with the same meaning and the same end, and that it looks at nothing outside
 * the bytes given. Allocates nothing; one object reads head after head.
 */
import { IPV4_BYTES, readIpv4 } from './address.ts';
import { ascii } from './ascii.ts';

/** A head's request line and fields together, its empty line included; longer ones are foreign. */
export const HEAD_BYTES_MAX = 8192;

/** More are foreign: no client sends so many, and node:http drops some past its own limit. */
const FIELDS_MAX = 100;

export const Recognised = {
  /** All of it is there and usual. */
  whole: 0,
  /** Usual so far, and not yet at its end. */
  begun: 1,
  /** For somebody else to judge. */
  foreign: 2,
} as const;
export type Recognised = (typeof Recognised)[keyof typeof Recognised];

const GET = ascii('GET /');
const ANNOUNCE = ascii('GET /announce?');
const SCRAPE = ascii('GET /scrape?');
/** Between the target and the minor version. */
const VERSION = ascii(' HTTP/1.');

const HOST = ascii('host');
const EXPECT = ascii('expect');
const UPGRADE = ascii('upgrade');
const CONNECTION = ascii('connection');
const PROXY_CONNECTION = ascii('proxy-connection');
const CONTENT_LENGTH = ascii('content-length');
const TRANSFER_ENCODING = ascii('transfer-encoding');
const ACCEPT_ENCODING = ascii('accept-encoding');
const X_FORWARDED_FOR = ascii('x-forwarded-for');
const CF_RAY = ascii('cf-ray');
const CF_CONNECTING_IP = ascii('cf-connecting-ip');
const CLOSE = ascii('close');
const KEEP_ALIVE = ascii('keep-alive');

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COMMA = 0x2c;
const COLON = 0x3a;
const LETTER_A = 0x61;

/** What a byte may be part of. */
const IN_TARGET = 1;
const IN_NAME = 2;
const IN_VALUE = 4;
const CLASSES = byteClasses();

export class RequestHead {
  isScrape = false;
  /** The query: what stands after the first `?` of the target. */
  queryStart = 0;
  queryEnd = 0;
  /** Just past the head. */
  end = 0;
  /** Whether the client lets the connection be kept: HTTP/1.1 without `Connection: close`. */
  keepsAlive = false;
  hasCfRay = false;

  #bytes: Buffer = Buffer.alloc(0);
  #fields = 0;
  #isHttp11 = false;
  #hasHost = false;
  #hasConnection = false;
  readonly #acceptEncoding = new FieldValue();
  readonly #cfConnectingIp = new FieldValue();
  readonly #forwardedFor = new FieldValue();
  /** X-Forwarded-For when there were several lines of it. */
  #forwardedForLines: string | undefined;
  readonly #forwardedIpv4 = new Uint8Array(IPV4_BYTES);

  /**
   * Looks for one head at the beginning of bytes[start, end). The values are valid when it is whole, and until
   * the next reading or until the bytes change.
   */
  read(bytes: Buffer, start: number, end: number): Recognised {
    this.#reset(bytes);
    const limit = Math.min(end, start + HEAD_BYTES_MAX);
    const unfinished = limit - start === HEAD_BYTES_MAX ? Recognised.foreign : Recognised.begun;

    let at = this.#readPath(bytes, start, limit);
    if (at < 0) return Recognised.foreign;
    if (at === limit) return unfinished;
    this.queryStart = at;
    while (at < limit && (CLASSES[bytes[at]] & IN_TARGET) !== 0) at++;
    this.queryEnd = at;

    for (let index = 0; index < VERSION.length; index++, at++) {
      if (at === limit) return unfinished;
      if (bytes[at] !== VERSION[index]) return Recognised.foreign;
    }
    if (at === limit) return unfinished;
    const minor = bytes[at++];
    if (minor !== 0x30 && minor !== 0x31) return Recognised.foreign;
    this.#isHttp11 = minor === 0x31;
    this.keepsAlive = this.#isHttp11;

    // Each turn stands before the CR LF that ends a line, and leaves the line after it.
    for (;;) {
      if (at === limit) return unfinished;
      if (bytes[at] !== CR) return Recognised.foreign;
      if (++at === limit) return unfinished;
      if (bytes[at] !== LF) return Recognised.foreign;
      if (++at === limit) return unfinished;
      if (bytes[at] === CR) break;

      const nameStart = at;
      while (at < limit && (CLASSES[bytes[at]] & IN_NAME) !== 0) at++;
      if (at === limit) return unfinished;
      if (bytes[at] !== COLON || at === nameStart) return Recognised.foreign;
      const nameEnd = at++;
      while (at < limit && bytes[at] === SPACE) at++;
      const valueStart = at;
      while (at < limit && (CLASSES[bytes[at]] & IN_VALUE) !== 0) at++;
      if (at === limit) return unfinished;
      let valueEnd = at;
      while (valueEnd > valueStart && bytes[valueEnd - 1] === SPACE) valueEnd--;
      if (!this.#takeField(nameStart, nameEnd, valueStart, valueEnd)) return Recognised.foreign;
    }
    if (++at === limit) return unfinished;
    if (bytes[at] !== LF) return Recognised.foreign;
    this.end = at + 1;
    return this.#hasHost || !this.#isHttp11 ? Recognised.whole : Recognised.foreign;
  }

  /** X-Forwarded-For, several lines joined in their order; undefined when there is none. */
  forwardedFor(): string | undefined {
    return this.#forwardedForLines ?? this.#forwardedFor.text(this.#bytes);
  }

  /**
   * The `place`-th entry of X-Forwarded-For, counted from 1 at the right, when it is one line with an IPv4 address
   * there, as nearly always; undefined says only that `forwardedFor` has to be looked at. Valid as long as the head.
   */
  forwardedIpv4(place: number): Uint8Array | undefined {
    if (this.#forwardedFor.start < 0 || this.#forwardedForLines !== undefined) return undefined;
    const bytes = this.#bytes;
    const { start, end } = this.#forwardedFor;
    let last = end;
    let first = entryStart(bytes, start, last);
    for (let left = place - 1; left > 0; left--) {
      if (first === start) return undefined;
      last = first - 1;
      first = entryStart(bytes, start, last);
    }
    while (first < last && bytes[first] === SPACE) first++;
    while (first < last && bytes[last - 1] === SPACE) last--;
    return readIpv4(bytes, first, last, this.#forwardedIpv4) ? this.#forwardedIpv4 : undefined;
  }

  cfConnectingIp(): string | undefined {
    return this.#cfConnectingIp.text(this.#bytes);
  }

  acceptEncoding(): string | undefined {
    return this.#acceptEncoding.text(this.#bytes);
  }

  #reset(bytes: Buffer): void {
    this.#bytes = bytes;
    this.hasCfRay = false;
    this.#fields = 0;
    this.#hasHost = false;
    this.#hasConnection = false;
    this.#acceptEncoding.clear();
    this.#cfConnectingIp.clear();
    this.#forwardedFor.clear();
    this.#forwardedForLines = undefined;
  }

  /** Where the query begins, `limit` when the bytes end before it, negative when this is another path. */
  #readPath(bytes: Buffer, start: number, limit: number): number {
    const turn = start + GET.length;
    this.isScrape = turn < limit && bytes[turn] !== LETTER_A;
    const expected = this.isScrape ? SCRAPE : ANNOUNCE;
    const end = Math.min(limit, start + expected.length);
    for (let at = start, index = 0; at < end; at++, index++) if (bytes[at] !== expected[index]) return -1;
    return end;
  }

  /** False when the field makes the request an unusual one. */
  #takeField(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): boolean {
    const bytes = this.#bytes;
    if (++this.#fields > FIELDS_MAX) return false;
    // The length leaves two names at most to compare with.
    switch (nameEnd - nameStart) {
      case HOST.length:
        if (!isSame(bytes, nameStart, nameEnd, HOST)) return true;
        if (this.#hasHost) return false;
        this.#hasHost = true;
        return true;
      case CONNECTION.length:
        if (!isSame(bytes, nameStart, nameEnd, CONNECTION)) return true;
        return this.#takeConnection(valueStart, valueEnd);
      case EXPECT.length: // and cf-ray
        if (isSame(bytes, nameStart, nameEnd, CF_RAY)) this.hasCfRay = true;
        return !isSame(bytes, nameStart, nameEnd, EXPECT);
      case UPGRADE.length:
        return !isSame(bytes, nameStart, nameEnd, UPGRADE);
      case CONTENT_LENGTH.length:
        return !isSame(bytes, nameStart, nameEnd, CONTENT_LENGTH);
      case TRANSFER_ENCODING.length:
        return !isSame(bytes, nameStart, nameEnd, TRANSFER_ENCODING);
      case ACCEPT_ENCODING.length: // and x-forwarded-for
        if (isSame(bytes, nameStart, nameEnd, X_FORWARDED_FOR)) this.#addForwardedFor(valueStart, valueEnd);
        else if (isSame(bytes, nameStart, nameEnd, ACCEPT_ENCODING)) {
          return this.#acceptEncoding.set(valueStart, valueEnd);
        }
        return true;
      case PROXY_CONNECTION.length: // and cf-connecting-ip
        if (isSame(bytes, nameStart, nameEnd, CF_CONNECTING_IP)) {
          return this.#cfConnectingIp.set(valueStart, valueEnd);
        }
        return !isSame(bytes, nameStart, nameEnd, PROXY_CONNECTION);
      default:
        return true;
    }
  }

  #takeConnection(start: number, end: number): boolean {
    if (this.#hasConnection) return false;
    this.#hasConnection = true;
    if (isSame(this.#bytes, start, end, CLOSE)) {
      this.keepsAlive = false;
      return true;
    }
    // HTTP/1.0 with keep-alive is a dialect of its own.
    return this.#isHttp11 && isSame(this.#bytes, start, end, KEEP_ALIVE);
  }

  #addForwardedFor(start: number, end: number): void {
    const before = this.forwardedFor();
    if (before === undefined) this.#forwardedFor.set(start, end);
    else this.#forwardedForLines = `${before}, ${this.#bytes.toString('latin1', start, end)}`;
  }
}

/** Where the value of a field lies that may come once. */
class FieldValue {
  /** Negative: there is none. */
  start = -1;
  end = 0;

  clear(): void {
    this.start = -1;
  }

  /** False when it has come before. */
  set(start: number, end: number): boolean {
    if (this.start >= 0) return false;
    this.start = start;
    this.end = end;
    return true;
  }

  text(bytes: Buffer): string | undefined {
    return this.start < 0 ? undefined : bytes.toString('latin1', this.start, this.end);
  }
}

/** Where the entry begins that ends at `end`: past a comma, or at `start`. */
function entryStart(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && bytes[at - 1] !== COMMA) at--;
  return at;
}

/** Whether [start, end) are the letters and hyphens of `lowerCase`, in whatever case. */
function isSame(bytes: Uint8Array, start: number, end: number, lowerCase: Uint8Array): boolean {
  if (end - start !== lowerCase.length) return false;
  for (let index = 0; index < lowerCase.length; index++) {
    if ((bytes[start + index] | 0x20) !== lowerCase[index]) return false;
  }
  return true;
}

/**
 * A target is visible ASCII without `#`, a name a token, a value visible ASCII and blanks (RFC 9110
 * §5.5, §5.6.2). No tabs: node:http does not take `close` followed by one for `close`.
 */
function byteClasses(): Uint8Array {
  const classes = new Uint8Array(256);
  for (let byte = 0x21; byte < 0x7f; byte++) {
    const character = String.fromCharCode(byte);
    classes[byte] |= IN_VALUE;
    if (character !== '#') classes[byte] |= IN_TARGET;
    if (/[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(character)) classes[byte] |= IN_NAME;
  }
  classes[SPACE] |= IN_VALUE;
  return classes;
}
