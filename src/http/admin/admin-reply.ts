/** What an operation of the admin API answers, and how it is sent: one JSON object, exact headers, kept by no cache. */
import type { Response } from 'express';

export interface Reply {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is wrong, as a sentence; `error` is the field of every answer that is none of 2xx. */
export function refuse(status: number, error: string, more: object = {}): Reply {
  return { status, body: { error, ...more } };
}

export function sendReply(response: Response, { status, body, headers }: Reply): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': bytes.length,
    'Cache-Control': 'no-store',
    ...headers,
  });
  response.end(bytes);
}

/** Seconds since the epoch as the API writes times: ISO 8601 in UTC. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
