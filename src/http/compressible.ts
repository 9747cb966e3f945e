/**
 * A body that is sent to many as it is, or compressed to who takes that: it is compressed once, when it is first asked for.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';
import { send } from './web-reply.ts';

export type Compress = (bytes: Buffer) => Promise<Buffer>;

const gzipped: Compress = promisify(gzip);

export class Compressible {
  readonly #contentType: string;
  readonly #bytes: Buffer;
  #gzipped: Promise<Buffer> | undefined;

  constructor(contentType: string, text: string) {
    this.#contentType = contentType;
    this.#bytes = Buffer.from(text);
  }

  /** Rejects when it cannot be compressed; the next who asks may have more luck. */
  async sendTo(
    request: Request,
    response: Response,
    fields: Readonly<Record<string, string>> = {},
    compress = gzipped,
  ): Promise<void> {
    const headers = { ...fields, Vary: 'Accept-Encoding' };
    if (request.acceptsEncodings(['gzip', 'identity']) !== 'gzip') {
      send(response, 200, this.#contentType, this.#bytes, headers);
      return;
    }
    this.#gzipped ??= compress(this.#bytes).catch((error: unknown) => {
      this.#gzipped = undefined;
      throw error;
    });
    send(response, 200, this.#contentType, await this.#gzipped, { ...headers, 'Content-Encoding': 'gzip' });
  }
}
