/**
 * The info hash in what people paste: 40 hex characters, 32 of base32 (as magnet links were first written), or a
 * magnet link that names one (BEP 9). Tolerant of what mail programs and pages do to links (percent-encoding,
 * `&amp;`, spaces around), strict about the hash itself. Never throws, whatever the text; its time is linear.
 */
import { INFO_HASH_BYTES, parseInfoHash } from './info-hash.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const BASE32_CHARACTERS = 32;
const LINK = /^magnet(?::|%3a)(?:\?|%3f)/i;
/** `xt`, or `xt.1`, `xt.2`, … where a link names several topics. */
const TOPIC = /^(?:amp;)?xt(?:\.\d{1,4})?=(.*)$/is;
const VERSION_1 = /^urn:btih:(.*)$/is;

/**
 * The v1 info hash that the text stands for, or undefined when there is none. Of a link that names several the first
 * that is whole; a link with a v2 hash only (`urn:btmh:`) has none.
 */
export function infoHashFrom(text: string): Uint8Array | undefined {
  const trimmed = text.trim();
  return parseInfoHash(trimmed) ?? parseBase32(trimmed) ?? infoHashOfLink(trimmed);
}

function infoHashOfLink(text: string): Uint8Array | undefined {
  const start = LINK.exec(text)?.[0];
  if (start === undefined) return undefined;
  // A link that was encoded as a whole, to stand in another one, has no plain separators left.
  const parameters = start.includes('%') ? decodePercent(text.slice(start.length)) : text.slice(start.length);
  for (const parameter of parameters.split('&')) {
    const topic = TOPIC.exec(parameter)?.[1];
    const name = topic === undefined ? undefined : VERSION_1.exec(decodePercent(topic))?.[1]?.trim();
    const infoHash = name === undefined ? undefined : (parseInfoHash(name) ?? parseBase32(name));
    if (infoHash !== undefined) return infoHash;
  }
  return undefined;
}

/** RFC 4648 §6, of either case: five bits a character. */
function parseBase32(text: string): Uint8Array | undefined {
  if (text.length !== BASE32_CHARACTERS || !/^[a-z2-7]+$/i.test(text)) return undefined;
  const infoHash = new Uint8Array(INFO_HASH_BYTES);
  const characters = text.toUpperCase();
  let bits = 0;
  let bitCount = 0;
  let at = 0;
  for (let index = 0; index < BASE32_CHARACTERS; index++) {
    bits = ((bits << 5) | BASE32.indexOf(characters[index]!)) & 0xfff;
    bitCount += 5;
    if (bitCount < 8) continue;
    bitCount -= 8;
    infoHash[at] = bits >> bitCount;
    at += 1;
  }
  return infoHash;
}

/** What is no escape stays: `decodeURIComponent` would throw. Past ASCII nothing of a hash is left to be found. */
function decodePercent(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
