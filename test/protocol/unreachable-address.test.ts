import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAddress } from '../../src/protocol/address.ts';
import { isUnreachable } from '../../src/protocol/unreachable-address.ts';

const address = (text: string): Uint8Array => parseAddress(text)!;

/** Each refused range by its first and last address, and the ordinary addresses just outside of it. */
const EDGES: readonly (readonly [string, string, readonly string[]])[] = [
  ['0.0.0.0', '0.255.255.255', ['1.0.0.0']],
  ['10.0.0.0', '10.255.255.255', ['9.255.255.255', '11.0.0.0']],
  ['100.64.0.0', '100.127.255.255', ['100.63.255.255', '100.128.0.0']],
  ['127.0.0.0', '127.255.255.255', ['126.255.255.255', '128.0.0.0']],
  ['169.254.0.0', '169.254.255.255', ['169.253.255.255', '169.255.0.0']],
  ['172.16.0.0', '172.31.255.255', ['172.15.255.255', '172.32.0.0']],
  ['192.168.0.0', '192.168.255.255', ['192.167.255.255', '192.169.0.0']],
  ['224.0.0.0', '239.255.255.255', ['223.255.255.255']],
  ['240.0.0.0', '255.255.255.255', []],
  ['::', '::1', ['::2']],
  ['fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['fbff::', 'fe00::']],
  ['fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['fe7f::', 'fec0::']],
  ['ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['feff::']],
];

describe('an address that no peer on the internet has', () => {
  it('is in one of the refused ranges, to their very edges', () => {
    for (const [first, last, outside] of EDGES) {
      assert.ok(isUnreachable(address(first)), first);
      assert.ok(isUnreachable(address(last)), last);
      for (const text of outside) assert.ok(!isUnreachable(address(text)), text);
    }
  });

  it('is not one of a documentation range', () => {
    for (const text of ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1']) {
      assert.ok(!isUnreachable(address(text)), text);
    }
  });
});
