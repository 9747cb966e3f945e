/**
 * A proxy between trackers and their S3 service, over real TCP: it tells of each request when its head has come,
 * and does to it what the test decides: pass it on, now or later, answer in the service's place, break the
 * connection at a chosen place, or say nothing. It can be gone altogether, and its clock can be wrong.
 *
 * Promises that the service gets a put whole or not at all, also when its writer is killed half-way, and that
 * one that has come whole goes on to the service though its writer is dead, as on a real network.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request as requestOf, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Verb = 'put' | 'get' | 'list' | 'delete';

export type Fault =
  /** `onDone` is told when the service has answered, and delays what the tracker hears of it. */
  | { readonly kind: 'pass'; readonly onDone?: () => Promise<void> | void }
  /** An answer that the service never gave, with an S3 error code. */
  | { readonly kind: 'refuse'; readonly status: number; readonly code: string }
  /** Nothing is answered and the connection stays. The service hears nothing. */
  | { readonly kind: 'silent' }
  /** The connection breaks when the beginning of the request's body has come. The service hears nothing. */
  | { readonly kind: 'reset-request' }
  /** The service does as it was asked, and the connection breaks in place of the answer. */
  | { readonly kind: 'lose-answer' }
  /** The service does as it was asked, and the connection breaks in the middle of the answer's body. */
  | { readonly kind: 'reset-answer' };

export const PASS: Fault = { kind: 'pass' };
export const SILENT: Fault = { kind: 'silent' };

export function refuse(status: number, code: string): Fault {
  return { kind: 'refuse', status, code };
}

/** One request of a tracker. Times are of `performance.now()`, in milliseconds. */
export interface SeenRequest {
  readonly verb: Verb;
  /** Of the object, or what the listed keys begin with; below the prefix of the store. */
  readonly key: string;
  /** Of the request's body. */
  readonly bytes: number;
  readonly cameMs: number;
  /** When the service had answered well, whatever the tracker was told. */
  doneMs: number | undefined;
  /** Nothing more will become of it. */
  isOver: boolean;
}

export interface S3Proxy {
  /** Leads a tracker to the store by way of this proxy. */
  readonly environment: Readonly<Record<string, string>>;
  /** Requests so far, in the order in which they came. May be emptied. */
  readonly requests: SeenRequest[];
  /** What becomes of a request; asked once its head has come. What it waits for delays the request. */
  decide: (request: SeenRequest) => Fault | Promise<Fault>;
  /** Added to the Date of each answer. */
  clockShiftSeconds: number;
  /** Nobody listens any more, and all connections break. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

/** `service`: the variables that lead to the service itself. */
export async function startS3Proxy(service: Readonly<Record<string, string>>): Promise<S3Proxy> {
  const servicePort = Number(new URL(service.AWS_ENDPOINT_URL_S3!).port);
  const { hostname: bucket, pathname } = new URL(service.STORE_URL!);
  const prefix = pathname.slice(1);

  const server = createServer((incoming, outgoing) => void serve(incoming, outgoing));
  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    // Collected from the start, so that it comes whole though its sender dies while the test decides.
    const begun = new Promise<unknown>((resolve) => {
      incoming.once('data', resolve).once('close', () => resolve(undefined));
    });
    const body = collect(incoming);
    const seen = { ...parse(incoming), cameMs: performance.now(), doneMs: undefined, isOver: false };
    proxy.requests.push(seen);
    incoming.on('error', () => {});
    outgoing.on('error', () => {});
    try {
      await answer(seen, await proxy.decide(seen), { begun, body }, incoming, outgoing);
    } finally {
      seen.isOver = true;
    }
  }

  function parse(incoming: IncomingMessage): Pick<SeenRequest, 'verb' | 'key' | 'bytes'> {
    const url = new URL(incoming.url!, 'http://s3');
    const bytes = Number(incoming.headers['content-length'] ?? 0);
    const below = (path: string) => (path.startsWith(prefix) ? path.slice(prefix.length) : path);
    if (url.searchParams.has('list-type'))
      return { verb: 'list', key: below(url.searchParams.get('prefix') ?? ''), bytes };
    const verb = ({ PUT: 'put', GET: 'get', DELETE: 'delete' } as const)[incoming.method!];
    if (verb === undefined) throw new Error(`a tracker never asks for ${incoming.method} ${incoming.url}`);
    return { verb, key: below(decodeURIComponent(url.pathname).slice(`/${bucket}/`.length)), bytes };
  }

  async function answer(
    seen: SeenRequest,
    fault: Fault,
    { begun, body }: { readonly begun: Promise<unknown>; readonly body: Promise<Buffer | undefined> },
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<void> {
    if (fault.kind === 'silent') return;
    if (fault.kind === 'reset-request') {
      if (seen.bytes > 0) await begun;
      incoming.socket.resetAndDestroy();
      return;
    }
    const bytes = await body;
    if (fault.kind === 'refuse') {
      outgoing.writeHead(fault.status, { 'content-type': 'application/xml' });
      outgoing.end(
        `<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>told so</Message></Error>`,
      );
      return;
    }
    if (bytes === undefined) return;
    const reply = await forward(incoming, bytes);
    if (reply === undefined) {
      incoming.socket.resetAndDestroy();
      return;
    }
    const { head, content } = reply;
    if (head.statusCode! < 300) seen.doneMs = performance.now();
    if (fault.kind === 'pass') await fault.onDone?.();
    const headers = { ...head.headers };
    if (proxy.clockShiftSeconds !== 0 && headers.date !== undefined)
      headers.date = new Date(Date.parse(headers.date) + proxy.clockShiftSeconds * 1_000).toUTCString();
    if (fault.kind === 'lose-answer') incoming.socket.resetAndDestroy();
    else if (fault.kind === 'reset-answer') {
      outgoing.writeHead(head.statusCode!, { ...headers, 'content-length': content.length });
      outgoing.write(content.subarray(0, content.length >> 1), () => incoming.socket.resetAndDestroy());
    } else outgoing.writeHead(head.statusCode!, headers).end(content);
  }

  /** undefined: the service broke the connection. */
  async function forward(
    { method, url, headers }: IncomingMessage,
    body: Buffer,
  ): Promise<{ head: IncomingMessage; content: Buffer } | undefined> {
    const { expect: _expect, connection: _connection, ...rest } = headers;
    try {
      const upstream = requestOf({
        host: '127.0.0.1',
        port: servicePort,
        method: method!,
        path: url!,
        headers: rest,
        agent: false,
      });
      upstream.end(body);
      const [head] = (await once(upstream, 'response')) as [IncomingMessage];
      const content = await collect(head);
      return content && { head, content };
    } catch {
      return undefined;
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const goAway = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const proxy: S3Proxy = {
    environment: { ...service, AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` },
    requests: [],
    decide: () => PASS,
    clockShiftSeconds: 0,
    goAway,
    comeBack: () => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve)),
    async close() {
      if (server.listening) await goAway();
    },
  };
  return proxy;
}

/** undefined when the sender was gone before the end. */
function collect(message: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  message.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    message.once('end', () => resolve(Buffer.concat(chunks)));
    message.once('close', () => resolve(message.complete ? Buffer.concat(chunks) : undefined));
    message.once('error', () => resolve(undefined));
  });
}
