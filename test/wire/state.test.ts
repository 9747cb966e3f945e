import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { announceQuery, escaped, HASH_1, hashOf, peerIdOf, rawRequest } from '../builders/requests.ts';
import { purgeNow, startServer } from '../builders/server.ts';
import { announce, countsOf, peersOf, SCRAPED_NOTHING, scrape, success } from './ask.ts';
import { Connection } from './connection.ts';

const A = { port: 7001, peer_id: peerIdOf(1) };
const B = { port: 7002, peer_id: peerIdOf(2) };

describe('C. state', () => {
  it('C1: a leecher learns of the seeder that came before it, and not of itself', async () => {
    await using server = await startServer();
    await announce(server, A);
    const answer = await announce(server, { ...B, left: 1 });
    assert.deepEqual(countsOf(answer), [1, 1, 0]);
    assert.deepEqual(peersOf(answer), ['127.0.0.1:7001']);
  });

  it('C2: who starts twice is one peer', async () => {
    await using server = await startServer();
    await announce(server, A);
    assert.deepEqual(countsOf(await announce(server, A)), [1, 0, 0]);
    assert.equal(server.table.totals.peers, 1);
  });

  it('C3, C4: a leecher completes once, whatever it repeats', async () => {
    await using server = await startServer();
    await announce(server, { ...A, left: 1 });
    for (const event of ['completed', 'completed', undefined, 'completed']) {
      assert.deepEqual(countsOf(await announce(server, { ...A, event })), [1, 0, 1]);
    }
  });

  it('C5: a completion counts after a periodic announce has told it already', async () => {
    await using server = await startServer();
    await announce(server, { ...A, left: 1 });
    assert.deepEqual(countsOf(await announce(server, { ...A, event: undefined })), [1, 0, 0]);
    assert.deepEqual(countsOf(await announce(server, { ...A, event: 'completed' })), [1, 0, 1]);
  });

  it('C6: a completion of a peer we never heard of counts, without left too', async () => {
    await using server = await startServer();
    assert.deepEqual(countsOf(await announce(server, { ...A, event: 'completed' })), [1, 0, 1]);
    const answer = await announce(server, { ...B, event: 'completed', left: undefined });
    assert.deepEqual(countsOf(answer), [2, 0, 2]);
  });

  it('C7: a seeder from the start completes nothing', async () => {
    await using server = await startServer();
    assert.deepEqual(countsOf(await announce(server, A)), [1, 0, 0]);
  });

  it('C8: a stop in an unknown swarm succeeds and makes no swarm', async () => {
    await using server = await startServer();
    const answer = await announce(server, { ...A, event: 'stopped' });
    assert.deepEqual(countsOf(answer), [0, 0, 0]);
    assert.equal(answer.peers.length, 0);
    assert.equal(server.table.find(HASH_1), -1);
  });

  it('C9, C10: a stop takes the peer out before it is answered, gives no peers, and again changes nothing', async () => {
    await using server = await startServer();
    await announce(server, { ...A, left: 1 });
    await announce(server, B);
    for (let time = 0; time < 2; time++) {
      const answer = await announce(server, { ...B, event: 'stopped', numwant: 50 });
      assert.deepEqual(countsOf(answer), [0, 1, 0]);
      assert.equal(answer.peers.length, 0);
    }
  });

  it('C11: nobody stops another by its peer id', async () => {
    await using server = await startServer();
    await announce(server, B, { from: '127.0.0.2' });
    const answer = await announce(server, { ...B, event: 'stopped' }, { from: '127.0.0.3' });
    assert.deepEqual(countsOf(answer), [1, 0, 0]);
  });

  it('C12: a seeder that lost data is a leecher again', async () => {
    await using server = await startServer();
    await announce(server, A);
    assert.deepEqual(countsOf(await announce(server, { ...A, event: undefined, left: 5 })), [0, 1, 0]);
  });

  it('C13: another peer id behind one endpoint takes its place, and may complete anew', async () => {
    await using server = await startServer();
    await announce(server, { ...A, event: 'completed' });
    assert.deepEqual(countsOf(await announce(server, { ...A, peer_id: peerIdOf(9) })), [1, 0, 1]);
    const answer = await announce(server, { ...A, peer_id: peerIdOf(9), event: 'completed' });
    assert.deepEqual(countsOf(answer), [1, 0, 2]);
  });

  it('C14: two ports behind one peer id are two peers', async () => {
    await using server = await startServer();
    await announce(server, A);
    assert.deepEqual(countsOf(await announce(server, { ...A, port: 7009 })), [2, 0, 0]);
  });

  it('C15: one client over both families is two peers, and each family is served', async () => {
    await using server = await startServer({ settings: { trustProxy: 1 } });
    const client = { ...A, left: 1, key: '81D89FB0' };
    await announce(server, client, { via: '203.0.113.1' });
    await announce(server, client, { via: '2001:db8::1' });
    for (const via of ['203.0.113.2', '2001:db8::2']) {
      const answer = await announce(server, { ...B, event: 'stopped' }, { via });
      assert.deepEqual(countsOf(answer), [0, 2, 0]);
      const peers = peersOf(await announce(server, { ...B, left: 1, port: 7003 }, { via }));
      assert.ok(peers.includes('203.0.113.1:7001') && peers.includes('[2001:db8::1]:7001'));
      await announce(server, { ...B, port: 7003, event: 'stopped' }, { via });
    }
  });

  it('C16, C17, C18: a partial seed is no downloader for as long as it says paused', async () => {
    await using server = await startServer();
    const counts = async () => {
      const { complete, downloaders, incomplete } = await scrape(server, HASH_1);
      return { complete, downloaders, incomplete };
    };
    assert.deepEqual(countsOf(await announce(server, { ...A, event: 'paused', left: 100 })), [0, 1, 0]);
    assert.deepEqual(await counts(), { complete: 0, downloaders: 0, incomplete: 1 });
    await announce(server, { ...A, event: undefined, left: 100 });
    assert.deepEqual(await counts(), { complete: 0, downloaders: 1, incomplete: 1 });
    await announce(server, { ...A, event: 'paused', left: 0 });
    assert.deepEqual(await counts(), { complete: 1, downloaders: 0, incomplete: 0 });
  });

  it('C19: who is silent for longer than the time to live is gone; completions stay', async () => {
    await using server = await startServer();
    await announce(server, { ...A, event: 'completed' });
    server.clock.nowSeconds += 3600;
    await announce(server, { ...B, left: 1 });
    purgeNow(server);
    assert.equal((await scrape(server, HASH_1)).complete, 1);
    server.clock.nowSeconds += 1;
    assert.equal(purgeNow(server), 1);
    assert.deepEqual(await scrape(server, HASH_1), {
      complete: 0,
      downloaded: 1,
      downloaders: 1,
      incomplete: 1,
    });
    const answer = await announce(server, { port: 7003, left: 1 });
    assert.deepEqual(peersOf(answer), ['127.0.0.1:7002']);
  });

  it('C20: of 1,000 peers, 200 at a time, each is given at some time, none twice, never the asker', async () => {
    await using server = await startServer();
    using connection = await Connection.open(server.port);
    const ask = async (port: number, event: string | undefined, numwant: number): Promise<string[]> => {
      connection.send(rawRequest(`/announce?${announceQuery({ port, event, numwant, left: 1 })}`));
      return peersOf(success((await connection.response())!));
    };
    for (let port = 10_000; port < 11_000; port++) await ask(port, 'started', 0);
    const given = new Set<string>();
    for (let time = 0; time < 50; time++) {
      const peers = await ask(10_000, undefined, 200);
      assert.equal(peers.length, 200);
      assert.equal(new Set(peers).size, 200);
      for (const peer of peers) given.add(peer);
    }
    assert.ok(!given.has('127.0.0.1:10000'));
    assert.equal(given.size, 999);
  });

  it('C21: one peer under two hashes is in two swarms', async () => {
    await using server = await startServer();
    await announce(server, A);
    await announce(server, { ...A, info_hash: escaped(hashOf(7)), left: 1 });
    assert.equal(server.table.totals.swarms, 2);
    assert.equal((await scrape(server, HASH_1)).complete, 1);
    assert.equal((await scrape(server, hashOf(7))).incomplete, 1);
    await announce(server, { ...A, info_hash: escaped(hashOf(7)), event: 'stopped' });
    assert.deepEqual(await scrape(server, hashOf(7)), SCRAPED_NOTHING);
    assert.equal((await scrape(server, HASH_1)).complete, 1);
  });
});
