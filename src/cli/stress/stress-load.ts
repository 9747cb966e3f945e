/**
 * What a load asks for: one path again and again, or announces as a tracker hears them, of peers that are spread
 * over swarms by Zipf's law. Gives whole request heads; draws from the generator that it is given.
 */
import { Zipf } from './zipf.ts';

export interface LoadOptions {
  /** For the Host field. */
  readonly host: string;
  /** Each request on a connection of its own. */
  readonly isFresh: boolean;
}

export interface AnnounceOptions extends LoadOptions {
  readonly swarms: number;
  readonly peers: number;
  readonly numwant: number;
  /** Names the peer's address in X-Forwarded-For, for a tracker that counts one proxy. */
  readonly isForwarded: boolean;
  readonly random: () => number;
}

/** Published measurements of public trackers lie between 0.7 and 1. */
const ZIPF_EXPONENT = 0.9;
const USER_AGENT = 'Trakx-stress';

export function pathLoad(path: string, options: LoadOptions): () => string {
  const request = head(path, options);
  return () => request;
}

/** Announces of a fixed crowd: half are seeders; now and then one starts, completes or stops. */
export function announceLoad(options: AnnounceOptions): () => string {
  const { swarms, peers, numwant, isForwarded, random } = options;
  const zipf = new Zipf(swarms, ZIPF_EXPONENT);
  const swarmOf = new Uint32Array(peers);
  for (let peer = 0; peer < peers; peer++) swarmOf[peer] = zipf.draw(random);
  return () => {
    const peer = random() % peers;
    const isSeeder = peer % 2 === 0;
    const target =
      `/announce?info_hash=${escapedHash(swarmOf[peer]!)}&peer_id=-TS0001-${String(peer).padStart(12, '0')}` +
      `&port=${1024 + (peer % 60_000)}&uploaded=0&downloaded=0&left=${isSeeder ? 0 : 1048576}` +
      `&numwant=${numwant}&compact=1${event(random() % 100, isSeeder)}`;
    return head(target, options, isForwarded ? `X-Forwarded-For: ${addressOf(peer)}\r\n` : '');
  };
}

function event(percentile: number, isSeeder: boolean): string {
  if (percentile < 5) return '&event=started';
  if (percentile < 7) return '&event=stopped';
  return percentile < 8 && isSeeder ? '&event=completed' : '';
}

function head(target: string, { host, isFresh }: LoadOptions, more = ''): string {
  return (
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: ${USER_AGENT}\r\nAccept: */*\r\n` +
    `${more}${isFresh ? 'Connection: close\r\n' : ''}\r\n`
  );
}

const ESCAPED = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).padStart(2, '0')}`);

/** Twenty bytes that look random and belong to one number. */
function escapedHash(number: number): string {
  let text = '';
  for (let at = 0; at < 20; at++) {
    text += ESCAPED[(Math.imul(number + 1, 0x9e3779b1 + 2 * at) >>> 13) & 0xff];
  }
  return text;
}

/** An address of the public part of 11.0.0.0 to 74.255.255.255. */
export function addressOf(peer: number): string {
  return `${11 + ((peer >>> 24) & 0x3f)}.${(peer >>> 16) & 0xff}.${(peer >>> 8) & 0xff}.${peer & 0xff}`;
}
