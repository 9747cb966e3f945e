/**
 * An operation of the admin API: a method, a path as OpenAPI writes it (`/admin/bans/{infoHash}`), the parameters that
 * its query may have, and what answers it. The router is made of these, and the document is held against them.
 */
import type { IncomingMessage } from 'node:http';
import type { AdminProblem } from './admin-body.ts';
import { type Reply, refuse } from './admin-reply.ts';

export interface Asked {
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  /** Of the path; twenty bytes of zeros where the path has none. */
  readonly infoHash: Uint8Array;
}

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly queryNames: readonly string[];
  readonly answer: (asked: Asked) => Promise<Reply> | Reply;
}

/** What the body's reader found wrong, as an answer. */
export function refuseBody({ status, error, more }: AdminProblem): Reply {
  const reply = refuse(status, error, more);
  // Of a body that is too large the rest stays unread.
  return status === 413 ? { ...reply, headers: { Connection: 'close' } } : reply;
}

/** A whole number of the query, `fallback` when it is not there, undefined when it is no number. */
export function countOf(query: URLSearchParams, name: string, fallback: number): number | undefined {
  const text = query.get(name);
  if (text === null) return fallback;
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
