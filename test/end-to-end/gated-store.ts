/**
 * An S3 server (npm's s3rver) behind a gate that the test moves: open, shut (it takes every byte and answers
 * none), or dripping (it answers a byte a second). So a store can fall silent or slow at any moment of a
 * tracker's life, and come back. Gone when the test ends.
 */
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { type S3Server, startS3Server } from '../builders/s3-server.ts';
import type { Cleanup } from '../builders/tracker-process.ts';

export type Gate = 'open' | 'shut' | 'dripping';

export interface GatedStore {
  /** For the tracker's environment. */
  readonly environment: Readonly<Record<string, string>>;
  set(gate: Gate): void;
  /** Whether a request has come since the gate was set to what it is now. */
  isAsked(): boolean;
}

const DRIP_MS = 1_000;

export async function startGatedStore(context: Cleanup): Promise<GatedStore> {
  const s3: S3Server = await startS3Server();
  const { endpoint, bucket, prefix, credentials } = s3.address();
  const upstreamPort = Number(new URL(endpoint!).port);
  let gate: Gate = 'open';
  let isAsked = false;
  /** One for each direction of each connection: what it may pass on now, it passes on. */
  const valves = new Set<() => void>();
  const sockets = new Set<Socket>();

  const server = createServer((client) => {
    const upstream = connect(upstreamPort, '127.0.0.1');
    pass(
      client,
      upstream,
      () => (gate === 'shut' ? 0 : Infinity),
      () => {
        isAsked = true;
      },
    );
    pass(upstream, client, () => ({ open: Infinity, shut: 0, dripping: 1 })[gate]);
  });

  /** Passes bytes on, at each turn of the valve as many as `allowance` says. */
  function pass(from: Socket, to: Socket, allowance: () => number, onBytes = () => {}): void {
    let waiting = Buffer.alloc(0);
    const turn = () => {
      const count = Math.min(allowance(), waiting.length);
      if (count > 0) to.write(waiting.subarray(0, count));
      waiting = waiting.subarray(count);
    };
    sockets.add(from);
    valves.add(turn);
    from.on('data', (chunk: Buffer) => {
      onBytes();
      waiting = Buffer.concat([waiting, chunk]);
      if (allowance() === Infinity) turn();
    });
    from.on('error', () => {}); // a connection that breaks is closed, and that is handled
    from.on('close', () => {
      sockets.delete(from);
      valves.delete(turn);
      to.destroy();
    });
  }

  const drip = setInterval(() => {
    for (const turn of valves) turn();
  }, DRIP_MS);
  context.after(async () => {
    clearInterval(drip);
    server.close();
    for (const socket of sockets) socket.destroy();
    await s3.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    environment: {
      STORE_URL: `s3://${bucket}/${prefix}`,
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: credentials!.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials!.secretAccessKey,
    },
    set(next) {
      gate = next;
      isAsked = false;
      if (gate === 'open') for (const turn of valves) turn();
    },
    isAsked: () => isAsked,
  };
}
