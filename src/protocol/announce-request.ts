/**
 * An announce as clients send it over HTTP (BEP 3, 7, 21, 23), read from the bytes of its query where they lie. The
 * value returned is complete; its hash and peer id are copies, so the query's bytes may go. They never change, unless
 * the caller gives memory for them that it uses again. Parameters nobody needs (`uploaded`, `key`, `trackerid`,
 * `corrupt` …) are passed over. Whether the torrent is served and which address the peer has are not known here.
 */
import { parseAddress } from './address.ts';
import { ascii } from './ascii.ts';
import { type ClientError, INVALID_INFO_HASH, INVALID_PEER_ID, INVALID_PORT } from './client-error.ts';
import { INFO_HASH_BYTES } from './info-hash.ts';
import { decodeDecimal, decodedByte, decodeExactly, decodesTo, encodedWidth, QueryCursor } from './query.ts';

export const PEER_ID_BYTES = 20;
const PORT_MAX = 65535;

/** `started`, `update`, `empty` and whatever we do not know are `none`: a periodic announce. */
export type AnnounceEvent = 'none' | 'completed' | 'stopped' | 'paused';

/** What the client says is left to download; `unknown` when it says nothing that is a number. */
export type Left = 'zero' | 'some' | 'unknown';

export interface AnnounceRequest {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** 20 bytes, any. Public, hence no proof of who asks. */
  readonly peerId: Uint8Array;
  /** 1 to 65535; 0 when the client takes no connections (`hide=1`) and must not be listed. */
  readonly port: number;
  readonly left: Left;
  readonly event: AnnounceEvent;
  /** How many peers are wanted; -1 when the client leaves that to the tracker. Not capped, 0 means none. */
  readonly numwant: number;
  readonly isCompact: boolean;
  /** Whether a dictionary answer names the peers' ids. */
  readonly withPeerIds: boolean;
  /** A literal address in `ip`, for the sources that may speak for others. */
  readonly ip: Uint8Array | undefined;
}

/** Where a parsed announce keeps its hash and its peer id. */
export class RequestMemory {
  readonly infoHash = new Uint8Array(INFO_HASH_BYTES);
  readonly peerId = new Uint8Array(PEER_ID_BYTES);
}

const NAME_COMPACT = ascii('compact');
const NAME_CRYPTOPORT = ascii('cryptoport');
const NAME_EVENT = ascii('event');
const NAME_HIDE = ascii('hide');
const NAME_INFO_HASH = ascii('info_hash');
const NAME_IP = ascii('ip');
const NAME_LEFT = ascii('left');
const NAME_NO_PEER_ID = ascii('no_peer_id');
const NAME_NUMWANT = ascii('numwant');
const NAME_PEER_ID = ascii('peer_id');
const NAME_PORT = ascii('port');

const EVENT_COMPLETED = ascii('completed');
const EVENT_PAUSED = ascii('paused');
const EVENT_STOPPED = ascii('stopped');

const ZERO = ascii('0');
const ONE = ascii('1');

/** More than any tracker gives, small enough for any integer. */
const NUMWANT_SATURATED = 1_000_000;
/** The longest text of an address, escaped throughout; longer ones are host names or noise. */
const IP_TEXT_BYTES_MAX = 3 * 45;

/**
 * Parses the query in bytes[start, end): what stands after the first `?` of the request target. A parameter
 * given twice counts as given last, except `info_hash`, which must stand there once.
 *
 * @param memory what the request's hash and peer id are written to: valid until it is given again
 * @returns the request, or the first thing wrong with it in the order info_hash, peer_id, port
 */
export function parseAnnounceRequest(
  bytes: Uint8Array,
  start: number,
  end: number,
  memory: RequestMemory = new RequestMemory(),
): AnnounceRequest | ClientError {
  const { infoHash, peerId } = memory;
  let infoHashCount = 0;
  let isInfoHashValid = false;
  let isPeerIdValid = false;
  let port = -1;
  let cryptoPort = -1;
  let isHidden = false;
  let left: Left = 'unknown';
  let event: AnnounceEvent = 'none';
  let numwant = -1;
  let isCompact = true;
  let withPeerIds = true;
  let ip: Uint8Array | undefined;

  const pair = new QueryCursor(bytes, start, end);
  while (pair.next()) {
    const { nameStart, nameEnd, valueStart, valueEnd } = pair;
    if (nameStart === nameEnd) continue;
    // The first letter leaves two names at most to compare with.
    switch (decodedByte(bytes, nameStart, nameEnd)) {
      case 0x63: // c
        if (decodesTo(bytes, nameStart, nameEnd, NAME_COMPACT)) {
          isCompact = !decodesTo(bytes, valueStart, valueEnd, ZERO);
        } else if (decodesTo(bytes, nameStart, nameEnd, NAME_CRYPTOPORT)) {
          cryptoPort = decodeDecimal(bytes, valueStart, valueEnd, PORT_MAX + 1);
        }
        break;
      case 0x65: // e
        if (decodesTo(bytes, nameStart, nameEnd, NAME_EVENT)) event = eventOf(bytes, valueStart, valueEnd);
        break;
      case 0x68: // h
        if (decodesTo(bytes, nameStart, nameEnd, NAME_HIDE)) {
          isHidden = decodesTo(bytes, valueStart, valueEnd, ONE);
        }
        break;
      case 0x69: // i
        if (decodesTo(bytes, nameStart, nameEnd, NAME_INFO_HASH)) {
          infoHashCount++;
          isInfoHashValid = decodeExactly(bytes, valueStart, valueEnd, infoHash);
        } else if (decodesTo(bytes, nameStart, nameEnd, NAME_IP)) {
          ip = addressOf(bytes, valueStart, valueEnd) ?? ip;
        }
        break;
      case 0x6c: // l
        if (decodesTo(bytes, nameStart, nameEnd, NAME_LEFT)) left = leftOf(bytes, valueStart, valueEnd);
        break;
      case 0x6e: // n
        if (decodesTo(bytes, nameStart, nameEnd, NAME_NUMWANT)) {
          numwant = decodeDecimal(bytes, valueStart, valueEnd, NUMWANT_SATURATED);
        } else if (decodesTo(bytes, nameStart, nameEnd, NAME_NO_PEER_ID)) {
          withPeerIds = !decodesTo(bytes, valueStart, valueEnd, ONE);
        }
        break;
      case 0x70: // p
        if (decodesTo(bytes, nameStart, nameEnd, NAME_PEER_ID)) {
          isPeerIdValid = decodeExactly(bytes, valueStart, valueEnd, peerId);
        } else if (decodesTo(bytes, nameStart, nameEnd, NAME_PORT)) {
          port = decodeDecimal(bytes, valueStart, valueEnd, PORT_MAX + 1);
        }
        break;
    }
  }

  if (infoHashCount !== 1 || !isInfoHashValid) return INVALID_INFO_HASH;
  if (!isPeerIdValid) return INVALID_PEER_ID;
  // A client that takes encrypted connections only says port=0 and its real port in cryptoport (BiglyBT); one
  // that takes none says port=0 and hide=1 (BitComet, BiglyBT).
  if (port === 0 && !isHidden) port = cryptoPort > 0 ? cryptoPort : -1;
  if (port < 0 || port > PORT_MAX) return INVALID_PORT;
  return { infoHash, peerId, port, left, event, numwant, isCompact, withPeerIds, ip };
}

function eventOf(bytes: Uint8Array, start: number, end: number): AnnounceEvent {
  if (decodesTo(bytes, start, end, EVENT_COMPLETED)) return 'completed';
  if (decodesTo(bytes, start, end, EVENT_STOPPED)) return 'stopped';
  if (decodesTo(bytes, start, end, EVENT_PAUSED)) return 'paused';
  return 'none';
}

/** Values above 2^53 are normal (a magnet without metadata), so only "is it zero" is asked. */
function leftOf(bytes: Uint8Array, start: number, end: number): Left {
  const leftAtMostOne = decodeDecimal(bytes, start, end, 1);
  if (leftAtMostOne < 0) return 'unknown';
  return leftAtMostOne === 0 ? 'zero' : 'some';
}

function addressOf(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  if (end - start > IP_TEXT_BYTES_MAX) return undefined;
  let text = '';
  for (let at = start; at < end; at += encodedWidth(bytes, at)) {
    const byte = decodedByte(bytes, at, end);
    if (byte < 0) return undefined;
    text += String.fromCharCode(byte);
  }
  return parseAddress(text);
}
