/**
 * Talking to a running tracker over HTTP: where this machine reaches it, and what it says. Nothing is followed or
 * retried; a tracker that does not answer is told as a sentence.
 */
import type { Config } from '../config/config.ts';
import { timeLimit } from '../time-limit.ts';

export const ANSWER_MS_MAX = 5_000;
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

/** Where a tracker that listens on this host and port is reached from this machine. */
export function localUrlOf({ host, port }: Pick<Config, 'host' | 'port'>): string {
  if (host === '::' || host === '0.0.0.0') return `http://127.0.0.1:${port}`;
  return host.includes(':') ? `http://[${host}]:${port}` : `http://${host}:${port}`;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** What is there instead of an answer: a sentence's end, as in "no answer: connection refused". */
export class NoAnswer {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

export async function ask(
  url: string,
  { signal, ...request }: RequestInit & { readonly signal?: AbortSignal } = {},
  msMax = ANSWER_MS_MAX,
): Promise<Answer | NoAnswer> {
  const limit = timeLimit(msMax, signal);
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      ...request,
      signal: limit.signal,
    });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) return new NoAnswer('it sends more than any tracker would');
      chunks.push(chunk);
    }
    return { status: response.status, headers: response.headers, text: Buffer.concat(chunks).toString() };
  } catch (error) {
    if (signal?.aborted) throw error;
    return new NoAnswer(reasonOf(error));
  } finally {
    limit.end();
  }
}

/** The parts of /stats.json that commands read; whatever is missing there is undefined or null here. */
export interface TrackerStats {
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly peers: number;
  readonly swarms: number;
  readonly warnings: readonly string[];
  readonly store: {
    readonly state: string;
    readonly savedSecondsAgo: number | null;
    readonly isRestored: boolean;
  };
  readonly journal: {
    readonly intervalSeconds: number;
    readonly bytesAtRisk: number;
    readonly secondsAtRisk: number;
  };
}

/** undefined: what answers there is no tracker of ours. */
export async function statsOf(
  origin: string,
  signal?: AbortSignal,
): Promise<TrackerStats | NoAnswer | undefined> {
  const answer = await ask(`${origin}/stats.json`, signal === undefined ? {} : { signal });
  if (answer instanceof NoAnswer) return answer;
  try {
    const stats = JSON.parse(answer.text);
    const isOurs = typeof stats === 'object' && stats !== null && 'trakx.database.peers' in stats;
    return isOurs && typeof stats.journal === 'object' && typeof stats.store === 'object' ? stats : undefined;
  } catch {
    return undefined;
  }
}

/** "connection refused", from what fetch throws: its own message says nothing, the cause does. */
function reasonOf(error: unknown): string {
  const told = error instanceof Error ? error : new Error(String(error));
  if (told.name === 'TimeoutError') return 'no answer in time';
  const cause = told.cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return REASONS[code] ?? (cause instanceof Error && cause.message !== '' ? cause.message : told.message);
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection broke off',
  ENOTFOUND: 'there is no such host name',
  EAI_AGAIN: 'the host name could not be looked up',
  ENETUNREACH: 'there is no route to it from here',
  EHOSTUNREACH: 'there is no route to it from here',
  UND_ERR_SOCKET: 'the connection broke off',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
};
