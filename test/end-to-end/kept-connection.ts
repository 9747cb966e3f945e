/** A connection that a client keeps, written to and read from by the byte. */
import { connect } from 'node:net';

export interface KeptConnection {
  write(text: string): void;
  /** The next whole answer: its head and as many bytes as its Content-Length says. Rejects when there is none. */
  answer(): Promise<{ readonly head: string; readonly body: string }>;
  /** Resolves when the tracker has closed it. */
  readonly closed: Promise<void>;
  destroy(): void;
}

export async function openConnection(port: number): Promise<KeptConnection> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  let look = () => {};
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
    look();
  });
  socket.on('error', () => {}); // a reset is a close too
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise((resolve) => socket.once('connect', resolve));
  return {
    write: (text) => void socket.write(text),
    answer: () =>
      new Promise((resolve, reject) => {
        look = () => {
          const headEnd = received.indexOf('\r\n\r\n') + 4;
          if (headEnd < 4) return;
          const head = received.slice(0, headEnd);
          const end = headEnd + Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? 0);
          if (received.length < end) return;
          const body = received.slice(headEnd, end);
          received = received.slice(end);
          look = () => {};
          resolve({ head, body });
        };
        look();
        closed.then(() => reject(new Error(`closed after ${JSON.stringify(received)}`)));
      }),
    closed,
    destroy: () => void socket.destroy(),
  };
}
