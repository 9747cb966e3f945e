/**
 * Announces on kept connections, one after the other on each, written into the ledger: when they are sent, and when
 * they are acknowledged. Peers start, look again, complete and stop; each belongs to one connection, so that
 * what it told comes in one order. Goes on as long as somebody answers: the tracker's end ends the load.
 */
import { connect, type Socket } from 'node:net';
import { type Reply, ReplyReader } from '../../src/cli/stress/stress-reply.ts';
import { formatAddress } from '../../src/protocol/address.ts';
import { announceQuery, escaped, peerIdOf, rawRequest } from '../builders/requests.ts';
import { type Deed, type Ledger, LedgerPeer, type LedgerSwarm, type PeerState } from './ledger.ts';

/** In one swarm on one connection; all of a swarm must fit into one reply of 1,000. */
const PEERS_MAX = 60;
const CONNECTIONS = 6;
const PAUSE_MS_MAX = 12;

export interface LoadOptions {
  readonly ledger: Ledger;
  /** Uniform 32-bit integers. */
  readonly random: () => number;
  /** Peers that nobody knows yet, and no others. */
  readonly isFreshOnly?: boolean;
}

/** Numbers peers through all loads of a run. */
export class Crowd {
  #next = 0;

  add(swarm: LedgerSwarm): LedgerPeer {
    const number = this.#next++;
    const peer = new LedgerPeer(number, Buffer.from(endpointOf(number)).toString('hex'));
    swarm.peers.set(peer.endpoint, peer);
    return peer;
  }
}

/** Every fourth has an IPv6 address. The ranges are for benchmarks and documentation. */
function endpointOf(number: number): Uint8Array {
  const port = 1_024 + (number % 50_000);
  const end = [(number >> 16) & 255, (number >> 8) & 255, number & 255];
  const address =
    number % 4 === 3
      ? [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...end]
      : [198, 18 + (end[0]! & 1), end[1]!, end[2]!];
  return Uint8Array.of(...address, port >> 8, port & 255);
}

export class Load {
  readonly #options: LoadOptions;
  readonly #crowd: Crowd;
  /** By connection and swarm, the peers that it may speak for. */
  readonly #own: LedgerPeer[][][] = [];
  #isEnding = false;
  acknowledged = 0;
  /** The longest that an announce has waited for its answer. */
  latestMs = 0;
  /** What a tracker must never answer. */
  readonly wrong: string[] = [];

  constructor(crowd: Crowd, options: LoadOptions) {
    this.#crowd = crowd;
    this.#options = options;
    for (let lane = 0; lane < CONNECTIONS; lane++)
      this.#own.push(
        options.ledger.swarms.map(({ peers }) =>
          options.isFreshOnly === true
            ? []
            : [...peers.values()].filter(
                (peer) =>
                  peer.number % CONNECTIONS === lane && !(peer.state === 'absent' && peer.hasCompleted),
              ),
        ),
      );
  }

  /** Announces until the tracker listens no more, or until `end`. */
  async run(port: number): Promise<void> {
    await Promise.all(this.#own.map((own) => this.#runLane(port, own)));
  }

  /** What is under way is waited for. */
  end(): void {
    this.#isEnding = true;
  }

  async #runLane(port: number, own: LedgerPeer[][]): Promise<void> {
    while (!this.#isEnding) if (!(await this.#runConnection(port, own))) return;
  }

  /** False when the connection could not be made. */
  #runConnection(port: number, own: LedgerPeer[][]): Promise<boolean> {
    return new Promise((resolve) => {
      let deed: Deed<PeerState> | undefined;
      let isConnected = false;
      let sentMs = 0;
      const heard = (): void => {
        if (deed !== undefined) this.latestMs = Math.max(this.latestMs, performance.now() - sentMs);
      };
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const reader = new ReplyReader((reply) => {
        heard();
        this.#heard(reply, deed);
        deed = undefined;
        if (reply.isLast || this.#isEnding) socket.end();
        else setTimeout(next, this.#below(PAUSE_MS_MAX));
      });
      const next = (): void => {
        if (socket.destroyed || !socket.writable) return;
        sentMs = performance.now();
        if (this.#isEnding) socket.end();
        else deed = this.#send(socket, own);
      };
      socket.on('connect', () => {
        isConnected = true;
        next();
      });
      socket.on('data', (chunk) => reader.push(chunk));
      socket.on('error', () => {}); // a crash is what this is about
      socket.on('close', () => {
        heard();
        resolve(isConnected);
      });
    });
  }

  #heard({ status, isRefusal, body }: Reply, deed: Deed<PeerState> | undefined): void {
    if (status !== 200 || isRefusal || deed === undefined) {
      this.wrong.push(`status ${status}: ${body.toString('latin1').slice(0, 100)}`);
      return;
    }
    deed.ackedMs = performance.now();
    this.acknowledged += 1;
  }

  #send(socket: Socket, own: LedgerPeer[][]): Deed<PeerState> {
    const place = this.#below(own.length);
    const peers = own[place]!;
    const swarm = this.#options.ledger.swarms[place]!;
    const isNew = peers.length === 0 || (peers.length < PEERS_MAX && this.#below(3) === 0);
    const index = isNew ? peers.length : this.#below(peers.length);
    const peer = isNew ? this.#crowd.add(swarm) : peers[index]!;
    if (isNew) peers.push(peer);

    const [state, event] = this.#deedOf(peer);
    if (event === 'completed') peer.hasCompleted = true;
    // Who has completed and stops does not come back.
    if (state === 'absent' && peer.hasCompleted) peers.splice(index, 1);
    const deed = peer.send(state, event === 'completed');
    const { target, headers } = announceOf(swarm, peer, state, event);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    socket.write(rawRequest(target, lines));
    return deed;
  }

  #deedOf(peer: LedgerPeer): readonly [PeerState, string | undefined] {
    const chance = this.#below(10);
    if (peer.state === 'absent') return [chance < 7 ? 'leecher' : 'seeder', 'started'];
    if (chance < 3) return ['absent', 'stopped'];
    if (peer.state === 'leecher' && chance < 7 && !peer.hasCompleted) return ['seeder', 'completed'];
    return [peer.state, undefined];
  }

  #below(end: number): number {
    return this.#options.random() % end;
  }
}

/** A request for a tracker that trusts one proxy. */
export function announceOf(
  { infoHash }: LedgerSwarm,
  { number, endpoint }: LedgerPeer,
  state: PeerState,
  event: string | undefined,
): { readonly target: string; readonly headers: Readonly<Record<string, string>> } {
  const bytes = Buffer.from(endpoint, 'hex');
  const query = announceQuery({
    info_hash: escaped(infoHash),
    peer_id: peerIdOf(number),
    port: bytes.readUInt16BE(bytes.length - 2),
    left: state === 'leecher' ? 1_000 : 0,
    event,
    numwant: 20,
  });
  const address = formatAddress(bytes.subarray(0, -2));
  return { target: `/announce?${query}`, headers: { 'X-Forwarded-For': address } };
}
