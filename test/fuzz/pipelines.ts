/**
 * Sends requests over real sockets, several on a connection without waiting for answers (RFC 9112 §9.3.2), then
 * shuts the sending side, so that every connection ends by itself whatever the requests were.
 */
import { connect } from 'node:net';

const CONNECTIONS_AT_ONCE = 32;
/** Statuses of requests that no HTTP parser takes, or takes no further. */
const UNPARSED = new Set([400, 408, 414, 431]);

export interface Answers {
  /** How many answers of each status there were. */
  readonly byStatus: ReadonlyMap<number, number>;
  /** Answers to requests that got past the HTTP parser. */
  readonly parsed: number;
}

/** Sends each pipeline on a connection of its own; resolves when the last connection is closed. */
export async function sendPipelines(
  port: number,
  pipelines: readonly (readonly Buffer[])[],
): Promise<Answers> {
  const byStatus = new Map<number, number>();
  let next = 0;
  const sender = async (number: number): Promise<void> => {
    for (let at = next++; at < pipelines.length; at = next++) {
      const answers = await exchange(port, `127.0.1.${number + 1}`, Buffer.concat(pipelines[at]!));
      for (const [, digits] of answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
        const status = Number(digits);
        byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
      }
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS_AT_ONCE }, (_, number) => sender(number)));
  const parsed = [...byStatus].filter(([status]) => status >= 200 && !UNPARSED.has(status));
  return { byStatus, parsed: parsed.reduce((sum, [, count]) => sum + count, 0) };
}

/** What comes back for the bytes, until the tracker closes or cuts the connection. */
export function exchange(port: number, from: string, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: '127.0.0.1', port, localAddress: from, allowHalfOpen: true });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => socket.destroy());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') reject(error); // else it was cut: 'close' follows
    });
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.end(bytes);
  });
}
