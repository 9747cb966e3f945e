import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseAnnounceRequest } from '../../src/protocol/announce-request.ts';
import { ClientError } from '../../src/protocol/client-error.ts';
import { decodeDecimal, decodeExactly, decodesTo, QueryCursor } from '../../src/protocol/query.ts';
import { parseScrapeRequest } from '../../src/protocol/scrape-request.ts';
import { announceQuery, escaped, fullyEscaped } from '../builders/requests.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

function pairsOf(query: string): [string, string][] {
  const bytes = bytesOf(query);
  const pairs: [string, string][] = [];
  const cursor = new QueryCursor(bytes, 0, bytes.length);
  while (cursor.next()) {
    pairs.push([
      query.slice(cursor.nameStart, cursor.nameEnd),
      query.slice(cursor.valueStart, cursor.valueEnd),
    ]);
  }
  return pairs;
}

/** Bytes that look like a query often enough to reach every branch. */
const queryLike = fc
  .array(
    fc.oneof(
      fc.constantFrom('info_hash', 'peer_id', 'port', 'left', 'numwant', 'ip', 'event', 'compact', '&', '='),
      fc.constantFrom('%', '%4', '%zz', '%00', '+', ';', '?', '0', '6881', '-1', '1.2.3.4', 'stopped'),
      fc.uint8Array({ maxLength: 24 }).map(fullyEscaped),
      fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    ),
    { maxLength: 40 },
  )
  .map((parts) => bytesOf(parts.join('')));

describe('the pairs of a query', () => {
  it('are split at & only, and each at its first =', () => {
    assert.deepEqual(pairsOf('a=1&b=2=3;c=4&d?e=5'), [
      ['a', '1'],
      ['b', '2=3;c=4'],
      ['d?e', '5'],
    ]);
  });

  it('leave out empty segments, and a name may stand alone or have an empty value', () => {
    assert.deepEqual(pairsOf('&&a&b=&&=c&'), [
      ['a', ''],
      ['b', ''],
      ['', 'c'],
    ]);
    assert.deepEqual(pairsOf(''), []);
    assert.deepEqual(pairsOf('&&&'), []);
  });

  it('are read only between start and end', () => {
    const bytes = bytesOf('x=1&a=2&y=3');
    const cursor = new QueryCursor(bytes, 4, 7);
    assert.equal(cursor.next(), true);
    assert.deepEqual([cursor.nameStart, cursor.nameEnd, cursor.valueStart, cursor.valueEnd], [4, 5, 6, 7]);
    assert.equal(cursor.next(), false);
  });
});

describe('percent-decoding', () => {
  it('gives back any bytes that were encoded, escaped sparingly or throughout', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (value, isFull) => {
        const query = bytesOf(isFull ? fullyEscaped(value) : escaped(value));
        const out = new Uint8Array(value.length);
        assert.ok(decodeExactly(query, 0, query.length, out));
        assert.deepEqual(out, value);
        assert.ok(decodesTo(query, 0, query.length, value));
      }),
    );
  });

  it('takes hex digits of either case and leaves + alone', () => {
    const query = bytesOf('%4a%4A%aF+');
    assert.ok(decodesTo(query, 0, query.length, Uint8Array.of(0x4a, 0x4a, 0xaf, 0x2b)));
  });

  it('refuses an escape that is cut off or has other than hex digits, even where bytes follow the end', () => {
    for (const text of ['%', '%4', 'a%', '%zz', '%0g', '%-1', '%%4', '%4%']) {
      const query = bytesOf(`${text}41`);
      for (const room of [1, 2, 3]) {
        assert.equal(decodeExactly(query, 0, text.length, new Uint8Array(room)), false, text);
      }
      assert.equal(decodesTo(query, 0, text.length, bytesOf(text)), false, text);
    }
  });

  it('refuses a value that is shorter or longer than what is wanted', () => {
    const query = bytesOf('%41b');
    assert.equal(decodeExactly(query, 0, 4, new Uint8Array(1)), false);
    assert.equal(decodeExactly(query, 0, 4, new Uint8Array(3)), false);
  });
});

describe('a decimal number', () => {
  const decimal = (text: string): number => decodeDecimal(bytesOf(text), 0, text.length, 65536);

  it('is digits, escaped or not, leading zeros and all, and stops growing at the most that is wanted', () => {
    assert.equal(decimal('0'), 0);
    assert.equal(decimal('006881'), 6881);
    assert.equal(decimal('%36881'), 6881);
    assert.equal(decimal('65536'), 65536);
    assert.equal(decimal('99999999999999999999999999'), 65536);
  });

  it('is -1 for anything else', () => {
    for (const text of [
      '',
      '-1',
      '+1',
      '1e3',
      '0x10',
      ' 5',
      '5 ',
      '%205',
      '5%20',
      '1.0',
      'NaN',
      '%',
      '5%3',
    ]) {
      assert.equal(decimal(text), -1, text);
    }
  });
});

describe('whatever bytes come as a query', () => {
  it('the parsers answer with a request or a ClientError and never throw', () => {
    fc.assert(
      fc.property(queryLike, (bytes) => {
        const announce = parseAnnounceRequest(bytes, 0, bytes.length);
        const scrape = parseScrapeRequest(bytes, 0, bytes.length, 100);
        assert.ok(announce instanceof ClientError || announce.infoHash.length === 20);
        assert.ok(scrape instanceof ClientError || scrape.length > 0);
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        parseAnnounceRequest(bytes, 0, bytes.length);
        parseScrapeRequest(bytes, 0, bytes.length, 100);
      }),
      { numRuns: 2_000 },
    );
  });

  it('an announce means the same wherever it lies in a buffer', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          queryLike,
          fc.constantFrom(bytesOf(announceQuery()), bytesOf(announceQuery({ ip: '1.2.3.4' }))),
        ),
        fc.uint8Array({ maxLength: 9 }),
        fc.uint8Array({ maxLength: 9 }),
        (query, before, after) => {
          const bytes = Uint8Array.from([...before, ...query, ...after]);
          assert.deepEqual(
            parseAnnounceRequest(bytes, before.length, before.length + query.length),
            parseAnnounceRequest(query, 0, query.length),
          );
        },
      ),
    );
  });
});
