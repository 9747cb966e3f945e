/** What a tracker knows, as anybody can see it: peers by announces that are not listed themselves, bans by its API. */
import bencode from 'bencode';
import { announceQuery, escaped, peerIdOf } from '../builders/requests.ts';
import type { TrackerProcess } from '../builders/tracker-process.ts';
import { ask } from '../end-to-end/tracker-requests.ts';
import type { PeerState, SeenSwarm } from './ledger.ts';

export const ADMIN_TOKEN = 'a-token-for-crashes-of-24-or-more';
export const AUTHORIZED = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' };

interface Answer {
  readonly 'failure reason'?: Uint8Array;
  readonly complete: number;
  readonly incomplete: number;
  readonly downloaded: number;
  readonly peers: Uint8Array;
  readonly peers6?: Uint8Array;
}

/** A leecher is told of everybody, a seeder of leechers only: so both are asked for. */
export async function lookAtSwarm(tracker: TrackerProcess, infoHash: Uint8Array): Promise<SeenSwarm> {
  const all = await askHidden(tracker, infoHash, 1);
  const leechers = new Set(endpointsOf(await askHidden(tracker, infoHash, 0)));
  const peers = new Map<string, PeerState>();
  for (const endpoint of endpointsOf(all)) peers.set(endpoint, leechers.has(endpoint) ? 'leecher' : 'seeder');
  return { peers, complete: all.complete, incomplete: all.incomplete, completed: all.downloaded };
}

/** Why an announce for this torrent is refused; undefined when it is not. */
export async function refusalOf(tracker: TrackerProcess, infoHash: Uint8Array): Promise<string | undefined> {
  const { 'failure reason': reason } = await askHidden(tracker, infoHash, 1);
  return reason && Buffer.from(reason).toString();
}

export async function lookAtBans(tracker: TrackerProcess): Promise<Set<string>> {
  const banned = new Set<string>();
  for (let cursor: string | null = '0'; cursor !== null; ) {
    const path = `/admin/bans?cursor=${cursor}`;
    const { status, body } = await ask(tracker, path, { headers: AUTHORIZED });
    if (status !== 200) throw new Error(`${path}: status ${status}`);
    const page = JSON.parse(body.toString()) as { bans: { infoHash: string }[]; next: string | null };
    for (const { infoHash } of page.bans) banned.add(infoHash);
    cursor = page.next;
  }
  return banned;
}

async function askHidden(tracker: TrackerProcess, infoHash: Uint8Array, left: number): Promise<Answer> {
  const query = announceQuery({
    info_hash: escaped(infoHash),
    peer_id: peerIdOf(0),
    port: 0,
    hide: 1,
    left,
    event: undefined,
    numwant: 1_000,
  });
  const headers = { 'X-Forwarded-For': '192.0.2.1' };
  return bencode.decode((await ask(tracker, `/announce?${query}`, { headers })).body);
}

function endpointsOf({ peers, peers6 = new Uint8Array(0) }: Answer): string[] {
  return [...slices(peers, 6), ...slices(peers6, 18)];
}

function slices(bytes: Uint8Array, width: number): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length; at += width)
    found.push(Buffer.from(bytes.subarray(at, at + width)).toString('hex'));
  return found;
}
