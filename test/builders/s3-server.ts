/**
 * An S3 server over HTTP for one test file: npm's s3rver on a port that the system gives, its bucket in a
 * temporary directory. And servers that misbehave, to try the time limits with.
 */
import crypto from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreAddress } from '../../src/config/store-address.ts';

type S3Address = Extract<StoreAddress, { kind: 's3' }>;

export interface S3Server {
  /** The address of the bucket, with its own prefix for each call, so that tests don't meet. */
  address(prefix?: string): S3Address;
  close(): Promise<void>;
}

const BUCKET = 'trakx-test';
const CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

interface S3rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}

/** The address of a bucket on this machine. */
export function s3Address(port: number, prefix: string, bucket = BUCKET): S3Address {
  return {
    kind: 's3',
    bucket,
    prefix,
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    isPathStyle: true,
    credentials: CREDENTIALS,
  };
}

export async function startS3Server(): Promise<S3Server> {
  giveBackDes();
  // The package has no types.
  const module: { default: new (options: object) => S3rver } = await import('s3rver' as string);
  const directory = await mkdtemp(join(tmpdir(), 'trakx-s3-'));
  const server = new module.default({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    configureBuckets: [{ name: BUCKET }],
  });
  const { port } = await server.run();
  let prefixes = 0;
  return {
    address: (prefix = `prefix-${prefixes++}/`) => s3Address(port, prefix),
    async close() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** An HTTP server that answers as `listener` says, as a stand-in for a store that misbehaves. */
export async function startHttpServer(
  listener: RequestListener,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * s3rver makes the tokens of a listing's further pages with DES, which OpenSSL 3 has put away. Triple DES with
 * one key three times is the same cipher, and is still there.
 */
function giveBackDes(): void {
  const { createCipheriv, createDecipheriv } = crypto;
  const triple = (key: crypto.CipherKey): Buffer => Buffer.concat([key, key, key] as Buffer[]);
  crypto.createCipheriv = ((name: string, key: crypto.CipherKey, iv: crypto.BinaryLike) =>
    name === 'des'
      ? createCipheriv('des-ede3-cbc', triple(key), iv)
      : createCipheriv(name, key, iv)) as typeof createCipheriv;
  crypto.createDecipheriv = ((name: string, key: crypto.CipherKey, iv: crypto.BinaryLike) =>
    name === 'des'
      ? createDecipheriv('des-ede3-cbc', triple(key), iv)
      : createDecipheriv(name, key, iv)) as typeof createDecipheriv;
}
