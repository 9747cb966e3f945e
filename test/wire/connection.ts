/** A client of raw bytes: what it sends is sent as it is, what comes back is kept byte for byte. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface WireResponse {
  readonly statusLine: string;
  readonly status: number;
  /** Names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface ConnectionOptions {
  readonly host?: string;
  /** The address to connect from: all of 127/8 is ours on Linux. */
  readonly from?: string | undefined;
}

export class Connection implements Disposable {
  readonly socket: Socket;
  /** Resolves when both sides have closed, however that came about. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #isEnded = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake();
    });
    // A reset ends the connection like a FIN; what came before it counts.
    socket.on('error', () => this.#wake());
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#isEnded = true;
        this.#wake();
      });
    }
  }

  static async open(port: number, options: ConnectionOptions = {}): Promise<Connection> {
    const { host = '127.0.0.1', from } = options;
    const socket = connect({ port, host, ...(from === undefined ? {} : { localAddress: from }) });
    await once(socket, 'connect');
    return new Connection(socket);
  }

  send(bytes: Uint8Array | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Everything received and not yet taken as a response. */
  get received(): Buffer {
    return this.#received;
  }

  /** The next response; undefined when the server closed without one. */
  async response({ hasBody = true } = {}): Promise<WireResponse | undefined> {
    const headEnd = await this.#find('\r\n\r\n');
    if (headEnd < 0) return undefined;
    const [statusLine, ...lines] = this.#received.subarray(0, headEnd).toString('latin1').split('\r\n');
    const fields = new Map(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    const bodyStart = headEnd + 4;
    const length = hasBody ? Number(fields.get('content-length') ?? 0) : 0;
    while (this.#received.length < bodyStart + length && !this.#isEnded) await this.#more();
    const body = this.#received.subarray(bodyStart, bodyStart + length);
    this.#received = this.#received.subarray(bodyStart + length);
    return { statusLine: statusLine!, status: Number(statusLine!.split(' ')[1]), fields, body };
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  async #find(text: string): Promise<number> {
    for (;;) {
      const at = this.#received.indexOf(text);
      if (at >= 0 || this.#isEnded) return at;
      await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Sends the bytes over a connection of their own and gives the first response. */
export async function exchange(
  port: number,
  bytes: Uint8Array | string,
  options: ConnectionOptions = {},
): Promise<WireResponse> {
  using connection = await Connection.open(port, options);
  connection.send(bytes);
  const response = await connection.response();
  if (response === undefined) throw new Error('the server closed without an answer');
  return response;
}
