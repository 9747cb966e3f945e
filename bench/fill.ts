/**
 * Many requests as fast as the server takes them: pipelined over a few kept connections, or each on a connection of
 * its own. Every reply is looked at: a refusal, an error or a lost connection ends it.
 */
import { connect, type Socket } from 'node:net';
import { type Reply, ReplyReader } from '../src/cli/stress/stress-reply.ts';

export interface FillOptions {
  readonly port: number;
  readonly requests: number;
  /** The whole head of request `n`. */
  readonly request: (n: number) => string;
  readonly isFresh?: boolean;
  readonly msMax: number;
  readonly onProgress?: (answered: number) => void;
}

const CONNECTIONS = 8;
/** Requests under way on one kept connection. */
const DEPTH = 64;

export async function fill(options: FillOptions): Promise<void> {
  const { port, requests, request, isFresh = false, msMax, onProgress } = options;
  const depth = isFresh ? 1 : DEPTH;
  let next = 0;
  let answered = 0;
  const sockets = new Set<Socket>();

  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => fail(`${answered} of ${requests} answered after ${msMax / 1000} s`),
      msMax,
    );
    function fail(why: string): void {
      conclude();
      reject(new Error(why));
    }
    function conclude(): void {
      clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
    }
    function open(): void {
      if (next >= requests) return;
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      sockets.add(socket);
      let underWay = 0;
      const send = (): void => {
        if (underWay > depth / 2) return;
        let batch = '';
        for (; underWay < depth && next < requests && !(isFresh && batch !== ''); underWay++)
          batch += request(next++);
        if (batch !== '') socket.write(batch, 'latin1');
      };
      const reader = new ReplyReader((reply) => {
        underWay -= 1;
        answered += 1;
        const wrong = wrongWith(reply);
        if (wrong !== undefined) fail(wrong);
        if (onProgress !== undefined && answered % 100_000 === 0) onProgress(answered);
        if (isFresh) socket.destroy();
        if (answered === requests) {
          conclude();
          resolve();
        }
      });
      socket.on('data', (chunk) => {
        if (!reader.push(chunk)) fail('the server does not speak HTTP');
        if (!isFresh) send();
      });
      socket.on('error', (error) => fail(error.message));
      socket.on('close', () => {
        sockets.delete(socket);
        if (underWay > 0 && answered < requests)
          fail('the server closed a connection with requests under way');
        else if (isFresh) open();
      });
      send();
    }
    for (let connection = 0; connection < CONNECTIONS; connection++) open();
  });
}

/** One request, on a connection of its own. */
export function ask(port: number, request: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const reader = new ReplyReader((reply) => {
      resolve(reply);
      socket.destroy();
    });
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => reader.push(chunk));
    socket.on('end', () => reader.end());
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection was closed without an answer')));
    socket.write(request, 'latin1');
  });
}

export async function getJson(port: number, path: string): Promise<Record<string, unknown>> {
  const { status, body } = await ask(
    port,
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
  );
  if (status !== 200) throw new Error(`${path}: status ${status}`);
  return JSON.parse(body.toString());
}

export function wrongWith(reply: Reply): string | undefined {
  if (reply.status !== 200) return `status ${reply.status}`;
  return reply.isRefusal ? `refused: ${reply.body.toString('latin1').slice(0, 200)}` : undefined;
}
