/** The address of an announce, read where it lies in X-Forwarded-For, is the one that the text of the header gives. */
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import fc from 'fast-check';
import { forwardedAddress } from '../../src/http/client-address.ts';
import { Recognised, RequestHead } from '../../src/protocol/request-head.ts';

const octet = fc.oneof(fc.integer({ min: 0, max: 300 }).map(String), fc.constantFrom('', '00', '01', '1e1'));
const quad = fc.array(octet, { minLength: 3, maxLength: 5 }).map((octets) => octets.join('.'));
const entry = fc.oneof(
  { weight: 4, arbitrary: quad },
  { weight: 4, arbitrary: fc.ipV4() },
  fc.ipV6(),
  fc.ipV4().map((address) => `${address}:80`),
  fc.ipV6().map((address) => `[${address}]:80`),
  fc.string({ unit: fc.constantFrom(...'0123456789.: []abcf'), maxLength: 12 }),
);
const blanks = fc.constantFrom('', '', ' ', '  ');
const line = fc
  .array(
    fc.tuple(blanks, entry, blanks).map((parts) => parts.join('')),
    { minLength: 1, maxLength: 4 },
  )
  .map((entries) => entries.join(','));

describe('X-Forwarded-For', () => {
  test('gives the same address read in place and read as text, wherever both find one', () => {
    let foundInPlace = 0;
    fc.assert(
      fc.property(
        fc.oneof({ weight: 3, arbitrary: line.map((text) => [text]) }, fc.array(line, { maxLength: 3 })),
        fc.integer({ min: 1, max: 4 }),
        (lines, place) => {
          const fields = lines.map((text) => `X-Forwarded-For: ${text}\r\n`).join('');
          const bytes = Buffer.from(`GET /announce?a HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
          const head = new RequestHead();
          assert.equal(head.read(bytes, 0, bytes.length), Recognised.whole);
          const inPlace = head.forwardedIpv4(place);
          const asText = forwardedAddress(head.forwardedFor(), place);
          if (inPlace !== undefined) {
            foundInPlace += 1;
            assert.deepEqual(Buffer.from(inPlace), asText && Buffer.from(asText));
          } else if (lines.length === 1) {
            const entries = lines[0]!.split(',');
            assert.doesNotMatch(entries.at(-place) ?? '', /^ *(0|[1-9]\d?)(\.(0|[1-9]\d?)){3} *$/);
          }
        },
      ),
      { numRuns: 5_000 },
    );
    assert.ok(foundInPlace > 100, `only ${foundInPlace} were found in place`);
  });
});
