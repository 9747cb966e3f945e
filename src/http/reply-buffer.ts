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

export class ReplyBuffer {
  bytes = Buffer.allocUnsafeSlow(CAPACITY_BYTES);
  /** Where the next reply begins; whoever writes one moves it. */
  length = 0;

  /** Makes room for a reply of at most `bytesMax`, sending what is there already when it does not fit beside it. */
  reserve(bytesMax: number, socket: Socket): void {
    if (this.length + bytesMax <= this.bytes.length) return;
    this.flush(socket);
    if (bytesMax > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(bytesMax);
  }

  /** Sends all replies in one write. */
  flush(socket: Socket): void {
    if (this.length === 0) return;
    socket.write(this.bytes.subarray(0, this.length));
    this.length = 0;
    // Node tries the write at once: what is not counted as waiting, the kernel has.
    const isTaken = socket.writableLength === 0;
    if (!isTaken || this.bytes.length > CAPACITY_BYTES) this.bytes = Buffer.allocUnsafeSlow(CAPACITY_BYTES);
  }
}
