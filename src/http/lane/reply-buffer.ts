/**
 * Memory in which the lane builds replies, one after the other, so that several go out in one write:
 *
 *   |reply|reply|reply ‥    free    |
 *   0                  length       capacity
 *
 * It serves one connection at a time, from the first reply to a chunk of requests until `flush`. The memory is
 * used again once the kernel has taken all of it; when the kernel has not, it stays the socket's, and new memory
 * takes its place.
 */
import type { Socket } from 'node:net';

/** The longest ordinary reply, 1,000 IPv6 peers, is 18 KB. It is also what a client that reads nothing ties up. */
const CAPACITY_BYTES = 32 * 1024;
/** The views of so many bytes and fewer are kept: most replies are of a few lengths, and a view is dear to make. */
const KEPT_VIEW_BYTES_MAX = 2 * 1024;

export class ReplyBuffer {
  bytes = Buffer.allocUnsafeSlow(CAPACITY_BYTES);
  /** Where the next reply begins; whoever writes one moves it. */
  length = 0;
  /** Of the first so many bytes. */
  readonly #views: (Buffer | undefined)[] = new Array(KEPT_VIEW_BYTES_MAX + 1).fill(undefined);

  /** Makes room for a reply of at most `bytesMax`, sending what is there already when it does not fit beside it. */
  reserve(bytesMax: number, socket: Socket): void {
    if (this.length + bytesMax <= this.bytes.length) return;
    this.flush(socket);
    if (bytesMax > this.bytes.length) this.#replace(bytesMax);
  }

  /** Sends all replies in one write. */
  flush(socket: Socket): void {
    if (this.length === 0) return;
    socket.write(this.#view(this.length));
    this.length = 0;
    // Node tries the write at once: what is not counted as waiting, the kernel has.
    const isTaken = socket.writableLength === 0;
    if (!isTaken || this.bytes.length > CAPACITY_BYTES) this.#replace(CAPACITY_BYTES);
  }

  #view(length: number): Buffer {
    if (length > KEPT_VIEW_BYTES_MAX) return this.bytes.subarray(0, length);
    const kept = this.#views[length];
    if (kept !== undefined) return kept;
    const view = this.bytes.subarray(0, length);
    this.#views[length] = view;
    return view;
  }

  #replace(capacity: number): void {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.#views.fill(undefined);
  }
}
