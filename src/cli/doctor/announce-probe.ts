/**
 * One announce that leaves no peer (port 0, hidden, of a swarm that nobody has), to one address of a host, as a client would
 * send it. What comes back tells whether a tracker answers there and as which address it takes the asker.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { formatAddress } from '../../protocol/address.ts';
import { timeLimit } from '../../time-limit.ts';

const MS_MAX = 10_000;
const BYTES_MAX = 64 * 1024;
/** A documentation address (RFC 5737): no client has it, so nobody but we can have named it. */
export const FORGED_ADDRESS = '192.0.2.66';

export interface ProbeOptions {
  /** The tracker's origin. */
  readonly origin: string;
  /** Which of the host's addresses is asked. */
  readonly address: string;
  /** 20 bytes that name no torrent. */
  readonly infoHash: Uint8Array;
  /** Claims in X-Forwarded-For to be somebody else. */
  readonly isForged: boolean;
  readonly signal: AbortSignal;
}

export type ProbeResult =
  /** A tracker's reply; the address that it took the asker for, when it says so. */
  | { readonly kind: 'reply'; readonly seenAs: string | undefined }
  /** A tracker's refusal, in its own words. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Something else answers, or sends elsewhere. */
  | { readonly kind: 'other'; readonly says: string }
  | { readonly kind: 'unreachable'; readonly why: string };

export function probe({ origin, address, infoHash, isForged, signal }: ProbeOptions): Promise<ProbeResult> {
  const hash = [...infoHash].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const path = `/announce?info_hash=${hash}&peer_id=-TR0000-doctor000000&port=0&hide=1&left=1&numwant=0&compact=1`;
  const url = new URL(path, origin);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const limit = timeLimit(MS_MAX, signal);
    const request = send(
      url,
      {
        // The name stays in Host and in the certificate; only where it leads to is decided here.
        lookup: (_name, options, done) => {
          const family = address.includes(':') ? 6 : 4;
          if (options.all === true)
            (done as (error: null, all: object[]) => void)(null, [{ address, family }]);
          else done(null, address, family);
        },
        headers: {
          Connection: 'close',
          'User-Agent': 'trakx-doctor',
          ...(isForged ? { 'X-Forwarded-For': FORGED_ADDRESS } : {}),
        },
        signal: limit.signal,
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes <= BYTES_MAX) chunks.push(chunk);
          else response.destroy();
        });
        response.on('close', () =>
          resolve(readReply(response.statusCode ?? 0, response.headers.location, Buffer.concat(chunks))),
        );
        response.on('error', () => {}); // 'close' follows, with what there is
      },
    );
    request.on('close', () => limit.end());
    request.on('error', (error: NodeJS.ErrnoException) => resolve({ kind: 'unreachable', why: why(error) }));
    request.end();
  });
}

function readReply(status: number, location: string | undefined, body: Buffer): ProbeResult {
  if (status >= 300 && status < 400 && location !== undefined)
    return { kind: 'other', says: `it sends clients elsewhere (status ${status}), which many do not follow` };
  const text = body.toString('latin1');
  const failure = /^d14:failure reason(\d{1,4}):/.exec(text);
  if (failure !== null)
    return { kind: 'refused', reason: text.substr(failure[0].length, Number(failure[1])) };
  if (!text.startsWith('d') || !text.includes('8:interval'))
    return { kind: 'other', says: `what answers there is no tracker (status ${status})` };
  return { kind: 'reply', seenAs: externalAddress(text) };
}

/** "external ip" (BEP 24): 4 or 16 bytes. */
function externalAddress(text: string): string | undefined {
  const match = /11:external ip(4|16):/.exec(text);
  if (match === null) return undefined;
  const at = match.index + match[0].length;
  const bytes = Buffer.from(text.slice(at, at + Number(match[1])), 'latin1');
  return bytes.length === Number(match[1]) ? formatAddress(bytes) : undefined;
}

function why(error: NodeJS.ErrnoException): string {
  if (error.name === 'TimeoutError' || error.code === 'ABORT_ERR') return 'no answer in time';
  if (error.code === 'ECONNREFUSED') return 'nothing listens there';
  if (error.code === 'ENETUNREACH' || error.code === 'EHOSTUNREACH')
    return 'there is no route to it from here';
  return error.message;
}
