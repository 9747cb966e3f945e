/**
 * One connection of the express lane, from its first byte until it is closed or handed over. Chunks of bytes
 * come in; the whole heads in them are answered with one write; a head that has only begun is held until the
 * rest comes; the first byte out of the ordinary hands the connection over, with all that is unread.
 *
 *   reading ── the kernel does not take the replies ──► stalled ── it has ──► reading
 *      │ └── handed over to node:http                      │
 *      └──── an answer said close, the client is done ─────┴──► closing ──► closed
 *
 * While the lane is busy, a chunk that is one whole head, which needs nobody else, waits until the event loop has read
 * what else is ready; then all are answered one after the other. Between two reads by the kernel the processor's caches
 * forget the tracker's code, and fetching it anew costs as much as running it.
 *
 * A stalled connection reads nothing, so it ties up one reply buffer and one chunk. The lane's coarse clock looks
 * at `dueTick` and calls `expire`; there is no timer here.
 */
import type { Socket } from 'node:net';
import { Recognised, type RequestHead } from '../../protocol/request-head.ts';
import type { MonotonicMs } from '../../slices.ts';
import type { Counters } from '../../stats/counters.ts';
import { remoteAddressOf } from '../client-address.ts';
import { type RefusalStatus, refuse } from '../refusal.ts';
import type { LaneReplies } from './lane-replies.ts';
import type { ReplyBuffer } from './reply-buffer.ts';

/** What all connections of a lane share. */
export interface LaneWorks {
  /** The one to read with; another takes its place when what it has read has to wait. */
  readonly head: RequestHead;
  readonly replies: LaneReplies;
  readonly out: ReplyBuffer;
  readonly counters: Counters;
  /** Seconds since the epoch, now. */
  readonly nowSeconds: () => number;
  readonly asksSocketAddress: boolean;
  readonly headersTicks: number;
  readonly idleTicks: number;
  readonly stalledTicks: number;
  /** The coarse clock. */
  readonly tick: number;
  /** Every answer is its connection's last. */
  readonly isDraining: boolean;
  /** Nobody is waited for who has nothing under way. */
  readonly closesIdle: boolean;
  handOver(socket: Socket, unread: Buffer): void;
  readonly monotonicMs: MonotonicMs;
  /** Every announce that was read since `readMs`, of `monotonicMs`, has been answered. */
  recordLatency(readMs: number): void;
  /** Whether what is read now had better wait for what else is ready. */
  isGathering(): boolean;
  /**
   * Has `answer` called in this turn of the event loop, when all that is ready has been read. Gives `head` into the
   * connection's hands until `takeBack`.
   */
  soon(connection: LaneConnection): void;
  takeBack(head: RequestHead): void;
}

type State = 'reading' | 'stalled' | 'closing';

/** A head that comes in more pieces is left to node:http, whose parser goes on where it stopped. */
const PIECES_MAX = 16;
const NOTHING: Buffer = Buffer.alloc(0);

export class LaneConnection {
  readonly socket: Socket;
  /** The client has sent these bytes: the socket's listener, so that none has to look up whose they are. */
  readonly take: (chunk: Buffer) => void;
  /** When `expire` is due, on the lane's clock. */
  dueTick: number;
  readonly #works: LaneWorks;
  #state: State = 'reading';
  #hasAnswered = false;
  /** What was read and not yet answered: the beginning of a head, or what came behind a stalled reply. */
  #held = NOTHING;
  #pieces = 0;
  /** A whole head, read in this turn of the event loop and not yet answered. */
  #waiting: Buffer | undefined;
  #waitingHead: RequestHead | undefined;
  #address: Uint8Array | undefined;

  constructor(socket: Socket, works: LaneWorks) {
    this.socket = socket;
    this.take = (chunk) => {
      const { head } = works;
      if (
        works.isGathering() &&
        this.isIdle &&
        head.read(chunk, 0, chunk.length) === Recognised.whole &&
        head.end === chunk.length
      ) {
        this.#waiting = chunk;
        this.#waitingHead = head;
        // The kernel forgets it when the client resets before its turn comes.
        if (works.asksSocketAddress) void this.address;
        works.soon(this);
      } else {
        this.answer();
        this.#take(chunk);
      }
    };
    this.#works = works;
    this.dueTick = works.tick + works.headersTicks;
  }

  /** Of the other end: asked of the kernel once. */
  get address(): Uint8Array | undefined {
    this.#address ??= remoteAddressOf(this.socket);
    return this.#address;
  }

  /** Between two requests, or before the first. */
  get isIdle(): boolean {
    return this.#state === 'reading' && this.#held.length === 0 && this.#waiting === undefined;
  }

  /** Answers the head that waits for it, if one does. */
  answer(): void {
    const { socket } = this;
    const chunk = this.#waiting;
    const head = this.#waitingHead;
    if (chunk === undefined || head === undefined) return;
    this.#waiting = undefined;
    this.#waitingHead = undefined;
    const { replies, out, isDraining, nowSeconds } = this.#works;
    const keeps = head.keepsAlive && !isDraining;
    replies.add(head, chunk, this, keeps, nowSeconds());
    this.#works.takeBack(head);
    this.#hasAnswered = true;
    out.flush(socket);
    if (!keeps) this.#close();
    else if (socket.writableLength > 0) this.#stall(NOTHING);
    else this.#wait();
  }

  #take(chunk: Buffer): void {
    if (this.#state === 'closing') return; // it was told that nothing more will be answered
    if (this.#state === 'stalled') {
      this.#held = Buffer.concat([this.#held, chunk]);
      return;
    }
    this.#read(this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]));
  }

  /** The client has said that it will send no more; its answers have all been sent. */
  takeEnd(): void {
    this.answer();
    if (this.#state === 'closing') return;
    if (this.#held.length > 0) this.#refuse('400 Bad Request');
    else this.#close();
  }

  /** The time is up for whatever the connection was waiting for. */
  expire(): void {
    if (this.#waiting !== undefined) return;
    const waitsForHead = this.#state === 'reading' && (this.#held.length > 0 || !this.#hasAnswered);
    if (waitsForHead) this.#refuse('408 Request Timeout');
    else this.socket.destroy();
  }

  #read(bytes: Buffer): void {
    const { head, replies, out, isDraining } = this.#works;
    const readMs = this.#works.monotonicMs();
    const { socket } = this;
    let at = 0;
    let recognised: Recognised = Recognised.begun;
    let keeps = true;
    const now = this.#works.nowSeconds();
    // Replies that filled the buffer have been sent: it goes on when the kernel has taken them.
    while (at < bytes.length && keeps && socket.writableLength === 0) {
      recognised = head.read(bytes, at, bytes.length);
      if (recognised !== Recognised.whole) break;
      keeps = head.keepsAlive && !isDraining;
      replies.add(head, bytes, this, keeps, now);
      at = head.end;
      this.#hasAnswered = true;
      this.#pieces = 0;
    }
    out.flush(socket);
    this.#works.recordLatency(readMs);
    if (!keeps) this.#close();
    else if (socket.writableLength > 0) this.#stall(bytes.subarray(at));
    else if (at === bytes.length) this.#wait();
    else if (recognised === Recognised.begun && this.#pieces < PIECES_MAX) this.#hold(bytes, at);
    else this.#works.handOver(socket, bytes.subarray(at));
  }

  /** All is answered. */
  #wait(): void {
    this.#held = NOTHING;
    this.dueTick = this.#works.tick + this.#works.idleTicks;
    if (this.#works.closesIdle) this.#close();
  }

  /** A head has begun at `at`. */
  #hold(bytes: Buffer, at: number): void {
    if (this.#pieces === 0) this.dueTick = this.#works.tick + this.#works.headersTicks;
    this.#pieces += 1;
    // In memory of its own, for it may stand at the end of a long chunk.
    this.#held = at === 0 ? bytes : Buffer.from(bytes.subarray(at));
  }

  /** Reads nothing more until the kernel has taken the replies. */
  #stall(unread: Buffer): void {
    this.#state = 'stalled';
    this.#held = unread;
    this.socket.pause();
    this.#whenTaken(() => this.#goOn());
  }

  #goOn(): void {
    this.#state = 'reading';
    const unread = this.#held;
    this.#held = NOTHING;
    if (unread.length > 0) this.#read(unread);
    else this.#wait();
    // Also for node:http, when that has been given the connection meanwhile: it starts no stream that was paused.
    if (this.#state === 'reading') this.socket.resume();
  }

  /** Once all replies are the kernel's: a connection that it closes loses none of them. */
  #close(): void {
    this.#state = 'closing';
    this.#held = NOTHING;
    if (this.socket.writableLength === 0) this.socket.destroy();
    else this.#whenTaken(() => this.socket.destroy());
  }

  #whenTaken(then: () => void): void {
    this.dueTick = this.#works.tick + this.#works.stalledTicks;
    // An empty write is done when those before it are.
    this.socket.write(NOTHING, (error) => {
      if (!error && !this.socket.destroyed) then();
    });
  }

  #refuse(status: RefusalStatus): void {
    this.#state = 'closing';
    this.#held = NOTHING;
    this.dueTick = this.#works.tick + this.#works.stalledTicks;
    this.#works.counters.hits += 1;
    this.#works.counters.errorsClient += 1;
    refuse(status, this.socket);
  }
}
