/** The last words to a client whose bytes were no HTTP, too many, or did not come in time. */
import type { Duplex } from 'node:stream';

/** The status line's end of a refusal. */
export type RefusalStatus = '400 Bad Request' | '408 Request Timeout' | '414 URI Too Long';

/** How long a refused connection may go on sending before it is cut: reading on lets the answer arrive. */
const REFUSED_LINGER_MS = 2_000;

/** Answers with the status, and reads on for a while: closing at once could cost the client the answer. */
export function refuse(status: RefusalStatus, socket: Duplex): void {
  if (!socket.writable) return;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
  );
  const timer = setTimeout(() => socket.destroy(), REFUSED_LINGER_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
}
