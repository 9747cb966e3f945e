/**
 * A store in a bucket of any S3-compatible service. Promises what Store promises with plain puts, gets, listings
 * and deletes only: no conditional put, no multipart upload, no checksum header that some services refuse. Knows
 * the service's clock by the Date of its answers. The SDK is loaded when the store is opened, not with this file,
 * so that a tracker with a directory never pays for it.
 */
import { createHash } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import type { StoreAddress } from '../../config/store-address.ts';
import { nextTurn } from '../../slices.ts';
import { timeLimit } from '../../time-limit.ts';
import { s3StoreError } from './s3-failure.ts';
import {
  assertKey,
  CLOCK_OFFSET_SECONDS_MIN,
  LIST_PAGE_KEYS,
  OBJECT_BYTES_MAX,
  type Store,
  type StoredObject,
  StoreError,
  withinSignal,
} from './store.ts';

export interface S3StoreOptions {
  readonly address: Extract<StoreAddress, { kind: 's3' }>;
  readonly nowSeconds: () => number;
  /** How long one call may take, its retries and the reading of its body included. */
  readonly operationMsMax?: number;
}

const CONNECTION_MS_MAX = 5_000;
const OPERATION_MS_MAX = 30_000;
const ATTEMPTS_MAX = 3;
/** Hashed between two turns of the event loop: about a quarter of a millisecond. */
const HASH_SLICE_BYTES = 128 * 1024;

type Sdk = typeof import('@aws-sdk/client-s3');

export class S3Store implements Store {
  readonly address: string;
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #nowSeconds: () => number;
  readonly #operationMsMax: number;
  #clockOffsetSeconds = 0;

  /** Loads the SDK and makes its client; sends nothing yet. */
  static async open(options: S3StoreOptions): Promise<S3Store> {
    return new S3Store(await import('@aws-sdk/client-s3'), options);
  }

  private constructor(sdk: Sdk, options: S3StoreOptions) {
    const { bucket, prefix, region, endpoint, isPathStyle, credentials } = options.address;
    this.address = `s3://${bucket}/${prefix}`;
    this.#sdk = sdk;
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#nowSeconds = options.nowSeconds;
    this.#operationMsMax = options.operationMsMax ?? OPERATION_MS_MAX;
    this.#client = new sdk.S3Client({
      region,
      forcePathStyle: isPathStyle,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }), // else the SDK's own chain, AWS_* first
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      retryMode: 'adaptive',
      maxAttempts: ATTEMPTS_MAX,
      requestHandler: {
        connectionTimeout: CONNECTION_MS_MAX,
        requestTimeout: this.#operationMsMax,
        throwOnRequestTimeout: true,
      },
    });
    this.#readClock();
  }

  get clockOffsetSeconds(): number {
    return this.#clockOffsetSeconds;
  }

  put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    assertKey(key);
    return this.#bounded('put', key, signal, async (abortSignal) => {
      const hash = await sha256InSlices(bytes, abortSignal);
      const command = new this.#sdk.PutObjectCommand({
        Bucket: this.#bucket,
        Key: this.#prefix + key,
        Body: bytes,
        ContentLength: bytes.length,
        ContentType: 'application/octet-stream',
      });
      // The signer takes the hash of the body from here instead of hashing all of it at one go.
      command.middlewareStack.add(
        (next) => (args) => {
          if (hasHeaders(args.request)) args.request.headers['x-amz-content-sha256'] = hash;
          return next(args);
        },
        { step: 'build', name: 'hashOfBody' },
      );
      await this.#client.send(command, { abortSignal });
    });
  }

  get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    assertKey(key);
    return this.#bounded('get', key, signal, async (abortSignal, what) => {
      const command = new this.#sdk.GetObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + key });
      const { Body, ContentLength } = await this.#client.send(command, { abortSignal });
      return readBody(what, Body, ContentLength, abortSignal);
    });
  }

  list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]> {
    return this.#bounded('list', prefix, signal, async (abortSignal, what) => {
      const found: StoredObject[] = [];
      let token: string | undefined;
      do {
        const command = new this.#sdk.ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: this.#prefix + prefix,
          MaxKeys: LIST_PAGE_KEYS,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        });
        const page = await this.#client.send(command, { abortSignal });
        for (const { Key, Size, LastModified } of page.Contents ?? []) {
          if (Key === undefined || !Key.startsWith(this.#prefix)) continue;
          found.push({
            key: Key.slice(this.#prefix.length),
            sizeBytes: Size ?? 0,
            lastModifiedSeconds: Math.floor((LastModified?.getTime() ?? 0) / 1000),
          });
        }
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
        if (page.IsTruncated === true && token === undefined)
          throw new StoreError('failed', `${what} failed: there is more of it, but no token to ask with.`);
      } while (token !== undefined);
      // Not every service keeps the byte order that Amazon promises.
      return found.sort((a, b) => (a.key < b.key ? -1 : 1));
    });
  }

  delete(key: string, signal?: AbortSignal): Promise<void> {
    assertKey(key);
    return this.#bounded('delete', key, signal, async (abortSignal, what) => {
      const command = new this.#sdk.DeleteObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + key });
      await this.#client.send(command, { abortSignal }).catch((error: unknown) => {
        if (s3StoreError(what, error, true).failure !== 'not-found') throw error;
      });
    });
  }

  /** Runs `work` within the time limit and the caller's signal, and turns what it throws into a StoreError. */
  async #bounded<T>(
    verb: string,
    key: string,
    signal: AbortSignal | undefined,
    work: (abortSignal: AbortSignal, what: string) => Promise<T>,
  ): Promise<T> {
    const what = `${verb} of ${key === '' ? 'everything' : key} in ${this.address}`;
    const limit = timeLimit(this.#operationMsMax, signal);
    try {
      // The race ends what the SDK does not end at a signal: its waits between two attempts, among others.
      return await withinSignal(what, work(limit.signal, what), limit.signal);
    } catch (error) {
      throw s3StoreError(what, error, verb === 'get' || verb === 'delete');
    } finally {
      limit.end();
    }
  }

  /** Learns the service's clock from each answer that has a Date (RFC 9110 §6.6.1). */
  #readClock(): void {
    this.#client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        if (hasHeaders(result.response)) {
          const storeSeconds = Date.parse(result.response.headers.date ?? '') / 1000;
          if (Number.isFinite(storeSeconds)) {
            const offset = Math.round(storeSeconds - this.#nowSeconds());
            this.#clockOffsetSeconds = Math.abs(offset) < CLOCK_OFFSET_SECONDS_MIN ? 0 : offset;
          }
        }
        return result;
      },
      { step: 'deserialize', priority: 'low', name: 'clockOfStore' },
    );
  }
}

function hasHeaders(message: unknown): message is { headers: Record<string, string> } {
  return typeof message === 'object' && message !== null && 'headers' in message;
}

async function sha256InSlices(bytes: Uint8Array, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += HASH_SLICE_BYTES) {
    if (at > 0) await nextTurn();
    signal.throwIfAborted();
    hash.update(bytes.subarray(at, at + HASH_SLICE_BYTES));
  }
  return hash.digest('hex');
}

/** Reads a body to its end; a body that dribbles is destroyed when the signal fires, and its socket with it. */
async function readBody(
  what: string,
  body: unknown,
  bytesExpected: number | undefined,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (!isReadable(body)) throw new StoreError('failed', `${what} failed: the answer has no body.`);
  const onAbort = (): void => void body.destroy(new Error('given up'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (bytesExpected !== undefined && bytesExpected > OBJECT_BYTES_MAX) throw tooLarge(what, body);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > OBJECT_BYTES_MAX) throw tooLarge(what, body);
      chunks.push(chunk);
    }
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function tooLarge(what: string, body: ReadableBody): StoreError {
  body.destroy();
  return new StoreError('failed', `${what} failed: the object is larger than ${OBJECT_BYTES_MAX} bytes.`);
}

interface ReadableBody extends AsyncIterable<Uint8Array> {
  destroy(error?: Error): unknown;
}

function isReadable(body: unknown): body is ReadableBody {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body && 'destroy' in body;
}
