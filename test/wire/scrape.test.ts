import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { escaped, HASH_1, hashOf, scrapeQuery } from '../builders/requests.ts';
import { purgeNow, startServer } from '../builders/server.ts';
import { announce, ask, failureReason, SCRAPED_NOTHING, scrape } from './ask.ts';

const numberedHash = (number: number): Uint8Array => {
  const hash = new Uint8Array(20);
  new DataView(hash.buffer).setUint32(0, number);
  return hash;
};
const numberedHashes = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, n) => numberedHash(n));
const entriesIn = (body: Buffer): number => body.toString('latin1').split('8:complete').length - 1;

describe('G. scrape', () => {
  it('G1, G10, G14: a known torrent, to the byte', async () => {
    await using server = await startServer();
    await announce(server);
    const { body, fields } = await ask(server, `/scrape?${scrapeQuery(HASH_1)}`);
    const key = Buffer.from(HASH_1).toString('latin1');
    assert.equal(
      body.toString('latin1'),
      `d5:filesd20:${key}d8:completei1e10:downloadedi0e11:downloadersi0e10:incompletei0eee5:flagsd20:min_request_intervali900eee`,
    );
    assert.equal(body.length, 135);
    assert.equal(fields.get('content-type'), 'text/plain');
    assert.equal(fields.get('content-length'), '135');
  });

  it('G2: an unknown torrent has zeros and stays unknown', async () => {
    await using server = await startServer();
    assert.deepEqual(await scrape(server, HASH_1), SCRAPED_NOTHING);
    assert.equal(server.table.find(HASH_1), -1);
  });

  it('a banned torrent is answered like an unknown one', async () => {
    const banned = new Set<number>();
    await using server = await startServer({
      access: { verdict: (hash) => (banned.has(hash[0]!) ? 1 : 0) },
    });
    await announce(server);
    assert.equal((await scrape(server, HASH_1)).complete, 1);
    banned.add(HASH_1[0]!);
    assert.deepEqual(await scrape(server, HASH_1), SCRAPED_NOTHING);
  });

  it('G3, G4: torrents are in the order of their bytes, each once', async () => {
    await using server = await startServer();
    const { body } = await ask(server, `/scrape?${scrapeQuery(hashOf(0xff), HASH_1, hashOf(0xff))}`);
    const text = body.toString('latin1');
    assert.ok(text.indexOf('20:\x04') < text.indexOf('20:\xff'));
    assert.equal(entriesIn(body), 2);
  });

  it('G5, G6: 60 and 100 torrents are answered, of 101 the first 100', async () => {
    await using server = await startServer();
    for (const [asked, answered] of [
      [60, 60],
      [100, 100],
      [101, 100],
    ] as const) {
      const { body } = await ask(server, `/scrape?${scrapeQuery(...numberedHashes(asked))}`);
      assert.equal(entriesIn(body), answered);
      assert.ok(!body.includes(Buffer.from(numberedHash(100))));
    }
  });

  it('G7: 1,000 torrents are answered 414 and nothing else', async () => {
    await using server = await startServer();
    const target = `/scrape?${numberedHashes(1_000)
      .map((hash) => `info_hash=${escaped(hash)}`)
      .join('&')}`;
    const { status, body } = await ask(server, target);
    assert.equal(status, 414);
    assert.equal(body.length, 0);
  });

  it('G8: one bad hash fails the request', async () => {
    await using server = await startServer();
    const response = await ask(server, `/scrape?${scrapeQuery(HASH_1)}&info_hash=${'a'.repeat(19)}`);
    assert.match(failureReason(response), /^invalid info_hash: /);
  });

  it('G9: a scrape of everything is not allowed', async () => {
    await using server = await startServer();
    for (const target of ['/scrape', '/scrape?', '/scrape?port=1']) {
      assert.match(failureReason(await ask(server, target)), /^full scrape not allowed/);
    }
  });

  it('G11: a plus in the hash is a plus', async () => {
    await using server = await startServer();
    const infoHash = 'a+b+c+d+e+f+g+h+i+j+';
    await announce(server, { info_hash: infoHash });
    const { body } = await ask(server, `/scrape?info_hash=${infoHash}`);
    assert.ok(body.toString('latin1').startsWith(`d5:filesd20:${infoHash}d8:completei1e`));
  });

  it('G12: a scrape keeps nobody alive', async () => {
    await using server = await startServer();
    await announce(server);
    server.clock.nowSeconds += 3601;
    assert.equal((await scrape(server, HASH_1)).complete, 1);
    purgeNow(server);
    assert.deepEqual(await scrape(server, HASH_1), SCRAPED_NOTHING);
  });

  it('G13: parameters of announces are passed over', async () => {
    await using server = await startServer();
    const { body } = await ask(
      server,
      `/scrape?azsf=1&${scrapeQuery(HASH_1)}&event=started&port=1&peer_id=x`,
    );
    assert.equal(entriesIn(body), 1);
  });

  it('a long answer is compressed for who lists gzip, and for nobody else', async () => {
    await using server = await startServer();
    const target = `/scrape?${scrapeQuery(...numberedHashes(100))}`;
    const plain = await ask(server, target);
    assert.ok(plain.body.length > 1024);
    assert.equal(plain.fields.get('content-encoding'), undefined);
    for (const value of ['gzip', 'deflate, gzip, br', 'br;q=1, GZIP;q=0.5']) {
      const { body, fields } = await ask(server, target, { headerLines: [`Accept-Encoding: ${value}`] });
      assert.equal(fields.get('content-encoding'), 'gzip', value);
      assert.equal(fields.get('content-length'), String(body.length));
      assert.deepEqual(gunzipSync(body), plain.body);
    }
    for (const value of ['deflate, br', 'gzip;q=0', 'xgzip', '*']) {
      const { fields } = await ask(server, target, { headerLines: [`Accept-Encoding: ${value}`] });
      assert.equal(fields.get('content-encoding'), undefined, value);
    }
    const short = await ask(server, `/scrape?${scrapeQuery(HASH_1)}`, {
      headerLines: ['Accept-Encoding: gzip'],
    });
    assert.equal(short.fields.get('content-encoding'), undefined);
  });
});
