/**
 * GET /announce over node:http: query bytes in, bencoded bytes out. Whatever the request says, the status is
 * 200, because clients read no other answer; what is wrong stands in the body.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type AnnounceReply,
  announceReplyBytesMax,
  encodeDictionaryReply,
  writeAnnounceReply,
} from '../protocol/announce-reply.ts';
import { type AnnounceRequest, parseAnnounceRequest } from '../protocol/announce-request.ts';
import { ClientError } from '../protocol/client-error.ts';
import { encodeFailure } from '../protocol/failure-reply.ts';
import type { Counters } from '../stats/counters.ts';
import type { Tracker } from '../tracker/tracker.ts';
import type { ClientAddresses } from './client-address.ts';
import { sendBytes } from './plain-reply.ts';
import { targetBytes } from './request-target.ts';

export interface AnnounceRouteParts {
  readonly tracker: Pick<Tracker, 'announce'>;
  readonly clientAddresses: ClientAddresses;
  readonly counters: Counters;
  /** Seconds since the epoch, now. */
  readonly nowSeconds: () => number;
}

/** Answers one announce; `target` is its request target in origin form. */
export type AnnounceRoute = (request: IncomingMessage, response: ServerResponse, target: string) => void;

export function createAnnounceRoute(parts: AnnounceRouteParts): AnnounceRoute {
  const { tracker, clientAddresses, counters, nowSeconds } = parts;

  /** First the request itself is looked at, then the address, then whether the tracker serves it. */
  function answer(request: IncomingMessage, target: string): Uint8Array | ClientError {
    const { bytes, queryStart } = targetBytes(target);
    const announce = parseAnnounceRequest(bytes, queryStart, bytes.length);
    if (announce instanceof ClientError) {
      counters.refusedMalformed += 1;
      return announce;
    }
    const source = clientAddresses.of(request);
    if (source instanceof ClientError) {
      counters.refusedAddress += 1;
      return source;
    }
    const reply = tracker.announce(announce, source, nowSeconds());
    return reply instanceof ClientError ? reply : encodeReply(announce, reply);
  }

  return (request, response, target) => {
    counters.announces += 1;
    const body = answer(request, target);
    if (body instanceof ClientError) {
      counters.errorsClient += 1;
      sendBytes(response, 200, encodeFailure(body));
    } else {
      sendBytes(response, 200, body);
    }
  };
}

/** In memory of its own: the socket may keep the bytes while the next announce is answered. */
function encodeReply(announce: AnnounceRequest, reply: AnnounceReply): Uint8Array {
  if (!announce.isCompact) return encodeDictionaryReply(reply);
  const out = Buffer.allocUnsafe(announceReplyBytesMax(reply));
  return out.subarray(0, writeAnnounceReply(reply, out, 0));
}
