import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAddressRange } from '../../src/protocol/address.ts';
import { type AnnounceParameters, announceQuery, escaped, HASH_1, peerIdOf } from '../builders/requests.ts';
import { type RunningServer, startServer } from '../builders/server.ts';
import { announce, ask, countsOf, failureReason, peersOf, scrape } from './ask.ts';

/** Fills the swarm with seeders on ports from 10000. */
async function fill(server: RunningServer, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await announce(server, { port: 10_000 + index, peer_id: peerIdOf(index) });
  }
}

/** How many peers a leecher gets with these parameters. */
async function peersGiven(server: RunningServer, changes: AnnounceParameters): Promise<number> {
  return peersOf(await announce(server, { left: 1, ...changes })).length;
}

const withPort = (port: string | number | undefined): string => `/announce?${announceQuery({ port })}`;

describe('B. parameter values', () => {
  it('B1, B2, B4, B5: a port that is none', async () => {
    await using server = await startServer();
    const wrong = [
      undefined,
      '',
      '0',
      '65536',
      '99999999999999999999',
      '-1',
      '+80',
      'abc',
      'NaN',
      '80.5',
      '1e3',
    ];
    for (const port of [...wrong, '0x50', '%2080', '80%20', '0x1AE1', '6881abc', '%zz', '00']) {
      const reason = failureReason(await ask(server, withPort(port)));
      assert.equal(reason, 'invalid port: 1 to 65535', String(port));
    }
    assert.equal(server.table.totals.peers, 0);
  });

  it('B2a: who hides is answered and not stored', async () => {
    await using server = await startServer();
    await fill(server, 3);
    const answer = await announce(server, { port: 0, hide: 1, left: 1 });
    assert.deepEqual(countsOf(answer), [3, 0, 0]);
    assert.equal(peersOf(answer).length, 3);
    assert.equal(server.table.totals.peers, 3);
    const unknown = await announce(server, { info_hash: escaped(new Uint8Array(20)), port: 0, hide: 1 });
    assert.deepEqual(countsOf(unknown), [0, 0, 0]);
    assert.equal(server.table.totals.swarms, 1);
  });

  it('B3, B6: ports 1, 65535 and one with leading zeros', async () => {
    await using server = await startServer();
    for (const port of ['1', '65535', '006881']) await announce(server, { port });
    const answer = await announce(server, { port: 7000, left: 1 });
    assert.deepEqual(peersOf(answer).sort(), ['127.0.0.1:1', '127.0.0.1:65535', '127.0.0.1:6881']);
  });

  it('B7: cryptoport for a client that takes encrypted connections only', async () => {
    await using server = await startServer();
    await announce(server, { requirecrypto: 1, port: 0, cryptoport: 6881 });
    assert.deepEqual(peersOf(await announce(server, { port: 7000, left: 1 })), ['127.0.0.1:6881']);
  });

  it('B8: a peer id of 19 or 21 bytes, or none', async () => {
    await using server = await startServer();
    for (const peer_id of ['x'.repeat(19), 'x'.repeat(21), '', undefined]) {
      const response = await ask(server, `/announce?${announceQuery({ peer_id })}`);
      assert.match(failureReason(response), /^invalid peer_id: /);
    }
  });

  it('B9, B10: a client that does not say what is left is a leecher', async () => {
    await using server = await startServer();
    for (const [index, left] of [undefined, '', '-1', 'abc', '1e3', '0x0', '%200'].entries()) {
      const answer = await announce(server, { left, port: 7000 + index });
      assert.deepEqual(countsOf(answer), [0, index + 1, 0], String(left));
    }
  });

  it('B11: nothing left, in any number of zeros, is a seeder', async () => {
    await using server = await startServer();
    await announce(server, { left: '0', port: 7000 });
    assert.deepEqual(countsOf(await announce(server, { left: '000', port: 7001 })), [2, 0, 0]);
  });

  it('B12: more left than a double can tell is a leecher', async () => {
    await using server = await startServer();
    await announce(server, { left: '9223372036854775807', port: 7000 });
    assert.deepEqual(countsOf(await announce(server, { left: '9'.repeat(30), port: 7001 })), [0, 2, 0]);
  });

  it('B13: completed with something left completes nothing', async () => {
    await using server = await startServer();
    assert.deepEqual(countsOf(await announce(server, { left: 16384, event: 'completed' })), [0, 1, 0]);
  });

  it('B14: uploaded and downloaded may be anything', async () => {
    await using server = await startServer();
    for (const value of [undefined, '-5', 'garbage', '18446744073709551616', '%zz']) {
      await announce(server, { uploaded: value, downloaded: value });
    }
  });

  it('B15, B16, B18, B19: numwant, and 50 for who leaves it to us', async () => {
    await using server = await startServer();
    await fill(server, 60);
    assert.equal(await peersGiven(server, { numwant: 0 }), 0);
    assert.equal(await peersGiven(server, { numwant: 1 }), 1);
    for (const numwant of ['-1', 'abc', '', undefined]) {
      assert.equal(await peersGiven(server, { numwant }), 50, String(numwant));
    }
  });

  it('B17: numwant is capped at 200', async () => {
    await using server = await startServer();
    await fill(server, 300);
    assert.equal(await peersGiven(server, { numwant: 1_000_000 }), 200);
    assert.equal(await peersGiven(server, { numwant: '9'.repeat(40) }), 200);
  });

  it('B20, B23: answers are compact unless compact=0', async () => {
    await using server = await startServer();
    await fill(server, 1);
    for (const compact of [undefined, '2', 'abc', '', '1']) {
      const { body } = await ask(server, `/announce?${announceQuery({ compact, left: 1 })}`);
      assert.ok(body.includes('5:peers6:'), String(compact));
    }
  });

  it('B21, B22: compact=0 lists ip, peer id and port; no_peer_id=1 leaves out the id', async () => {
    await using server = await startServer();
    await fill(server, 1);
    const list = async (changes: AnnounceParameters): Promise<string> => {
      const query = announceQuery({ compact: 0, left: 1, ...changes });
      return (await ask(server, `/announce?${query}`)).body.toString('latin1');
    };
    assert.ok(
      (await list({})).endsWith(`5:peersld2:ip9:127.0.0.17:peer id20:${peerIdOf(0)}4:porti10000eeee`),
    );
    assert.ok((await list({ no_peer_id: 1 })).endsWith('5:peersld2:ip9:127.0.0.14:porti10000eeee'));
  });

  it('B24: a dictionary answer has both families in one list', async () => {
    await using server = await startServer({ settings: { trustProxy: 1 } });
    await announce(server, { port: 7001, peer_id: peerIdOf(1) }, { via: '203.0.113.1' });
    await announce(server, { port: 7002, peer_id: peerIdOf(2) }, { via: '2001:db8::2' });
    const query = announceQuery({ compact: 0, left: 1 });
    for (const via of ['203.0.113.9', '2001:db8::9']) {
      const text = (await ask(server, `/announce?${query}`, { via })).body.toString('latin1');
      assert.ok(
        text.includes(`d2:ip11:203.0.113.17:peer id20:${peerIdOf(1)}4:porti7001ee`) &&
          text.includes(`d2:ip11:2001:db8::27:peer id20:${peerIdOf(2)}4:porti7002ee`),
        text,
      );
      assert.ok(!text.includes('peers6'));
    }
  });

  it('B25: key may be anything', async () => {
    await using server = await startServer();
    for (const key of ['%E6%9A%03%A7z%04j1', '-123456', 'k'.repeat(2_000), undefined, '%']) {
      await announce(server, { key });
    }
    assert.equal(server.table.totals.peers, 1);
  });

  it('B26: nobody may name another address than its own', async () => {
    await using server = await startServer();
    await announce(server, { ip: '9.9.9.9', port: 7001 });
    await announce(server, { ip: 'localhost', port: 7002 });
    await announce(server, { ipv4: '1.2.3.4', ipv6: '%5B2001%3Adb8%3A%3A1%5D%3A6882', port: 7003 });
    const peers = peersOf(await announce(server, { left: 1 })).sort();
    assert.deepEqual(peers, ['127.0.0.1:7001', '127.0.0.1:7002', '127.0.0.1:7003']);
  });

  it('B27: but those whom the operator trusts with it', async () => {
    const trustIpParamFrom = [parseAddressRange('127.0.0.2')!];
    await using server = await startServer({ settings: { trustIpParamFrom } });
    await announce(server, { ip: '9.9.9.9', port: 7001 }, { from: '127.0.0.2' });
    await announce(server, { ip: '9.9.9.9', port: 7002 }, { from: '127.0.0.3' });
    await announce(server, { ip: 'tracker.example', port: 7003 }, { from: '127.0.0.2' });
    const peers = peersOf(await announce(server, { left: 1 })).sort();
    assert.deepEqual(peers, ['127.0.0.2:7003', '127.0.0.3:7002', '9.9.9.9:7001']);
  });

  it('B28: trackerid is passed over', async () => {
    await using server = await startServer();
    await announce(server, { trackerid: 'anything%00%ff' });
  });

  it('B29, B30: an event we do not know is a periodic announce', async () => {
    await using server = await startServer();
    await announce(server, { left: 1 });
    for (const event of [
      '',
      'empty',
      undefined,
      'update',
      'Started',
      'bogus',
      '%00',
      'Stopped',
      'stopped%00',
    ]) {
      assert.deepEqual(countsOf(await announce(server, { event, left: 1 })), [0, 1, 0], event);
    }
    assert.equal((await scrape(server, HASH_1)).downloaders, 1);
  });

  it('B31: the last event counts', async () => {
    await using server = await startServer();
    await announce(server);
    await ask(server, `/announce?${announceQuery()}&event=stopped`);
    assert.equal(server.table.totals.peers, 0);
  });
});
