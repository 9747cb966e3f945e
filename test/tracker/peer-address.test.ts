import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatAddress, parseAddress, parseAddressRange } from '../../src/protocol/address.ts';
import { PeerAddresses } from '../../src/tracker/peer-address.ts';

const address = (text: string): Uint8Array => parseAddress(text)!;

describe('the address of a peer', () => {
  const selected = (
    options: Partial<ConstructorParameters<typeof PeerAddresses>[0]>,
    source: string,
    ip?: string,
  ): string | undefined => {
    const addresses = new PeerAddresses({
      trustProxy: 1,
      allowPrivatePeers: undefined,
      trustIpParamFrom: [],
      ...options,
    });
    const chosen = addresses.select(address(source), ip === undefined ? undefined : address(ip));
    return chosen && formatAddress(chosen);
  };

  it('may be private when the tracker is reached directly, or when the operator says so', () => {
    assert.equal(selected({ trustProxy: 1 }, '10.0.0.1'), undefined);
    assert.equal(selected({ trustProxy: 0 }, '10.0.0.1'), '10.0.0.1');
    assert.equal(selected({ trustProxy: undefined }, '10.0.0.1'), '10.0.0.1');
    assert.equal(selected({ trustProxy: 1, allowPrivatePeers: true }, '10.0.0.1'), '10.0.0.1');
    assert.equal(selected({ trustProxy: 0, allowPrivatePeers: false }, '10.0.0.1'), undefined);
    assert.equal(selected({ trustProxy: 1 }, '203.0.113.7'), '203.0.113.7');
  });

  it('is the one it names only where the operator trusts its source', () => {
    const trustIpParamFrom = [parseAddressRange('10.0.0.0/8')!];
    assert.equal(selected({ trustIpParamFrom }, '10.0.0.1', '9.9.9.9'), '9.9.9.9');
    assert.equal(selected({ trustIpParamFrom }, '10.0.0.1', '2001:db8::1'), '2001:db8::1');
    assert.equal(selected({ trustIpParamFrom }, '203.0.113.7', '9.9.9.9'), '203.0.113.7');
    assert.equal(selected({ trustIpParamFrom }, '10.0.0.1', '192.168.0.1'), undefined);
    assert.equal(selected({ trustIpParamFrom }, '10.0.0.1'), undefined);
  });
});
