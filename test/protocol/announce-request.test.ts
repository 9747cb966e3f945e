import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AnnounceRequest, parseAnnounceRequest } from '../../src/protocol/announce-request.ts';
import { ClientError } from '../../src/protocol/client-error.ts';
import { announceQuery, fullyEscaped, HASH_1, HASH_1_UPPER, PEER_ID_1 } from '../builders/requests.ts';

function parse(query: string): AnnounceRequest | ClientError {
  const bytes = Uint8Array.from(Buffer.from(query, 'latin1'));
  return parseAnnounceRequest(bytes, 0, bytes.length);
}

function accepted(query: string): AnnounceRequest {
  const request = parse(query);
  assert.ok(!(request instanceof ClientError), `refused: ${query}`);
  return request;
}

function refusal(query: string): string {
  const request = parse(query);
  assert.ok(request instanceof ClientError, `accepted: ${query}`);
  return request.failureReason;
}

describe('an announce', () => {
  it('is read completely', () => {
    assert.deepEqual(
      accepted(
        announceQuery({ left: 5, event: 'paused', numwant: 7, compact: 0, no_peer_id: 1, ip: '1.2.3.4' }),
      ),
      {
        infoHash: HASH_1,
        peerId: Uint8Array.from(Buffer.from(PEER_ID_1)),
        port: 6881,
        left: 'some',
        event: 'paused',
        numwant: 7,
        isCompact: false,
        withPeerIds: false,
        ip: Uint8Array.of(1, 2, 3, 4),
      },
    );
  });

  it('has defaults for everything but its hash, peer id and port', () => {
    const { left, event, numwant, isCompact, withPeerIds, ip } = accepted(
      `info_hash=${HASH_1_UPPER}&peer_id=${PEER_ID_1}&port=1`,
    );
    assert.deepEqual(
      { left, event, numwant, isCompact, withPeerIds, ip },
      { left: 'unknown', event: 'none', numwant: -1, isCompact: true, withPeerIds: true, ip: undefined },
    );
  });

  it('is refused for its hash first, then its peer id, then its port', () => {
    assert.match(refusal('info_hash=short&peer_id=short&port=0'), /^invalid info_hash: /);
    assert.match(refusal(`info_hash=${HASH_1_UPPER}&peer_id=short&port=0`), /^invalid peer_id: /);
    assert.equal(
      refusal(`info_hash=${HASH_1_UPPER}&peer_id=${PEER_ID_1}&port=0`),
      'invalid port: 1 to 65535',
    );
  });

  it('has names that may be escaped and are told apart by case', () => {
    assert.equal(accepted(announceQuery({ port: undefined, 'p%6Frt': 7000 })).port, 7000);
    assert.match(refusal(announceQuery({ port: undefined, PORT: 7000 })), /^invalid port/);
  });

  it('counts as given last where a parameter is given twice, but for info_hash', () => {
    const twice = accepted(`${announceQuery()}&port=7000&left=1&event=stopped&numwant=3&port=7001`);
    assert.deepEqual([twice.port, twice.left, twice.event, twice.numwant], [7001, 'some', 'stopped', 3]);
    assert.match(refusal(`${announceQuery()}&info_hash=${HASH_1_UPPER}`), /^invalid info_hash/);
    assert.match(refusal(`info_hash=short&${announceQuery()}`), /^invalid info_hash/);
  });

  it('says zero, some or nothing about what is left', () => {
    for (const value of ['0', '000', '%30'])
      assert.equal(accepted(announceQuery({ left: value })).left, 'zero');
    for (const value of ['1', '9223372036854775807', '9'.repeat(30), '0001']) {
      assert.equal(accepted(announceQuery({ left: value })).left, 'some', value);
    }
    for (const value of ['', '-1', 'abc', '1e3', '0x0', '%200', 'null', undefined]) {
      assert.equal(accepted(announceQuery({ left: value })).left, 'unknown', value);
    }
  });

  it('has the port in cryptoport when it only takes encrypted connections', () => {
    const encrypted = { requirecrypto: 1, port: 0 };
    assert.equal(accepted(announceQuery({ ...encrypted, cryptoport: 6882 })).port, 6882);
    assert.equal(accepted(announceQuery({ cryptoport: 6882 })).port, 6881);
    for (const cryptoport of ['0', '65536', 'abc', '']) {
      assert.match(refusal(announceQuery({ ...encrypted, cryptoport })), /^invalid port/);
    }
  });

  it('has port 0 when the client hides, whatever else it says', () => {
    assert.equal(accepted(announceQuery({ port: 0, hide: 1 })).port, 0);
    assert.equal(accepted(announceQuery({ port: 0, hide: 1, cryptoport: 6882 })).port, 0);
    assert.equal(accepted(announceQuery({ hide: 1 })).port, 6881);
    for (const changes of [
      { port: 0, hide: 0 },
      { port: '', hide: 1 },
      { port: 'x', hide: 1 },
      { hide: 1 },
    ]) {
      const query = announceQuery({ port: undefined, ...changes });
      assert.match(refusal(query), /^invalid port/, query);
    }
  });

  it('takes a literal address in ip and passes over names, nonsense and very long texts', () => {
    const ip = (value: string): Uint8Array | undefined => accepted(announceQuery({ ip: value })).ip;
    assert.deepEqual(ip('9.9.9.9'), Uint8Array.of(9, 9, 9, 9));
    assert.deepEqual(ip('%3A%3Affff%3A9.9.9.9'), Uint8Array.of(9, 9, 9, 9));
    assert.equal(ip(fullyEscaped(Buffer.from('2001:db8:1111:2222:3333:4444:5555:6666')))?.length, 16);
    for (const value of ['localhost', '', '%', '1'.repeat(5_000), '%ff%fe']) {
      assert.equal(ip(value), undefined);
    }
  });
});

describe('a failure reason', () => {
  it('is at most 100 bytes of ASCII and never repeats what the client sent', () => {
    for (const query of [
      announceQuery({ info_hash: 'BAIT' }),
      announceQuery({ peer_id: 'BAIT' }),
      announceQuery({ port: 'BAIT' }),
    ]) {
      const reason = refusal(query);
      assert.match(reason, /^[\x20-\x7e]{1,100}$/);
      assert.ok(!reason.includes('BAIT'));
    }
  });
});
