/**
 * Addresses that no other peer could reach over the internet: loopback, private, a carrier's own, link-local, multicast
 * and reserved ones. One list for everybody who asks: who may be a peer, who is a proxy, what the doctor warns of.
 */
import { type AddressRange, IPV4_BYTES, IPV6_BYTES, isInRange, parseAddressRange } from './address.ts';
import { ClientError } from './client-error.ts';

/** Documentation ranges are not among them. */
const UNREACHABLE_RANGES: readonly AddressRange[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::',
  '::1',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
].map((text) => parseAddressRange(text)!);

/** Whether some address of the family (4 or 16 bytes) that begins with the byte is in one of the ranges. */
const UNREACHABLE_FIRST_BYTES = { ipv4: firstBytes(IPV4_BYTES), ipv6: firstBytes(IPV6_BYTES) };

/** What the refused announce of such an address is told. */
export const UNREACHABLE_ADDRESS = new ClientError(
  'cannot determine client address: the one seen is private or reserved',
);

/** Whether the address (4 or 16 bytes) is loopback, private, multicast or otherwise no peer's on the internet. */
export function isUnreachable(address: Uint8Array): boolean {
  const { ipv4, ipv6 } = UNREACHABLE_FIRST_BYTES;
  if ((address.length === IPV4_BYTES ? ipv4 : ipv6)[address[0]] === 0) return false;
  for (const range of UNREACHABLE_RANGES) if (isInRange(address, range)) return true;
  return false;
}

function firstBytes(addressBytes: number): Uint8Array {
  const isIn = new Uint8Array(256);
  for (const { address, prefixBits } of UNREACHABLE_RANGES) {
    if (address.length !== addressBytes) continue;
    const others = 0xff >> Math.min(prefixBits, 8);
    isIn.fill(1, address[0], (address[0] | others) + 1);
  }
  return isIn;
}
