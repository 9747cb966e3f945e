import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import bencode from 'bencode';
import fc from 'fast-check';
import { parseAddress } from '../../src/protocol/address.ts';
import {
  type AnnounceReply,
  announceReplyBytesMax,
  encodeDictionaryReply,
  writeAnnounceReply,
} from '../../src/protocol/announce-reply.ts';

const NOTHING = new Uint8Array(0);

const EMPTY_SWARM: AnnounceReply = {
  complete: 1,
  incomplete: 0,
  downloaded: 0,
  intervalSeconds: 1800,
  minIntervalSeconds: 900,
  externalIp: undefined,
  peers: NOTHING,
  peers6: NOTHING,
  peerIds: NOTHING,
  warningMessage: undefined,
};

const LOCAL_PEER = Uint8Array.of(127, 0, 0, 1, 0x1a, 0xe1);
const IPV6_PEER = Uint8Array.of(...parseAddress('2001:db8::1')!, 0x1a, 0xe1);
const PEER_ID = Uint8Array.from(Buffer.from('-XX0001-000000000001'));

function compact(reply: AnnounceReply): string {
  const out = new Uint8Array(announceReplyBytesMax(reply));
  return Buffer.from(out.subarray(0, writeAnnounceReply(reply, out, 0))).toString('latin1');
}

const dictionary = (reply: AnnounceReply): string =>
  Buffer.from(encodeDictionaryReply(reply)).toString('latin1');

const endpoints = (bytes: number): fc.Arbitrary<Uint8Array> =>
  fc
    .nat({ max: 200 })
    .chain((count) => fc.uint8Array({ minLength: count * bytes, maxLength: count * bytes }));

const anyReply: fc.Arbitrary<AnnounceReply> = fc.record({
  complete: fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 9, 10, 99, 100, 2 ** 53 - 1)),
  incomplete: fc.oneof(fc.nat(), fc.maxSafeNat()),
  downloaded: fc.oneof(fc.nat({ max: 12 }), fc.maxSafeNat()),
  intervalSeconds: fc.nat({ max: 100_000 }),
  minIntervalSeconds: fc.nat({ max: 100_000 }),
  externalIp: fc.oneof(
    fc.constant(undefined),
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  ),
  peers: endpoints(6),
  peers6: endpoints(18),
  peerIds: fc.constant(NOTHING),
  warningMessage: fc.oneof(
    fc.constant(undefined),
    fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 100 }),
  ),
});

describe('the compact answer, byte for byte', () => {
  it('to a seeder alone', () => {
    const body = compact(EMPTY_SWARM);
    assert.equal(
      body,
      'd8:completei1e10:downloadedi0e10:incompletei0e8:intervali1800e12:min intervali900e5:peers0:e',
    );
    assert.equal(body.length, 92);
  });

  it('with one IPv4 peer', () => {
    assert.ok(
      compact({ ...EMPTY_SWARM, peers: LOCAL_PEER }).endsWith('900e5:peers6:\x7f\x00\x00\x01\x1a\xe1e'),
    );
  });

  it('with one IPv6 peer, to a client at 203.0.113.7', () => {
    const body = compact({
      ...EMPTY_SWARM,
      incomplete: 1,
      externalIp: Uint8Array.of(203, 0, 113, 7),
      peers6: IPV6_PEER,
    });
    const address = ' \x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01';
    assert.equal(
      body,
      `d8:completei1e10:downloadedi0e11:external ip4:\xcb\x00q\x0710:incompletei1e8:intervali1800e12:min intervali900e5:peers0:6:peers618:${address}\x1a\xe1e`,
    );
    assert.equal(body.length, 141);
  });
});

describe('the compact answer written by hand', () => {
  it('is what the bencode package makes of the same values, and stays in its room', () => {
    fc.assert(
      fc.property(anyReply, fc.nat({ max: 64 }), (reply, at) => {
        const room = announceReplyBytesMax(reply);
        const out = new Uint8Array(at + room);
        const end = writeAnnounceReply(reply, out, at);
        const expected = bencode.encode({
          complete: reply.complete,
          downloaded: reply.downloaded,
          'external ip': reply.externalIp,
          incomplete: reply.incomplete,
          interval: reply.intervalSeconds,
          'min interval': reply.minIntervalSeconds,
          peers: reply.peers,
          peers6: reply.peers6.length > 0 ? reply.peers6 : undefined,
          'warning message': reply.warningMessage,
        });
        assert.ok(end <= at + room);
        assert.deepEqual(Buffer.from(out.subarray(at, end)), Buffer.from(expected));
      }),
      { numRuns: 500 },
    );
  });

  it('has its longest frame within the room asked for', () => {
    const most = Number.MAX_SAFE_INTEGER;
    const reply: AnnounceReply = {
      ...EMPTY_SWARM,
      complete: most,
      incomplete: most,
      downloaded: most,
      intervalSeconds: most,
      minIntervalSeconds: most,
      externalIp: new Uint8Array(16),
      peers: new Uint8Array(6 * 200_000),
      peers6: new Uint8Array(18 * 200_000),
      warningMessage: 'w'.repeat(100),
    };
    assert.ok(compact(reply).length <= announceReplyBytesMax(reply));
  });
});

describe('the dictionary answer', () => {
  it('lists ip, peer id and port of each peer', () => {
    const body = dictionary({ ...EMPTY_SWARM, peers: LOCAL_PEER, peerIds: PEER_ID });
    assert.ok(body.endsWith('5:peersld2:ip9:127.0.0.17:peer id20:-XX0001-0000000000014:porti6881eeee'), body);
  });

  it('leaves the peer ids out where there are none', () => {
    const body = dictionary({ ...EMPTY_SWARM, peers: LOCAL_PEER });
    assert.ok(body.endsWith('5:peersld2:ip9:127.0.0.14:porti6881eeee'), body);
  });

  it('puts both families in one list, IPv6 as text without brackets, each with its own id of any bytes', () => {
    const peerIds = new Uint8Array(40).fill(0xff, 0, 20).fill(0x41, 20);
    const body = dictionary({ ...EMPTY_SWARM, peers: LOCAL_PEER, peers6: IPV6_PEER, peerIds });
    assert.ok(
      body.endsWith(
        `5:peersld2:ip9:127.0.0.17:peer id20:${'\xff'.repeat(20)}4:porti6881eed2:ip11:2001:db8::17:peer id20:${'A'.repeat(20)}4:porti6881eeee`,
      ),
      body,
    );
    assert.ok(!body.includes('peers6'));
  });
});
