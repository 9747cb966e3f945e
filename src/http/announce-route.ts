/** GET /announce over node:http: query bytes in, bencoded bytes out. What is decided stands in answers.ts. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type AnnounceReply,
  announceReplyBytesMax,
  encodeDictionaryReply,
  writeAnnounceReply,
} from '../protocol/announce-reply.ts';
import { parseAnnounceRequest } from '../protocol/announce-request.ts';
import { ClientError } from '../protocol/client-error.ts';
import { encodeFailure } from '../protocol/failure-reply.ts';
import type { Answers } from './answers.ts';
import { forwardingOf, remoteAddressOf } from './client-address.ts';
import { sendBytes } from './plain-reply.ts';
import { targetBytes } from './request-target.ts';

/** Answers one announce; `target` is its request target in origin form. */
export type AnnounceRoute = (request: IncomingMessage, response: ServerResponse, target: string) => void;

export function createAnnounceRoute(answers: Answers): AnnounceRoute {
  return (request, response, target) => {
    const { bytes, queryStart } = targetBytes(target);
    const announce = parseAnnounceRequest(bytes, queryStart, bytes.length);
    const connected = { address: remoteAddressOf(request.socket) };
    const reply = answers.announce(announce, connected, forwardingOf(request), answers.nowSeconds());
    if (reply instanceof ClientError) sendBytes(response, 200, encodeFailure(reply));
    else if (announce instanceof ClientError || announce.isCompact)
      sendBytes(response, 200, encodeCompact(reply));
    else sendBytes(response, 200, encodeDictionaryReply(reply));
  };
}

/** In memory of its own: the socket may keep the bytes while the next announce is answered. */
function encodeCompact(reply: AnnounceReply): Uint8Array {
  const out = Buffer.allocUnsafe(announceReplyBytesMax(reply));
  return out.subarray(0, writeAnnounceReply(reply, out, 0));
}
