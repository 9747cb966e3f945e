import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import bencode from 'bencode';
import fc from 'fast-check';
import { ClientError } from '../../src/protocol/client-error.ts';
import { encodeScrapeReply, type ScrapedTorrent } from '../../src/protocol/scrape-reply.ts';
import { parseScrapeRequest } from '../../src/protocol/scrape-request.ts';
import { escaped, HASH_1, hashOf, scrapeQuery } from '../builders/requests.ts';

function parse(query: string, hashesMax = 100): readonly Uint8Array[] | ClientError {
  const bytes = Uint8Array.from(Buffer.from(query, 'latin1'));
  return parseScrapeRequest(bytes, 0, bytes.length, hashesMax);
}

const counts = (infoHash: Uint8Array): ScrapedTorrent => ({
  infoHash,
  complete: 1,
  downloaded: 0,
  downloaders: 0,
  incomplete: 0,
});

describe('a scrape request', () => {
  it('gives its hashes in byte order, each once, and passes over other parameters', () => {
    const [low, high] = [hashOf(0x04), hashOf(0xff)];
    assert.deepEqual(parse(`azver=3&${scrapeQuery(high, low, high)}&port=1`), [low, high]);
  });

  it('takes as many hashes as the tracker allows and passes over the rest unread', () => {
    const query = scrapeQuery(hashOf(3), hashOf(2), hashOf(1));
    assert.deepEqual(parse(query, 2), [hashOf(2), hashOf(3)]);
    assert.deepEqual(parse(`${query}&info_hash=short`, 3), [hashOf(1), hashOf(2), hashOf(3)]);
  });

  it('is refused whole for one bad hash, and for none', () => {
    const bad = parse(`${scrapeQuery(HASH_1)}&info_hash=short`);
    assert.ok(bad instanceof ClientError && /^invalid info_hash/.test(bad.failureReason));
    for (const query of ['', 'port=1', '&']) {
      const full = parse(query);
      assert.ok(full instanceof ClientError && /^full scrape not allowed/.test(full.failureReason));
    }
  });

  it('gives back any hashes that were encoded', () => {
    const anyHash = fc.uint8Array({ minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(fc.uniqueArray(anyHash, { minLength: 1, maxLength: 9, selector: escaped }), (hashes) => {
        assert.deepEqual(parse(scrapeQuery(...hashes)), [...hashes].sort(Buffer.compare));
      }),
    );
  });
});

describe('a scrape answer, byte for byte', () => {
  const encode = (...files: ScrapedTorrent[]): string =>
    Buffer.from(encodeScrapeReply({ files, minRequestIntervalSeconds: 900 })).toString('latin1');

  it('names a torrent by its raw 20 bytes', () => {
    const body = encode(counts(HASH_1));
    const key = Buffer.from(HASH_1).toString('latin1');
    assert.equal(
      body,
      `d5:filesd20:${key}d8:completei1e10:downloadedi0e11:downloadersi0e10:incompletei0eee5:flagsd20:min_request_intervali900eee`,
    );
    assert.equal(body.length, 135);
  });

  it('has the bytes of bencode whatever the counts, at their longest too', () => {
    const anyCount = fc.oneof(fc.nat({ max: 12 }), fc.nat(), fc.maxSafeNat(), fc.constant(2 ** 53 - 1));
    const anyCounts = fc.record({
      complete: anyCount,
      downloaded: anyCount,
      downloaders: anyCount,
      incomplete: anyCount,
    });
    fc.assert(
      fc.property(fc.array(anyCounts, { maxLength: 100 }), (all) => {
        const files = all.map((some, number) => ({ ...some, infoHash: hashOf(number) }));
        const entries = files.map(({ infoHash, ...some }) => {
          const key = Buffer.from(infoHash).toString('latin1');
          return `20:${key}${Buffer.from(bencode.encode(some)).toString()}`;
        });
        const flags = 'd20:min_request_intervali900ee';
        assert.equal(encode(...files), `d5:filesd${entries.join('')}e5:flags${flags}e`);
      }),
    );
  });

  it('orders torrents by raw bytes', () => {
    const body = encode(
      counts(hashOf(0xff)),
      counts(hashOf(0x0a)),
      counts(hashOf(0x04)),
      counts(hashOf(0x80)),
    );
    const order = [...body.matchAll(/20:(.)\1{19}d/gs)].map((match) => match[1]);
    assert.deepEqual(order, ['\x04', '\x0a', '\x80', '\xff']);
  });
});
