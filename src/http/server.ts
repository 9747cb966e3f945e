/**
 * The listening side of HTTP: limits and time-outs on everything a client can send, answers to what is no HTTP,
 * and an orderly stop.
 *
 * Promises: a request head is at most HEAD_BYTES_MAX (more is answered 414, which makes Transmission send
 * smaller scrapes; Node would say 431) and whole within HEADERS_TIMEOUT_MS; a connection that goes wrong is
 * answered where that can't garble an answer under way, then closed, without cost to others. `drain` takes no
 * new connections, yet answers what kept connections still send, so that a proxy's request that was already on
 * its way is not lost.
 */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Counters } from '../stats/counters.ts';

/** Request line and header fields together; Heroku's router passes no longer line either. */
export const HEAD_BYTES_MAX = 8192;
export const HEADERS_TIMEOUT_MS = 10_000;
/** Head and body: 300,000 bans are 13 MB, and Heroku's router waits no longer either. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the proxy's own idle time (Heroku's router: about 90 s), so that the proxy closes first. */
export const IDLE_BEHIND_PROXY_MS = 95_000;
export const IDLE_DIRECT_MS = 15_000;
/** How long nothing may move on a connection with an answer under way: a client that reads nothing is cut. */
export const STALLED_TIMEOUT_MS = 60_000;
/** How long a refused connection may go on sending before it is cut: reading on lets the answer arrive. */
const REFUSED_LINGER_MS = 2_000;

export interface HttpServerOptions {
  readonly listener: RequestListener;
  /** How many proxies stand before the tracker; undefined when nobody said. */
  readonly trustProxy: number | undefined;
  readonly connectionsMax: number;
  readonly counters: Counters;
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly stalledTimeoutMs?: number;
}

export interface DrainOptions {
  /** How long kept connections without a request stay open for one that may be on its way. */
  readonly idleMs: number;
  /** When to cut whatever is left, counted from the start of the drain. */
  readonly msMax: number;
}

export class HttpServer {
  readonly #server: Server;
  readonly #counters: Counters;
  /** Open connections, with the answers under way on each. */
  readonly #connections = new Map<Duplex, Set<ServerResponse>>();
  readonly #refused = new WeakSet<Duplex>();
  #isDraining = false;
  #closesIdle = false;
  #drained: Promise<void> | undefined;

  constructor(options: HttpServerOptions) {
    const { listener, trustProxy, connectionsMax, counters } = options;
    const { headersTimeoutMs = HEADERS_TIMEOUT_MS, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
    this.#counters = counters;
    this.#server = createServer({
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      // Node looks every 30 s by default, which would make 40 s of a time-out of 10.
      connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs / 2),
      keepAliveTimeout: (trustProxy ?? 0) > 0 ? IDLE_BEHIND_PROXY_MS : IDLE_DIRECT_MS,
      noDelay: true,
    });
    this.#server.timeout = options.stalledTimeoutMs ?? STALLED_TIMEOUT_MS;
    this.#server.maxConnections = connectionsMax;
    this.#server.on('connection', (socket) => this.#accept(socket));
    this.#server.on('clientError', (error, socket) => this.#refuse(error, socket));
    this.#server.on('request', (request, response) => {
      this.#follow(request.socket, response);
      listener(request, response);
    });
  }

  /** Resolves with the address once it takes connections; rejects when it can't listen there. */
  listen(port: number, host: string): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Stops: no new connections; every answer from now on says `Connection: close`; idle connections are closed
   * after `idleMs`, all after `msMax`. Resolves when none is left. Calling it again changes nothing.
   */
  drain(options: DrainOptions): Promise<void> {
    this.#drained ??= this.#drain(options);
    return this.#drained;
  }

  async #drain({ idleMs, msMax }: DrainOptions): Promise<void> {
    this.#isDraining = true;
    for (const responses of this.#connections.values()) {
      for (const response of responses) closeAfter(response);
    }
    const gone = new Promise<void>((resolve) => {
      // http.Server's own close would cut idle connections at once, and stop looking at time-outs.
      NetServer.prototype.close.call(this.#server, () => resolve());
    });
    const idleTimer = setTimeout(() => {
      this.#closesIdle = true;
      this.#server.closeIdleConnections();
    }, idleMs);
    const endTimer = setTimeout(() => {
      for (const socket of this.#connections.keys()) socket.destroy();
    }, msMax);
    await gone;
    // The listener is done when the last handle is; the sockets say so themselves a little later.
    await Promise.all(
      [...this.#connections.keys()].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    clearTimeout(idleTimer);
    clearTimeout(endTimer);
    this.#server.close();
  }

  #accept(socket: Socket): void {
    this.#counters.connects += 1;
    this.#connections.set(socket, new Set());
    socket.once('close', () => this.#connections.delete(socket));
  }

  #follow(socket: Socket, response: ServerResponse): void {
    const responses = this.#connections.get(socket);
    responses?.add(response);
    if (this.#isDraining) closeAfter(response);
    response.once('close', () => {
      responses?.delete(response);
      if (this.#closesIdle) this.#server.closeIdleConnections();
    });
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
    if (last === undefined) endWith(status, socket);
    else last.once('close', () => endWith(status, socket));
  }
}

/** Answers with a status line's end, and reads on for a while: closing at once could cost the client the answer. */
function endWith(status: string, socket: Duplex): void {
  if (!socket.writable) return;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
  );
  const timer = setTimeout(() => socket.destroy(), REFUSED_LINGER_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.shouldKeepAlive = false;
}

/** The status line's end for an error of node:http's parser; undefined for one of the connection. */
function statusOf({ code }: NodeJS.ErrnoException): string | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return '414 URI Too Long';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return '408 Request Timeout';
  return code?.startsWith('HPE_') ? '400 Bad Request' : undefined;
}
