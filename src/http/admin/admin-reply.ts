/** What an operation of the admin API answers, and how it is sent: one JSON object. */
import type { ServerResponse } from 'node:http';
import { send } from '../web-reply.ts';

export interface Reply {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is wrong, as a sentence; `error` is the field of every answer that is none of 2xx. */
export function refuse(status: number, error: string, more: object = {}): Reply {
  return { status, body: { error, ...more } };
}

export function sendReply(response: ServerResponse, { status, body, headers }: Reply): void {
  send(response, status, 'application/json', `${JSON.stringify(body)}\n`, headers);
}

/** Seconds since the epoch as the API writes times: ISO 8601 in UTC. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
