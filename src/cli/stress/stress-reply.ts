/**
 * Reads HTTP/1.1 replies off one connection, as far as a load needs them: where each ends, its status, and whether
 * its body is a tracker's refusal. Bodies by Content-Length, chunked, or until the connection ends (RFC 9112 §6.3).
 * Promises to look at each reply once and to hold no more than the one that is under way.
 */

export interface Reply {
  readonly status: number;
  /** A bencoded `failure reason`: the tracker answered, and the answer is no. */
  readonly isRefusal: boolean;
  /** The server will send nothing more on this connection. */
  readonly isLast: boolean;
  readonly body: Buffer;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');
const REFUSAL = Buffer.from('d14:failure reason');
const REPLY_BYTES_MAX = 64 * 2 ** 20;
const NOTHING: Buffer = Buffer.alloc(0);

export class ReplyReader {
  readonly #onReply: (reply: Reply) => void;
  #unread: Buffer = NOTHING;
  /** The status of a reply whose body ends with the connection; 0 when there is none. */
  #openStatus = 0;

  constructor(onReply: (reply: Reply) => void) {
    this.#onReply = onReply;
  }

  /** Takes what arrived. False when it is no HTTP or too long: the connection is worth nothing any more. */
  push(chunk: Buffer): boolean {
    let bytes = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    while (bytes.length > 0 && this.#openStatus === 0) {
      const headEnd = bytes.indexOf(HEAD_END);
      if (headEnd < 0) break;
      const head = bytes.toString('latin1', 0, headEnd + 2);
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1];
      if (status === undefined) return false;
      const bodyStart = headEnd + HEAD_END.length;
      const replyEnd = this.#read(Number(status), head, bytes, bodyStart);
      if (replyEnd < 0) break;
      bytes = bytes.subarray(replyEnd);
    }
    this.#unread = bytes;
    return bytes.length <= REPLY_BYTES_MAX;
  }

  /** The connection ended, which may be the end of a reply. */
  end(): void {
    if (this.#openStatus === 0) return;
    const status = this.#openStatus;
    this.#openStatus = 0;
    this.#tell(status, this.#unread, true);
  }

  /** Where the reply ends in the bytes, or -1 while it has not arrived whole. */
  #read(status: number, head: string, bytes: Buffer, bodyStart: number): number {
    if (status < 200) return bodyStart;
    const isLast = /\r\nconnection: *close\r\n/i.test(head);
    const length = /\r\ncontent-length: *(\d+) *\r\n/i.exec(head)?.[1];
    if (length !== undefined || status === 204 || status === 304) {
      const end = bodyStart + Number(length ?? 0);
      if (end > bytes.length) return -1;
      this.#tell(status, bytes.subarray(bodyStart, end), isLast);
      return end;
    }
    if (/\r\ntransfer-encoding: *chunked *\r\n/i.test(head)) {
      const whole = chunkedBody(bytes, bodyStart);
      if (whole === undefined) return -1;
      this.#tell(status, whole.body, isLast);
      return whole.end;
    }
    this.#openStatus = status;
    return bodyStart;
  }

  #tell(status: number, body: Buffer, isLast: boolean): void {
    const isRefusal = body.length > REFUSAL.length && REFUSAL.equals(body.subarray(0, REFUSAL.length));
    this.#onReply({ status, isRefusal, isLast, body });
  }
}

/** The chunks from `start` on as one body, and where they end; undefined while the last is missing. */
function chunkedBody(bytes: Buffer, start: number): { body: Buffer; end: number } | undefined {
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf(LINE_END, at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const dataStart = lineEnd + LINE_END.length;
    const next = dataStart + size + LINE_END.length;
    if (!(next <= bytes.length)) return undefined;
    if (size === 0) return { body: Buffer.concat(parts), end: next };
    parts.push(bytes.subarray(dataStart, dataStart + size));
    at = next;
  }
}
