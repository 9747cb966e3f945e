import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import bencode from 'bencode';
import { announceQuery, peerIdOf } from '../builders/requests.ts';
import { buildTable, type RunningServer, startServer } from '../builders/server.ts';
import { announce, ask, countsOf, failureReason, peersOf } from './ask.ts';

/** Leechers on ports from 7000, IPv4 and IPv6. */
async function fill(server: RunningServer, ipv4: number, ipv6: number): Promise<void> {
  for (let index = 1; index <= ipv4; index++) {
    await announce(
      server,
      { port: 7000, left: 1, peer_id: peerIdOf(index) },
      { via: `203.0.${index >> 8}.${index & 255}` },
    );
  }
  for (let index = 1; index <= ipv6; index++) {
    await announce(server, { port: 7000, left: 1 }, { via: `2001:db8::${index.toString(16)}` });
  }
}

const behindProxy = { settings: { trustProxy: 1 } };
const denying = (verdict: 1 | 2 | 3) => ({ access: { verdict: () => verdict } as const });

describe('D. answer encoding', () => {
  it('D1: decoded strictly and encoded again, an answer is the same bytes', async () => {
    await using server = await startServer(behindProxy);
    await fill(server, 2, 2);
    for (const via of ['203.0.113.9', '2001:db8::99']) {
      for (const compact of [0, 1]) {
        const { body } = await ask(server, `/announce?${announceQuery({ compact, left: 1 })}`, { via });
        assert.deepEqual(Buffer.from(bencode.encode(bencode.decode(body))), body);
        const keys = [...body.toString('latin1').matchAll(/\d+:(complete|downloaded|incomplete|peers6?)/g)];
        assert.deepEqual(keys.map((match) => match[1]).slice(0, 3), ['complete', 'downloaded', 'incomplete']);
      }
    }
  });

  it('D2: a swarm of IPv6 peers only is answered with empty peers and peers6', async () => {
    await using server = await startServer(behindProxy);
    await fill(server, 0, 3);
    const { body } = await ask(server, `/announce?${announceQuery()}`, { via: '203.0.113.9' });
    assert.match(body.toString('latin1'), /5:peers0:6:peers654:/);
  });

  it("D3, D4: the asker's family comes first, the other gets what is left of numwant", async () => {
    await using server = await startServer(behindProxy);
    await fill(server, 3, 3);
    const given = async (via: string, numwant: number): Promise<number[]> => {
      const { peers, peers6 } = await announce(server, { numwant, port: 7009 }, { via });
      return [peers.length / 6, (peers6?.length ?? 0) / 18];
    };
    assert.deepEqual(await given('203.0.113.9', 4), [3, 1]);
    assert.deepEqual(await given('2001:db8::99', 4), [1, 3]);
    assert.deepEqual(await given('203.0.113.9', 2), [2, 0]);
    assert.deepEqual(await given('2001:db8::99', 2), [0, 2]);
  });

  it('D5: external ip is the raw address that we see', async () => {
    await using server = await startServer(behindProxy);
    const external = async (via: string): Promise<string> => {
      return Buffer.from((await announce(server, {}, { via }))['external ip']).toString('hex');
    };
    assert.equal(await external('203.0.113.7'), 'cb007107');
    assert.equal(await external('2001:db8::1'), '20010db8000000000000000000000001');
    assert.equal(await external('::ffff:203.0.113.7'), 'cb007107');
  });

  it('D6: an IPv4-mapped peer is an IPv4 peer', async () => {
    await using server = await startServer(behindProxy);
    await announce(server, {}, { via: '::ffff:1.2.3.4' });
    const answer = await announce(server, { left: 1 }, { via: '2001:db8::1' });
    assert.deepEqual(peersOf(answer), ['1.2.3.4:6881']);
    assert.equal(answer.peers.length, 6);
    assert.equal(answer.peers6, undefined);
  });

  it('D7: a torrent refused for good says so in the numbers clients obey, and changes nothing', async () => {
    for (const verdict of [1, 2] as const) {
      await using server = await startServer(denying(verdict));
      const response = await ask(server, `/announce?${announceQuery()}`);
      assert.match(
        response.body.toString('latin1'),
        /^d14:failure reason\d+:torrent not allowed: [ -~]+8:intervali3600e12:min intervali3600e8:retry in5:nevere$/,
      );
      assert.ok(failureReason(response).length <= 100);
      assert.equal(server.table.totals.swarms, 0);
    }
  });

  it('D7: while the allow list is not loaded nobody is told never', async () => {
    await using server = await startServer(denying(3));
    const { body } = await ask(server, `/announce?${announceQuery()}`);
    assert.match(
      body.toString('latin1'),
      /^d14:failure reason\d+:[ -~]+8:intervali300e12:min intervali300e8:retry ini5ee$/,
    );
  });

  it('D8: nothing is compressed that nobody asked for, nor an announce ever', async () => {
    await using server = await startServer(behindProxy);
    await fill(server, 200, 0);
    for (const headerLines of [[], ['Accept-Encoding: gzip']]) {
      const query = announceQuery({ numwant: 200, left: 1 });
      const { fields, body } = await ask(server, `/announce?${query}`, { via: '203.0.113.9', headerLines });
      assert.equal(fields.get('content-encoding'), undefined);
      assert.equal(body[0], 'd'.charCodeAt(0));
    }
  });

  it('D9: 200 peers are 1,200 bytes, and Content-Length is exact', async () => {
    await using server = await startServer(behindProxy);
    await fill(server, 201, 0);
    const { fields, body } = await ask(server, `/announce?${announceQuery({ numwant: 200 })}`, {
      via: '203.0.113.9',
    });
    const text = body.toString('latin1');
    const at = text.indexOf('5:peers1200:');
    assert.ok(at > 0);
    assert.equal(text.length, at + '5:peers1200:'.length + 1200 + 1);
    assert.equal(fields.get('content-length'), String(text.length));
  });

  it('a peer for whom the table has no room is answered with a warning and not listed', async () => {
    const table = buildTable({ peersMax: 1_000, swarmsMax: 500 });
    await using server = await startServer({ ...behindProxy, table });
    const hash = (index: number): string => `info_hash-of-${String(index).padStart(7, '0')}`;
    for (let index = 0; index < 1_000; index++) {
      server.tracker.announce(
        {
          infoHash: Buffer.from(hash(index % 5)),
          peerId: Buffer.from(peerIdOf(index)),
          port: 1000 + index,
          left: 'some',
          event: 'none',
          numwant: 0,
          isCompact: true,
          withPeerIds: false,
          ip: undefined,
        },
        Uint8Array.of(203, 0, 113, 1),
        server.clock.nowSeconds,
      );
    }
    const answer = await announce(server, { info_hash: hash(0), left: 1, port: 7 }, { via: '203.0.113.9' });
    assert.ok(answer['warning message'] !== undefined);
    assert.match(Buffer.from(answer['warning message']).toString(), /^tracker is full/);
    assert.equal(peersOf(answer).length, 50);
    assert.deepEqual(countsOf(answer), [0, 200, 0]);
    const newSwarm = await announce(server, { info_hash: hash(9), left: 1 }, { via: '203.0.113.9' });
    assert.deepEqual(countsOf(newSwarm), [0, 0, 0]);
    assert.equal(server.counters.announcesNotStored, 2);
  });
});
