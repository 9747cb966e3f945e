/**
 * Which program an announce came from, by the first bytes of its peer id, which most programs fill in by one of these
 * habits. What is in no table is 'other': whatever strangers write there, no page shows it.
 *
 *   Azureus   -qB4500-…   two characters for the program between a dash and the version
 *   Mainline  M7-6-0--…   a letter (or a letter and a digit), then the version between dashes
 *   Shadow    T03I-----…  a letter, then the version
 */

/** By the two characters after the dash. */
const AZUREUS: Readonly<Record<string, string>> = {
  A2: 'aria2',
  AG: 'Ares',
  AZ: 'Vuze',
  BC: 'BitComet',
  BI: 'BiglyBT',
  BL: 'BitLord',
  BT: 'BitTorrent',
  DE: 'Deluge',
  FD: 'Free Download Manager',
  FW: 'FrostWire',
  GT: 'anacrolix/torrent',
  JT: 'JavaTorrent',
  KT: 'KTorrent',
  LP: 'Lphant',
  LT: 'libtorrent',
  lt: 'rTorrent',
  LW: 'LimeWire',
  MG: 'MediaGet',
  ml: 'MLdonkey',
  PI: 'PicoTorrent',
  qB: 'qBittorrent',
  SD: 'Xunlei',
  TL: 'Tribler',
  TR: 'Transmission',
  TX: 'Tixati',
  UE: 'µTorrent',
  UM: 'µTorrent',
  UT: 'µTorrent',
  UW: 'µTorrent',
  WD: 'WebTorrent',
  WW: 'WebTorrent',
  XL: 'Xunlei',
  ZO: 'Zona',
};
/** By the first two characters; `*` for any letter or digit. */
const PREFIXES: Readonly<Record<string, string>> = {
  'M*': 'BitTorrent',
  A2: 'aria2',
  'T*': 'BitTornado',
  'R*': 'Tribler',
  ex: 'BitComet',
  XB: 'XBT',
};

export const OTHER_FAMILY = 'other';

/** The families by their numbers; 'other' is number 0. */
export const CLIENT_FAMILIES: readonly string[] = [
  OTHER_FAMILY,
  ...new Set([...Object.values(AZUREUS), ...Object.values(PREFIXES)]),
];

const DASH = 0x2d;
const CHARACTERS = 128;
/** Where the pairs of characters begin that stand at the very front. */
const FRONT_PAIRS = CHARACTERS * CHARACTERS;
const NO_PAIR = 2 * FRONT_PAIRS;
/** One for each pair behind a dash, one for each pair at the front, and one for what is no pair of characters. */
export const PREFIX_COUNT = NO_PAIR + 1;

/** The number of the prefix of this peer id, below PREFIX_COUNT. On the path of every announce. */
export function prefixOf(peerId: Uint8Array): number {
  const first = peerId[0]!;
  const second = peerId[1]!;
  if (first === DASH) {
    const third = peerId[2]!;
    return (second | third) < CHARACTERS ? second * CHARACTERS + third : NO_PAIR;
  }
  return (first | second) < CHARACTERS ? FRONT_PAIRS + first * CHARACTERS + second : NO_PAIR;
}

export interface KnownPrefix {
  readonly prefix: number;
  /** The number of its family. */
  readonly family: number;
}

/** All prefixes that are in the tables. */
export function knownPrefixes(): readonly KnownPrefix[] {
  const behindDash = Object.entries(AZUREUS).map(([pair, family]) => ({ prefix: pairAt(pair), family }));
  const atFront = Object.entries(PREFIXES).flatMap(([pattern, family]) => {
    const seconds = pattern[1] === '*' ? LETTERS_AND_DIGITS : pattern[1]!;
    return Array.from(seconds, (second) => ({ prefix: FRONT_PAIRS + pairAt(pattern[0]! + second), family }));
  });
  return [...behindDash, ...atFront].map(({ prefix, family }) => ({
    prefix,
    family: CLIENT_FAMILIES.indexOf(family),
  }));
}

function pairAt(pair: string): number {
  return pair.charCodeAt(0) * CHARACTERS + pair.charCodeAt(1);
}

const LETTERS_AND_DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
