/** Announces and scrapes over the wire, and their answers as values. */
import assert from 'node:assert/strict';
import bencode from 'bencode';
import { formatAddress } from '../../src/protocol/address.ts';
import { type AnnounceParameters, announceQuery, rawRequest, scrapeQuery } from '../builders/requests.ts';
import type { RunningServer } from '../builders/server.ts';
import { exchange, type WireResponse } from './connection.ts';

export interface AnnounceAnswer {
  readonly complete: number;
  readonly incomplete: number;
  readonly downloaded: number;
  readonly interval: number;
  readonly 'min interval': number;
  readonly 'external ip': Uint8Array;
  readonly peers: Uint8Array;
  readonly peers6?: Uint8Array;
  readonly 'warning message'?: Uint8Array;
}

export interface AskOptions {
  /** The socket's address: 127.0.0.1 when absent. */
  readonly from?: string | undefined;
  /** X-Forwarded-For. */
  readonly via?: string | undefined;
  readonly headerLines?: readonly string[];
}

/** Asks for `target` over a connection of its own. */
export function ask(server: RunningServer, target: string, options: AskOptions = {}): Promise<WireResponse> {
  const { from, via, headerLines = [] } = options;
  const lines = via === undefined ? headerLines : [...headerLines, `X-Forwarded-For: ${via}`];
  return exchange(server.port, rawRequest(target, ['Connection: close', ...lines]), { from });
}

/** Announces with these parameters over the default ones and expects success. */
export async function announce(
  server: RunningServer,
  changes: AnnounceParameters = {},
  options: AskOptions = {},
): Promise<AnnounceAnswer> {
  return success(await ask(server, `/announce?${announceQuery(changes)}`, options));
}

export function success(response: WireResponse): AnnounceAnswer {
  assert.equal(response.status, 200);
  const answer = bencode.decode(response.body) as AnnounceAnswer & { 'failure reason'?: Uint8Array };
  const reason = answer['failure reason'];
  assert.equal(reason === undefined ? undefined : Buffer.from(reason).toString(), undefined);
  return answer;
}

/** The failure reason of a response that must be a failure, status 200. */
export function failureReason(response: WireResponse): string {
  assert.equal(response.status, 200);
  const reason = (bencode.decode(response.body) as { 'failure reason'?: Uint8Array })['failure reason'];
  assert.ok(reason !== undefined, `no failure: ${response.body.toString('latin1')}`);
  return Buffer.from(reason).toString('latin1');
}

/** Seeders, leechers and downloads of an answer. */
export const countsOf = ({ complete, incomplete, downloaded }: AnnounceAnswer): number[] => [
  complete,
  incomplete,
  downloaded,
];

/** `address:port` of each peer in a compact answer, both families. */
export function peersOf({ peers, peers6 = new Uint8Array() }: AnnounceAnswer): string[] {
  return [...endpointsOf(peers, 6), ...endpointsOf(peers6, 18)];
}

export interface ScrapeCounts {
  readonly complete: number;
  readonly downloaded: number;
  readonly downloaders: number;
  readonly incomplete: number;
}

/** The counts of one torrent by scrape. */
export async function scrape(server: RunningServer, hash: Uint8Array): Promise<ScrapeCounts> {
  const { body } = await ask(server, `/scrape?${scrapeQuery(hash)}`);
  const text = body.toString('latin1');
  const head = `d5:filesd20:${Buffer.from(hash).toString('latin1')}`;
  assert.ok(text.startsWith(head), text);
  return plain(bencode.decode(body.subarray(head.length)) as ScrapeCounts);
}

export const SCRAPED_NOTHING: ScrapeCounts = { complete: 0, downloaded: 0, downloaders: 0, incomplete: 0 };

function endpointsOf(bytes: Uint8Array, width: number): string[] {
  assert.equal(bytes.length % width, 0);
  const endpoints: string[] = [];
  for (let at = 0; at < bytes.length; at += width) {
    const address = formatAddress(bytes.slice(at, at + width - 2));
    const port = (bytes[at + width - 2]! << 8) | bytes[at + width - 1]!;
    endpoints.push(`${address.includes(':') ? `[${address}]` : address}:${port}`);
  }
  return endpoints;
}

function plain({ complete, downloaded, downloaders, incomplete }: ScrapeCounts): ScrapeCounts {
  return { complete, downloaded, downloaders, incomplete };
}
