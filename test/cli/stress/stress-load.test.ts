import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { announceLoad, pathLoad } from '../../../src/cli/stress/stress-load.ts';
import { Zipf } from '../../../src/cli/stress/zipf.ts';
import { parseAnnounceRequest } from '../../../src/protocol/announce-request.ts';
import { ClientError } from '../../../src/protocol/client-error.ts';
import { seededRandom } from '../../builders/random.ts';

const options = { host: 'tracker.example', isFresh: false, swarms: 50, peers: 1_000, numwant: 50 };

function announced(request: string) {
  const query = Buffer.from(/^GET \/announce\?(\S+) HTTP\/1\.1\r\n/.exec(request)![1]!, 'latin1');
  const parsed = parseAnnounceRequest(query, 0, query.length);
  assert.ok(!(parsed instanceof ClientError), request);
  return parsed;
}

describe('the load of announces', () => {
  test('is made of whole announces that the tracker understands', () => {
    const next = announceLoad({ ...options, isForwarded: false, random: seededRandom(1) });
    for (let n = 0; n < 500; n++) {
      const request = next();
      assert.ok(request.endsWith('\r\n\r\n'));
      assert.match(request, /\r\nHost: tracker\.example\r\n/);
      assert.doesNotMatch(request, /X-Forwarded-For|Connection/);
      assert.equal(announced(request).numwant, 50);
    }
  });

  test('is half seeders, and its big swarms are much bigger than its small ones', () => {
    const next = announceLoad({ ...options, isForwarded: false, random: seededRandom(2) });
    const swarms = new Map<string, number>();
    let seeders = 0;
    for (let n = 0; n < 4_000; n++) {
      const { infoHash, left } = announced(next());
      const key = Buffer.from(infoHash).toString('hex');
      swarms.set(key, (swarms.get(key) ?? 0) + 1);
      if (left === 'zero') seeders += 1;
    }
    assert.ok(seeders > 1_800 && seeders < 2_200, String(seeders));
    const sizes = [...swarms.values()].sort((one, other) => other - one);
    assert.ok(sizes.length > 30 && sizes.length <= 50);
    assert.ok(sizes[0]! > 8 * sizes[Math.floor(sizes.length / 2)]!, sizes.join(' '));
  });

  test('names the peer’s address and asks for fresh connections when told to', () => {
    const next = announceLoad({ ...options, isForwarded: true, isFresh: true, random: seededRandom(3) });
    assert.match(next(), /\r\nX-Forwarded-For: 11\.0\.\d+\.\d+\r\nConnection: close\r\n\r\n$/);
  });

  test('is the same again from the same seed', () => {
    const [one, other] = [seededRandom(4), seededRandom(4)].map((random) =>
      announceLoad({ ...options, isForwarded: true, random }),
    );
    for (let n = 0; n < 50; n++) assert.equal(one!(), other!());
  });
});

test('the load of one path asks for it as it is', () => {
  const next = pathLoad('/scrape?info_hash=%00', options);
  assert.match(next(), /^GET \/scrape\?info_hash=%00 HTTP\/1\.1\r\n/);
});

describe('Zipf’s law', () => {
  test('draws the first rank twice as often as the second with exponent 1', () => {
    const zipf = new Zipf(1_000, 1);
    const random = seededRandom(5);
    const drawn = new Uint32Array(1_000);
    for (let n = 0; n < 200_000; n++) drawn[zipf.draw(random)]! += 1;
    const ratio = drawn[0]! / drawn[1]!;
    assert.ok(ratio > 1.9 && ratio < 2.1, String(ratio));
  });

  test('draws every rank, and none outside', () => {
    const zipf = new Zipf(3, 0.5);
    const draws = [0, 0x7fff_ffff, 0xffff_ffff].map((value) => zipf.draw(() => value));
    assert.deepEqual(draws, [0, 1, 2]);
  });
});
