/**
 * IP addresses as bytes: 4 of IPv4 or 16 of IPv6, network order. An IPv4-mapped IPv6 address (::ffff:a.b.c.d,
 * RFC 4291 §2.5.5.2) is the IPv4 address it maps, so that one host has one form. Text is read strictly: no
 * leading zeros (some read those as octal), no zone ids (they mean nothing to another host), no ports, no
 * brackets.
 */

export const IPV4_BYTES = 4;
export const IPV6_BYTES = 16;

const DOT = 0x2e;
const ZERO = 0x30;

/** All addresses that share the first `prefixBits` bits of `address`. */
export interface AddressRange {
  readonly address: Uint8Array;
  readonly prefixBits: number;
}

/** The address in `text`, or undefined when the text is anything else. */
export function parseAddress(text: string): Uint8Array | undefined {
  if (!text.includes(':')) return parseIpv4(text);
  const address = parseIpv6(text);
  return address !== undefined && isIpv4Mapped(address) ? address.slice(12) : address;
}

/** Dotted quad, or IPv6 in the one form of RFC 5952: lower case, the longest run of zeros as `::`. */
export function formatAddress(address: Uint8Array): string {
  if (address.length === IPV4_BYTES) return address.join('.');
  const groups: number[] = [];
  for (let at = 0; at < IPV6_BYTES; at += 2) groups.push((address[at] << 8) | address[at + 1]);
  const zeros = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (zeros.length < 2) return hex.join(':');
  return `${hex.slice(0, zeros.start).join(':')}::${hex.slice(zeros.start + zeros.length).join(':')}`;
}

/**
 * `address/bits`, or an address alone for just that one; undefined for anything else. A range of mapped
 * addresses (::ffff:10.0.0.0/104) becomes the IPv4 range (10.0.0.0/8).
 */
export function parseAddressRange(text: string): AddressRange | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  if (slash < 0) return { address, prefixBits: address.length * 8 };
  const bits = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(bits)) return undefined;
  const wasMapped = address.length === IPV4_BYTES && text.slice(0, slash).includes(':');
  const prefixBits = Number(bits) - (wasMapped ? 96 : 0);
  return prefixBits >= 0 && prefixBits <= address.length * 8 ? { address, prefixBits } : undefined;
}

/** Whether the range holds the address; never for one of the other family. */
export function isInRange(address: Uint8Array, range: AddressRange): boolean {
  if (address.length !== range.address.length) return false;
  const whole = range.prefixBits >> 3;
  for (let at = 0; at < whole; at++) if (address[at] !== range.address[at]) return false;
  const rest = range.prefixBits & 7;
  return rest === 0 || ((address[whole] ^ range.address[whole]) & (0xff00 >> rest) & 0xff) === 0;
}

/** Reads the dotted quad that bytes[start, end) are, character by character, into `out`; false when they are none. */
export function readIpv4(bytes: Uint8Array, start: number, end: number, out: Uint8Array): boolean {
  let at = start;
  for (let part = 0; part < IPV4_BYTES; part++) {
    if (part > 0 && (at === end || bytes[at++] !== DOT)) return false;
    const first = at;
    let value = 0;
    for (; at < end; at++) {
      const digit = bytes[at] - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const digits = at - first;
    if (digits === 0 || digits > 3 || value > 255) return false;
    if (digits > 1 && bytes[first] === ZERO) return false;
    out[part] = value;
  }
  return at === end;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const address = new Uint8Array(IPV4_BYTES);
  let at = 0;
  for (let part = 0; part < IPV4_BYTES; part++) {
    if (part > 0 && text.charCodeAt(at++) !== DOT) return undefined;
    const start = at;
    let value = 0;
    for (let digit = text.charCodeAt(at) - ZERO; digit >= 0 && digit <= 9; ) {
      value = value * 10 + digit;
      digit = text.charCodeAt(++at) - ZERO;
    }
    const digits = at - start;
    if (digits === 0 || digits > 3 || value > 255) return undefined;
    if (digits > 1 && text.charCodeAt(start) === ZERO) return undefined;
    address[part] = value;
  }
  return at === text.length ? address : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const front = parseGroups(halves[0], halves.length === 1);
  const back = halves.length === 1 ? [] : parseGroups(halves[1], true);
  if (front === undefined || back === undefined) return undefined;
  const length = front.length + back.length;
  if (halves.length === 1 ? length !== IPV6_BYTES : length > IPV6_BYTES - 2) return undefined;
  const address = new Uint8Array(IPV6_BYTES);
  address.set(front, 0);
  address.set(back, IPV6_BYTES - back.length);
  return address;
}

/** The bytes of `a:b:c`; where `mayEndInIpv4`, the last group may be a dotted quad. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (mayEndInIpv4 && index === groups.length - 1 && group.includes('.')) {
      const quad = parseIpv4(group);
      if (quad === undefined) return undefined;
      bytes.push(...quad);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      return undefined;
    }
  }
  return bytes;
}

function isIpv4Mapped(address: Uint8Array): boolean {
  for (let at = 0; at < 10; at++) if (address[at] !== 0) return false;
  return address[10] === 0xff && address[11] === 0xff;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
