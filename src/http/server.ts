/**
 * The listening side of HTTP: limits and time-outs on everything a client can send, answers to what is no HTTP,
 * and an orderly stop. With the express lane, the lane takes every connection first and this server those that
 * it hands over; without it, all.
 *
 * Promises: a request head is at most HEAD_BYTES_MAX (more is answered 414, which makes Transmission send
 * smaller scrapes; Node would say 431) and whole within HEADERS_TIMEOUT_MS; a connection that goes wrong is
 * answered where that can't garble an answer under way, then closed, without cost to others. `drain` takes no
 * new connections, yet answers what kept connections still send, so that a proxy's request that was already on
 * its way is not lost. After an answer that says `Connection: close` nothing more is taken from a connection
 * (RFC 9112 §9.6), and every answer after a handover says so: a proxy's connection would otherwise stay out of
 * the lane for good.
 */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HEAD_BYTES_MAX } from '../protocol/request-head.ts';
import type { MonotonicMs } from '../slices.ts';
import type { Counters } from '../stats/counters.ts';
import type { Answers } from './answers.ts';
import { Lane } from './lane/lane.ts';
import { sendBytes } from './plain-reply.ts';
import { type RefusalStatus, refuse } from './refusal.ts';

const HEADERS_TIMEOUT_MS = 10_000;
/** Head and body: 300,000 bans are 13 MB, and Heroku's router waits no longer either. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the proxy's own idle time (Heroku's router: about 90 s), so that the proxy closes first. */
export const IDLE_BEHIND_PROXY_MS = 95_000;
const IDLE_DIRECT_MS = 15_000;
/** How long nothing may move on a connection with an answer under way: a client that reads nothing is cut. */
const STALLED_TIMEOUT_MS = 60_000;

export interface HttpServerOptions {
  readonly listener: RequestListener;
  /** What the express lane answers with; undefined without a lane. */
  readonly lane?: LaneParts | undefined;
  /** How many proxies stand before the tracker; undefined when nobody said. */
  readonly trustProxy: number | undefined;
  readonly connectionsMax: number;
  readonly counters: Counters;
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly stalledTimeoutMs?: number;
}

export interface LaneParts {
  readonly answers: Answers;
  readonly scrapeHashesMax: number;
  /** Seconds since the epoch, now. */
  readonly nowSeconds: () => number;
  readonly monotonicMs: MonotonicMs;
}

export interface DrainOptions {
  /** How long kept connections without a request stay open for one that may be on its way. */
  readonly idleMs: number;
  /** When to cut whatever is left, counted from the start of the drain. */
  readonly msMax: number;
}

export class HttpServer {
  /** Answers by Express. Listens itself only when there is no lane. */
  readonly #server: Server;
  readonly #lane: Lane | undefined;
  readonly #listener: NetServer;
  readonly #counters: Counters;
  /** Open connections of `#server`, with the answers under way on each. */
  readonly #connections = new Map<Duplex, Set<ServerResponse>>();
  /** Those of which an answer says that it is the last. */
  readonly #closing = new WeakSet<Duplex>();
  readonly #refused = new WeakSet<Duplex>();
  #isDraining = false;
  #closesIdle = false;
  #drained: Promise<void> | undefined;

  constructor(options: HttpServerOptions) {
    const { trustProxy, connectionsMax, counters } = options;
    const timeouts = {
      headersTimeoutMs: options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
      stalledTimeoutMs: options.stalledTimeoutMs ?? STALLED_TIMEOUT_MS,
      idleTimeoutMs: options.idleTimeoutMs ?? ((trustProxy ?? 0) > 0 ? IDLE_BEHIND_PROXY_MS : IDLE_DIRECT_MS),
    };
    this.#counters = counters;
    this.#server = createServer({
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: timeouts.headersTimeoutMs,
      requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      // Node looks every 30 s by default, which would make 40 s of a time-out of 10.
      connectionsCheckingInterval: Math.min(1_000, timeouts.headersTimeoutMs / 2),
      keepAliveTimeout: timeouts.idleTimeoutMs,
      noDelay: true,
      // Node's own refusal would go on with the requests behind it.
      requireHostHeader: false,
    });
    this.#server.timeout = timeouts.stalledTimeoutMs;
    // Else an answer under way to a client that has shut its sending side is lost.
    Object.assign(this.#server, { httpAllowHalfOpen: true });
    this.#server.on('connection', (socket) => this.#track(socket));
    this.#server.on('clientError', (error, socket) => this.#refuse(error, socket));
    this.#server.on('request', (request, response) => {
      if (!this.#follow(request.socket, response)) return;
      // RFC 9112 §3.2
      if (request.httpVersion === '1.1' && request.headers.host === undefined)
        this.#refuseRequest(response, 400);
      else options.listener(request, response);
    });
    // Node's own refusal of an Expect would keep the connection.
    this.#server.on('checkExpectation', (request, response) => {
      if (this.#follow(request.socket, response)) this.#refuseRequest(response, 417);
    });

    this.#lane =
      options.lane &&
      new Lane({
        ...options.lane,
        ...timeouts,
        counters,
        asksSocketAddress: (trustProxy ?? 0) === 0,
        behind: this.#server,
      });
    this.#listener =
      this.#lane === undefined ? this.#server : new NetServer({ allowHalfOpen: true, noDelay: true });
    this.#listener.maxConnections = connectionsMax;
    this.#listener.on('connection', (socket) => {
      counters.connects += 1;
      this.#lane?.take(socket);
    });
  }

  /** Resolves with the address once it takes connections; rejects when it can't listen there, and may be called again. */
  listen(port: number, host: string): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => {
        this.#listener.off('listening', onListening);
        reject(error);
      };
      const onListening = (): void => {
        this.#listener.off('error', onError);
        this.#lane?.start();
        resolve(this.#listener.address() as AddressInfo);
      };
      this.#listener.once('error', onError).once('listening', onListening).listen(port, host);
    });
  }

  get connections(): number {
    return this.#connections.size + (this.#lane?.connections ?? 0);
  }

  /**
   * Stops: no new connections; every answer from now on says `Connection: close`; idle connections are closed
   * after `idleMs`, all after `msMax`. Resolves when none is left. Calling it again changes nothing, but that with an
   * `msMax` of 0 all are closed at once.
   */
  drain(options: DrainOptions): Promise<void> {
    if (this.#drained !== undefined && options.msMax === 0) {
      for (const socket of this.#sockets()) socket.destroy();
    }
    this.#drained ??= this.#drain(options);
    return this.#drained;
  }

  async #drain({ idleMs, msMax }: DrainOptions): Promise<void> {
    this.#isDraining = true;
    this.#lane?.drain();
    for (const [socket, responses] of this.#connections) {
      const last = [...responses].at(-1);
      if (last !== undefined) this.#closeAfter(socket, last);
    }
    const gone = new Promise<void>((resolve) => {
      // http.Server's own close would cut idle connections at once, and stop looking at time-outs.
      NetServer.prototype.close.call(this.#listener, () => resolve());
    });
    const idleTimer = setTimeout(() => {
      this.#closesIdle = true;
      this.#lane?.closeIdle();
      this.#server.closeIdleConnections();
    }, idleMs);
    const endTimer = setTimeout(() => {
      for (const socket of this.#sockets()) socket.destroy();
    }, msMax);
    await gone;
    // The listener is done when the last handle is; the sockets say so themselves a little later.
    await Promise.all(
      this.#sockets().map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    clearTimeout(idleTimer);
    clearTimeout(endTimer);
    this.#lane?.stop();
    this.#server.close();
  }

  #sockets(): Duplex[] {
    return [...this.#connections.keys(), ...(this.#lane?.sockets ?? [])];
  }

  #track(socket: Socket): void {
    this.#connections.set(socket, new Set());
    socket.once('close', () => this.#connections.delete(socket));
  }

  /** Whether the request may be answered: after the last answer of a connection none is. */
  #follow(socket: Socket, response: ServerResponse): boolean {
    if (this.#closing.has(socket)) return false;
    const responses = this.#connections.get(socket);
    responses?.add(response);
    if (this.#isDraining || this.#lane !== undefined) this.#closeAfter(socket, response);
    response.once('close', () => {
      responses?.delete(response);
      if (this.#closesIdle) this.#server.closeIdleConnections();
    });
    return true;
  }

  #closeAfter(socket: Duplex, response: ServerResponse): void {
    if (response.headersSent) return;
    response.shouldKeepAlive = false;
    this.#closing.add(socket);
  }

  /** For what is wrong with HTTP itself. */
  #refuseRequest(response: ServerResponse, status: number): void {
    this.#counters.hits += 1;
    this.#counters.errorsClient += 1;
    this.#closeAfter(response.req.socket, response);
    sendBytes(response, status, new Uint8Array(0));
  }

  /** What node:http could not parse, or was not given in time. */
  #refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    // Bytes after a request that said `Connection: close`: its answer ends the connection.
    if (error.code === 'HPE_CLOSED_CONNECTION' || this.#refused.has(socket)) return;
    this.#refused.add(socket);
    const status = statusOf(error);
    const responses = [...(this.#connections.get(socket) ?? [])];
    if (status === undefined || responses.some((response) => !response.writableEnded)) {
      socket.destroy();
      return;
    }
    this.#counters.hits += 1;
    this.#counters.errorsClient += 1;
    const last = responses.at(-1);
    if (last === undefined) refuse(status, socket);
    else last.once('close', () => refuse(status, socket));
  }
}

/** The status line's end for an error of node:http's parser; undefined for one of the connection. */
function statusOf({ code }: NodeJS.ErrnoException): RefusalStatus | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return '414 URI Too Long';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return '408 Request Timeout';
  return code?.startsWith('HPE_') ? '400 Bad Request' : undefined;
}
