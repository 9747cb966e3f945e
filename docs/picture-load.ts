/**
 * A crowd for the pictures of the README: peers that come, announce again and again, complete, and go, with the clients
 * and address families that public trackers see. All of it is sent to a real tracker on this machine; what its pages then
 * show is what it counted. The crowd swells and ebbs every twenty minutes, so that the plots have something to show.
 */
import { Agent, get } from 'node:http';
import { Zipf } from '../src/cli/stress/zipf.ts';

/** Peer id prefixes, and roughly how often one meets them. */
const CLIENTS: readonly (readonly [prefix: string, weight: number])[] = [
  ['-qB4650-', 41],
  ['-TR4050-', 15],
  ['-UT3550-', 13],
  ['-lt0D80-', 7],
  ['-BI2500-', 5],
  ['-DE2110-', 5],
  ['-WW0102-', 4],
  ['-BT7a5S-', 4],
  ['-AZ5760-', 3],
  ['-KT5010-', 1],
  ['A2-1-37-', 1],
  ['-FD51W0-', 1],
];
const IPV6_SHARE = 0.28;
const SEEDER_SHARE = 0.6;
const SWARMS = 9_000;
const SWELL_SECONDS = 1_200;
/** Of requests that are no ordinary announce. */
const SCRAPE_SHARE = 0.06;
const MALFORMED_SHARE = 0.004;
const BANNED_SHARE = 0.006;
const GOODBYE_SHARE = 0.1;
const ZIPF_EXPONENT = 0.9;

export interface CrowdOptions {
  readonly origin: string;
  /** Requests a second, in the mean. */
  readonly perSecond: number;
  readonly peers: number;
  /** One that the tracker refuses, 40 hex digits. */
  readonly bannedHash: string;
  /** Uniform over 32 bits. */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Sends until the signal; requests that fail, because the tracker restarts, are passed over. */
export function startCrowd(options: CrowdOptions): void {
  const { origin, perSecond, peers, bannedHash, random, signal } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const zipf = new Zipf(SWARMS, ZIPF_EXPONENT);
  const swarmOf = Uint32Array.from({ length: peers }, () => zipf.draw(random));
  const clientOf = Array.from({ length: peers }, () => drawClient(random));
  const share = (): number => random() / 2 ** 32;
  const ticksPerSecond = 20;
  let ticks = 0;
  let owed = 0;

  const timer = setInterval(() => {
    const swell = Math.sin((2 * Math.PI * ticks++) / (SWELL_SECONDS * ticksPerSecond));
    owed += (perSecond / ticksPerSecond) * (1 + 0.35 * swell + 0.3 * (share() - 0.5));
    // The crowd's edge moves with it: who is beyond stops, who is within starts.
    const present = Math.floor(peers * (0.7 + 0.25 * swell));
    for (; owed >= 1; owed--) send(present);
  }, 1_000 / ticksPerSecond);
  signal.addEventListener('abort', () => {
    clearInterval(timer);
    agent.destroy();
  });

  function send(present: number): void {
    const peer = random() % peers;
    // Most who are gone have said so before, or never do.
    if (peer >= present && share() > GOODBYE_SHARE) return;
    const kind = share();
    if (kind < SCRAPE_SHARE) ask(`/scrape?info_hash=${escaped(hashOf(swarmOf[peer]!))}`, peer);
    else if (kind < SCRAPE_SHARE + MALFORMED_SHARE) ask('/announce?info_hash=short', peer);
    else if (kind < SCRAPE_SHARE + MALFORMED_SHARE + BANNED_SHARE) announce(bannedHash, peer, '');
    else announce(hashOf(swarmOf[peer]!), peer, peer < present ? drawEvent(peer) : '&event=stopped');
  }

  function announce(hash: string, peer: number, event: string): void {
    const left = isSeeder(peer) ? 0 : 1_048_576;
    ask(
      `/announce?info_hash=${escaped(hash)}&peer_id=${clientOf[peer]}${String(peer).padStart(12, '0')}` +
        `&port=${1_024 + (peer % 60_000)}&uploaded=0&downloaded=0&left=${left}&numwant=50&compact=1${event}`,
      peer,
    );
  }

  function ask(path: string, peer: number): void {
    const headers = { 'X-Forwarded-For': addressOf(peer) };
    get(`${origin}${path}`, { agent, headers }, (response) => response.resume()).on('error', () => {});
  }

  function drawEvent(peer: number): string {
    const drawn = share();
    if (drawn < 0.05) return '&event=started';
    return drawn < 0.06 && isSeeder(peer) ? '&event=completed' : '';
  }
}

function drawClient(random: () => number): string {
  const whole = CLIENTS.reduce((sum, [, weight]) => sum + weight, 0);
  let at = random() % whole;
  for (const [prefix, weight] of CLIENTS) {
    if (at < weight) return prefix;
    at -= weight;
  }
  return CLIENTS[0]![0];
}

function isSeeder(peer: number): boolean {
  return (Math.imul(peer, 0x9e3779b1) >>> 0) / 2 ** 32 < SEEDER_SHARE;
}

/** An address that belongs to one number: of 11.0.0.0/8, or of the range for documentation. */
function addressOf(peer: number): string {
  const isIpv6 = (Math.imul(peer, 0x85ebca6b) >>> 0) / 2 ** 32 < IPV6_SHARE;
  if (isIpv6) return `2001:db8:${(peer >>> 16).toString(16)}:${(peer & 0xffff).toString(16)}::1`;
  return `11.${(peer >>> 16) & 0xff}.${(peer >>> 8) & 0xff}.${peer & 0xff}`;
}

/** Forty hex digits that belong to one number. */
export function hashOf(swarm: number): string {
  let hash = '';
  for (let at = 0; at < 5; at++) {
    hash += (Math.imul(swarm + 1, 0x9e3779b1 + 2 * at) >>> 0).toString(16).padStart(8, '0');
  }
  return hash;
}

function escaped(hash: string): string {
  return hash.replace(/../g, '%$&');
}
