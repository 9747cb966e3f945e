/**
 * The answer to an announce. The compact form (BEP 23; IPv6 peers: BEP 7) is the tracker's hottest output and
 * is written by hand into a buffer the caller owns; its bytes are those the bencode package would make. The
 * dictionary form, which hardly anyone asks for, goes through that package. Keys stand in raw byte order.
 *
 *   d8:completei‥e10:downloadedi‥e11:external ip4:‥10:incompletei‥e8:intervali‥e12:min intervali‥e
 *   5:peers‥:‥[6:peers6‥:‥][15:warning message‥:‥]e
 */
import bencode from 'bencode';
import { formatAddress, IPV4_BYTES, IPV6_BYTES } from './address.ts';
import { PEER_ID_BYTES } from './announce-request.ts';
import { ascii } from './ascii.ts';
import { writeBytes, writeInteger, writeString } from './bencode-writer.ts';

export interface AnnounceReply {
  /** Seeders, the one who asks included. */
  readonly complete: number;
  /** Everybody else, the one who asks included. */
  readonly incomplete: number;
  readonly downloaded: number;
  readonly intervalSeconds: number;
  readonly minIntervalSeconds: number;
  /** The client's own address as the tracker sees it (BEP 24): 4 or 16 bytes. */
  readonly externalIp: Uint8Array | undefined;
  /** IPv4 endpoints, 6 bytes each: address and port in network order. */
  readonly peers: Uint8Array;
  /** IPv6 endpoints, 18 bytes each. */
  readonly peers6: Uint8Array;
  /** The ids, 20 bytes each, of those in `peers` and then of those in `peers6`; empty when nobody asked. */
  readonly peerIds: Uint8Array;
  /** ASCII, at most 100 bytes. */
  readonly warningMessage: string | undefined;
}

const COMPLETE = ascii('d8:completei');
const DOWNLOADED = ascii('e10:downloadedi');
const EXTERNAL_IPV4 = ascii('e11:external ip4:');
const EXTERNAL_IPV6 = ascii('e11:external ip16:');
const INCOMPLETE_AFTER_NUMBER = ascii('e10:incompletei');
const INCOMPLETE_AFTER_STRING = ascii('10:incompletei');
const INTERVAL = ascii('e8:intervali');
const MIN_INTERVAL = ascii('e12:min intervali');
const PEERS = ascii('e5:peers');
const PEERS6 = ascii('6:peers6');
const WARNING_MESSAGE = ascii('15:warning message');
const END = 0x65;

/** All but the peers and the warning, with every number at its longest (16 digits), is 270 bytes. */
const FRAME_BYTES_MAX = 320;

/** How much room `writeAnnounceReply` needs for the reply, at most. */
export function announceReplyBytesMax(reply: AnnounceReply): number {
  return FRAME_BYTES_MAX + reply.peers.length + reply.peers6.length + (reply.warningMessage?.length ?? 0);
}

/**
 * Writes the compact form into `out` from `at`; there must be room for `announceReplyBytesMax(reply)` bytes.
 * `peers` is always there, `peers6` only with somebody in it.
 *
 * @returns where the reply ends
 */
export function writeAnnounceReply(reply: AnnounceReply, out: Uint8Array, at: number): number {
  at = writeBytes(COMPLETE, out, at);
  at = writeInteger(reply.complete, out, at);
  at = writeBytes(DOWNLOADED, out, at);
  at = writeInteger(reply.downloaded, out, at);
  const externalIp = reply.externalIp;
  if (externalIp === undefined) {
    at = writeBytes(INCOMPLETE_AFTER_NUMBER, out, at);
  } else {
    at = writeBytes(externalIp.length === IPV4_BYTES ? EXTERNAL_IPV4 : EXTERNAL_IPV6, out, at);
    at = writeBytes(externalIp, out, at);
    at = writeBytes(INCOMPLETE_AFTER_STRING, out, at);
  }
  at = writeInteger(reply.incomplete, out, at);
  at = writeBytes(INTERVAL, out, at);
  at = writeInteger(reply.intervalSeconds, out, at);
  at = writeBytes(MIN_INTERVAL, out, at);
  at = writeInteger(reply.minIntervalSeconds, out, at);
  at = writeBytes(PEERS, out, at);
  at = writeString(reply.peers, out, at);
  if (reply.peers6.length > 0) {
    at = writeBytes(PEERS6, out, at);
    at = writeString(reply.peers6, out, at);
  }
  if (reply.warningMessage !== undefined) {
    at = writeBytes(WARNING_MESSAGE, out, at);
    at = writeString(ascii(reply.warningMessage), out, at);
  }
  out[at++] = END;
  return at;
}

/**
 * The dictionary form (BEP 3): one list of peers of both families, addresses as text, an IPv6 one without
 * brackets; each with its `peer id` if `reply.peerIds` holds them.
 */
export function encodeDictionaryReply(reply: AnnounceReply): Uint8Array {
  return bencode.encode({
    complete: reply.complete,
    downloaded: reply.downloaded,
    'external ip': reply.externalIp,
    incomplete: reply.incomplete,
    interval: reply.intervalSeconds,
    'min interval': reply.minIntervalSeconds,
    peers: [...dictionaryPeers(reply)],
    'warning message': reply.warningMessage,
  });
}

interface DictionaryPeer {
  readonly ip: string;
  readonly 'peer id'?: Uint8Array;
  readonly port: number;
}

function* dictionaryPeers(reply: AnnounceReply): Generator<DictionaryPeer> {
  let idAt = 0;
  for (const [endpoints, addressBytes] of [
    [reply.peers, IPV4_BYTES],
    [reply.peers6, IPV6_BYTES],
  ] as const) {
    for (let at = 0; at < endpoints.length; at += addressBytes + 2) {
      const portAt = at + addressBytes;
      const ip = formatAddress(endpoints.subarray(at, portAt));
      const port = (endpoints[portAt] << 8) | endpoints[portAt + 1];
      const peerId = reply.peerIds.subarray(idAt, idAt + PEER_ID_BYTES);
      idAt += peerId.length;
      yield peerId.length === 0 ? { ip, port } : { ip, 'peer id': peerId, port };
    }
  }
}
