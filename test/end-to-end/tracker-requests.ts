/** Requests to a tracker process, one connection each, and its answers as values. */
import { type IncomingHttpHeaders, request } from 'node:http';
import bencode from 'bencode';
import { type AnnounceParameters, announceQuery } from '../builders/requests.ts';
import type { TrackerProcess } from '../builders/tracker-process.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The client's own address; any of 127/8 will do. */
  readonly from?: string;
}

export interface AnnounceAnswer {
  readonly 'failure reason'?: Uint8Array;
  readonly complete: number;
  readonly incomplete: number;
  readonly downloaded: number;
  readonly peers: Uint8Array;
}

export function ask(tracker: TrackerProcess, path: string, options: RequestOptions = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, from } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: tracker.port,
        path,
        method,
        headers: { ...headers, Connection: 'close' },
        agent: false,
        ...(from === undefined ? {} : { localAddress: from }),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode!,
            headers: incoming.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

export async function announce(
  tracker: TrackerProcess,
  changes: AnnounceParameters = {},
  options: RequestOptions = {},
): Promise<AnnounceAnswer> {
  const { body } = await ask(tracker, `/announce?${announceQuery(changes)}`, options);
  return bencode.decode(body);
}

/** The statistics document. */
export async function statistics(tracker: TrackerProcess) {
  return JSON.parse((await ask(tracker, '/stats.json')).body.toString());
}

/** Whether the restore has settled. */
export async function isReady(tracker: TrackerProcess): Promise<boolean> {
  return (await ask(tracker, '/readyz')).status === 200;
}
