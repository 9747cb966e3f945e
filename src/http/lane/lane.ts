/**
 * The express lane: announces and scrapes in their usual form, nearly all the traffic of a tracker, are answered
 * straight from the socket. It is a short cut only: whatever is out of the ordinary is handed over, with its
 * unread bytes, to node:http behind it, which answers everything, announces and scrapes included, through the
 * same answers.ts. A connection that was handed over does not come back.
 *
 * One coarse clock looks after all connections (a timer for each would cost more than the answer), so a time-out
 * comes up to two of its ticks late.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { RequestHead } from '../../protocol/request-head.ts';
import type { MonotonicMs } from '../../slices.ts';
import type { Counters } from '../../stats/counters.ts';
import type { Answers } from '../answers.ts';
import { LaneConnection, type LaneWorks } from './lane-connection.ts';
import { LaneReplies } from './lane-replies.ts';
import { ReplyBuffer } from './reply-buffer.ts';

export interface LaneOptions {
  readonly answers: Answers;
  readonly counters: Counters;
  readonly scrapeHashesMax: number;
  /** Seconds since the epoch, now. */
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
  /** Clients are known by their sockets' addresses, not by what proxies say. */
  readonly asksSocketAddress: boolean;
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly stalledTimeoutMs: number;
  /** Takes what the lane does not: an http.Server that listens nowhere. */
  readonly behind: Server;
}

const TICK_MS_MAX = 1_000;
/** A turn in which one request alone has waited was calm, and waiting costs a little: so many then do not wait. */
const AT_ONCE_AFTER_ONE = 32;
/**
 * Something else took its turn before the answers did: a slice of a save, say, and then another will. So many are not
 * kept waiting after that.
 */
const AT_ONCE_WHEN_LATE = 1_024;
/** A little less than a slice takes. */
const LATE_MS = 0.8;
/** More would make the first wait for the last, and the heads that are kept for them many. */
const WAITING_MAX = 64;

export class Lane implements LaneWorks {
  head = new RequestHead();
  readonly out = new ReplyBuffer();
  readonly replies: LaneReplies;
  readonly counters: Counters;
  readonly nowSeconds: () => number;
  readonly headersTicks: number;
  readonly idleTicks: number;
  readonly stalledTicks: number;
  tick = 0;
  isDraining = false;
  closesIdle = false;

  readonly asksSocketAddress: boolean;
  readonly monotonicMs: MonotonicMs;

  readonly #behind: Server;
  readonly #connections = new Map<Socket, LaneConnection>();
  readonly #listeners: SocketListeners;
  /** Those with a head to answer in this turn of the event loop. */
  readonly #waiting: LaneConnection[] = [];
  #waitingSinceMs = 0;
  /** Of `counters.laneAnnounces`, those whose latency was recorded. */
  #recorded = 0;
  /** So many are answered without waiting before it is seen again whether several are ready in a turn. */
  #atOnce = 0;
  /** As many as ever had to wait at once, less those that do. */
  readonly #heads: RequestHead[] = [];
  readonly #tickMs: number;
  #clock: NodeJS.Timeout | undefined;

  constructor(options: LaneOptions) {
    const { counters, headersTimeoutMs, idleTimeoutMs, stalledTimeoutMs } = options;
    this.counters = counters;
    this.nowSeconds = options.nowSeconds;
    this.monotonicMs = options.monotonicMs;
    this.asksSocketAddress = options.asksSocketAddress;
    this.replies = new LaneReplies({ ...options, idleMs: idleTimeoutMs, out: this.out });
    this.#behind = options.behind;
    this.#tickMs = Math.min(TICK_MS_MAX, headersTimeoutMs / 2, stalledTimeoutMs / 2);
    const ticksOf = (ms: number): number => Math.ceil(ms / this.#tickMs) + 1;
    this.headersTicks = ticksOf(headersTimeoutMs);
    this.idleTicks = ticksOf(idleTimeoutMs);
    this.stalledTicks = ticksOf(stalledTimeoutMs);
    this.#listeners = listenersOf(this.#connections);
  }

  get sockets(): Iterable<Socket> {
    return this.#connections.keys();
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Starts the clock. */
  start(): void {
    // An http.Server looks after time-outs and idle connections from the moment that it listens.
    this.#behind.emit('listening');
    this.#clock = setInterval(() => this.#lookAround(), this.#tickMs);
    this.#clock.unref();
  }

  stop(): void {
    clearInterval(this.#clock);
  }

  /** A connection was accepted. */
  take(socket: Socket): void {
    const connection = new LaneConnection(socket, this);
    this.#connections.set(socket, connection);
    const { end, error, close } = this.#listeners;
    socket.on('data', connection.take).on('end', end).on('error', error).on('close', close);
  }

  /**
   * Each line is needed: the listeners must be gone before node:http puts its own, and its parser reads the handle
   * past the stream, so what was read already has to be put back first. Nothing has to start the stream: handed over
   * while it gives out data it is flowing, which taking its listener away does not change, and gives what was put back
   * to the new one before the handle is read again; handed over while the connection has paused it, the connection resumes it.
   */
  handOver(socket: Socket, unread: Buffer): void {
    if (socket.destroyed) return;
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    this.counters.laneHandovers += 1;
    this.#connections.delete(socket);
    const { end, error, close } = this.#listeners;
    socket.off('data', connection.take).off('end', end).off('error', error).off('close', close);
    socket.unshift(unread);
    this.#behind.emit('connection', socket);
  }

  isGathering(): boolean {
    if (this.#atOnce === 0) return true;
    this.#atOnce -= 1;
    return false;
  }

  soon(connection: LaneConnection): void {
    if (this.#waiting.push(connection) === 1) {
      this.#waitingSinceMs = this.monotonicMs();
      setImmediate(this.#answerWaiting);
    }
    this.head = this.#heads.pop() ?? new RequestHead();
    if (this.#waiting.length === WAITING_MAX) this.#answerWaiting();
  }

  takeBack(head: RequestHead): void {
    this.#heads.push(head);
  }

  recordLatency(readMs: number): void {
    const { laneAnnounces, announceLatency } = this.counters;
    if (laneAnnounces === this.#recorded) return;
    announceLatency.record((this.monotonicMs() - readMs) / 1_000, laneAnnounces - this.#recorded);
    this.#recorded = laneAnnounces;
  }

  /** From now on every answer is its connection's last. */
  drain(): void {
    this.isDraining = true;
  }

  /** Closes the connections that have no request under way, now and from now on. */
  closeIdle(): void {
    this.closesIdle = true;
    for (const connection of this.#connections.values()) if (connection.isIdle) connection.socket.destroy();
  }

  readonly #answerWaiting = (): void => {
    const waiting = this.#waiting;
    if (waiting.length === 0) return; // they were as many as wait, and have been answered
    const isLate = this.monotonicMs() - this.#waitingSinceMs > LATE_MS;
    for (let index = 0; index < waiting.length; index++) waiting[index].answer();
    this.recordLatency(this.#waitingSinceMs);
    if (isLate) this.#atOnce = AT_ONCE_WHEN_LATE;
    else if (waiting.length === 1) this.#atOnce = AT_ONCE_AFTER_ONE;
    waiting.length = 0;
  };

  #lookAround(): void {
    this.tick += 1;
    for (const connection of this.#connections.values()) {
      if (connection.dueTick <= this.tick) connection.expire();
    }
  }
}

interface SocketListeners {
  readonly end: (this: Socket) => void;
  readonly error: () => void;
  readonly close: (this: Socket) => void;
}

/** One set for all sockets: these come once in a connection's life, data again and again. */
function listenersOf(connections: Map<Socket, LaneConnection>): SocketListeners {
  return {
    end() {
      connections.get(this)?.takeEnd();
    },
    // A reset ends the connection like a close, which follows.
    error() {},
    close() {
      connections.delete(this);
    },
  };
}
