import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatAddress, isInRange, parseAddress, parseAddressRange } from '../../src/protocol/address.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('an address in text', () => {
  it('is 4 bytes of IPv4 or 16 of IPv6', () => {
    assert.deepEqual(parseAddress('203.0.113.7'), bytes(203, 0, 113, 7));
    assert.deepEqual(
      parseAddress('2001:db8::1'),
      bytes(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    );
    assert.deepEqual(parseAddress('::'), new Uint8Array(16));
    assert.deepEqual(parseAddress('64:ff9b::192.0.2.1')?.slice(12), bytes(192, 0, 2, 1));
  });

  it('that is IPv4-mapped is the IPv4 address', () => {
    for (const text of ['::ffff:203.0.113.7', '::FFFF:CB00:7107', '0:0:0:0:0:ffff:cb00:7107']) {
      assert.deepEqual(parseAddress(text), bytes(203, 0, 113, 7), text);
    }
  });

  it('has no zone, port, brackets, spaces, leading zeros, names or missing parts', () => {
    const wrong = ['', 'localhost', '1.2.3', '1.2.3.4.5', '01.2.3.4', '1.2.3.256', '999.1.1.1', '1.2.3.4:80'];
    wrong.push('0x7f.1', ' 1.2.3.4', '1.2.3.4 ', '1..2.3', '-1.2.3.4', '1e1.2.3.4');
    wrong.push('fe80::1%eth0', '[::1]', '[2001:db8::1]:443', ':::', ':1::2', '1::2:', '1:2:3:4:5:6:7');
    wrong.push('1:2:3:4:5:6:7:8:9', '1::2::3', '12345::', '::g', '1:2:3:4:5:6:7:8::', '1.2.3.4::', '::1.2.3');
    for (const text of wrong) assert.equal(parseAddress(text), undefined, text);
  });

  it('comes back from its own text, and the text is the shortest of RFC 5952', () => {
    assert.equal(formatAddress(parseAddress('2001:DB8:0:0:1:0:0:1')!), '2001:db8::1:0:0:1');
    assert.equal(formatAddress(parseAddress('2001:db8:0:1:1:1:1:1')!), '2001:db8:0:1:1:1:1:1');
    assert.equal(formatAddress(new Uint8Array(16)), '::');
    const anyAddress = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc
        .array(fc.constantFrom(0, 0, 0, 1), { minLength: 16, maxLength: 16 })
        .map((zeros) => Uint8Array.from([0x20, ...zeros.slice(1)])),
    );
    fc.assert(
      fc.property(anyAddress, (address) => {
        const text = formatAddress(address);
        const isMapped =
          address.length === 16 && address.slice(0, 10).every((byte) => byte === 0) && address[10] === 255;
        fc.pre(!isMapped);
        assert.deepEqual(parseAddress(text), address);
        assert.equal(isIP(text), address.length === 4 ? 4 : 6);
      }),
    );
  });

  it('is taken or refused as node:net does, zone ids apart', () => {
    const almostAddress = fc
      .array(fc.constantFrom('0', '1', 'ff', 'abcd', '255', '256', '01', ':', ':', '::', '.', '.'), {
        maxLength: 17,
      })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(almostAddress, (text) => {
        assert.equal(parseAddress(text) !== undefined, isIP(text) !== 0, text);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('a range of addresses', () => {
  const holds = (range: string, address: string): boolean =>
    isInRange(parseAddress(address)!, parseAddressRange(range)!);

  it('holds the addresses that share its first bits', () => {
    assert.ok(holds('172.16.0.0/12', '172.31.255.255'));
    assert.ok(!holds('172.16.0.0/12', '172.32.0.0'));
    assert.ok(holds('fe80::/10', 'febf::1'));
    assert.ok(!holds('fe80::/10', 'fec0::1'));
    assert.ok(holds('0.0.0.0/0', '203.0.113.7'));
    assert.ok(!holds('0.0.0.0/0', '2001:db8::1'));
  });

  it('of an address alone holds that one', () => {
    assert.ok(holds('10.0.0.1', '10.0.0.1'));
    assert.ok(!holds('10.0.0.1', '10.0.0.2'));
    assert.ok(holds('2001:db8::1', '2001:db8::1'));
  });

  it('of mapped addresses is the IPv4 range', () => {
    assert.ok(holds('::ffff:10.0.0.0/104', '10.255.0.1'));
    assert.equal(parseAddressRange('::ffff:10.0.0.0/90'), undefined);
  });

  it('has a prefix that fits its family', () => {
    for (const text of [
      '10.0.0.0/33',
      '::/129',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '10.0.0.0/08',
      '10.0.0/8',
      '/8',
    ]) {
      assert.equal(parseAddressRange(text), undefined, text);
    }
  });
});
