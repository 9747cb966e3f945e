import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatInfoHash } from '../../src/protocol/info-hash.ts';
import { infoHashFrom } from '../../src/protocol/magnet.ts';

const HEX = '040b6b563f5c7214a6b798ad43c3c92e402400b9';
const BASE32 = 'AQFWWVR7LRZBJJVXTCWUHQ6JFZACIAFZ';
const OTHER = 'ffffffffffffffffffffffffffffffffffffffff';
const V2 = `urn:btmh:1220${'ab'.repeat(32)}`;

function found(text: string): string | undefined {
  const infoHash = infoHashFrom(text);
  return infoHash === undefined ? undefined : formatInfoHash(infoHash);
}

describe('an info hash in what people paste', () => {
  it('is 40 hexadecimal characters, or 32 of base32, of either case, with spaces around', () => {
    for (const text of [HEX, HEX.toUpperCase(), BASE32, BASE32.toLowerCase(), ` ${HEX}\t\r\n`])
      assert.equal(found(text), HEX, text);
  });

  it('stands in a magnet link, in hex or base32, wherever its parameter is', () => {
    for (const text of [
      `magnet:?xt=urn:btih:${HEX}`,
      `magnet:?xt=urn:btih:${HEX.toUpperCase()}&dn=A+name&tr=https%3A%2F%2Ftracker.example%2Fannounce`,
      `magnet:?dn=xt%3Durn&xt=urn:btih:${BASE32.toLowerCase()}`,
      `MAGNET:?XT=URN:BTIH:${BASE32}`,
      `magnet:?xt.1=urn:sha1:${BASE32}&xt.2=urn:btih:${HEX}`,
    ]) {
      assert.equal(found(text), HEX, text);
    }
  });

  it('is found in a link that a program has encoded or escaped', () => {
    for (const text of [
      `magnet:?xt=urn%3Abtih%3A${HEX}`,
      `magnet:?dn=x&amp;xt=urn:btih:${HEX}&amp;tr=udp://tracker.example`,
      encodeURIComponent(`magnet:?dn=a%20b&xt=urn:btih:${HEX}&tr=x`),
      `magnet:?dn=%&xt=urn:btih:${HEX}&tr=%zz%f`,
    ]) {
      assert.equal(found(text), HEX, text);
    }
  });

  it('is the first v1 hash of a link that names several topics', () => {
    assert.equal(found(`magnet:?xt=${V2}&xt=urn:btih:${HEX}`), HEX);
    assert.equal(found(`magnet:?xt=urn:btih:${HEX}&xt=urn:btih:${OTHER}`), HEX);
    assert.equal(found(`magnet:?xt=urn:btih:short&xt=urn:btih:${HEX}`), HEX);
  });

  it('is not there in a link of a v2 torrent only, nor in anything else', () => {
    for (const text of [
      '',
      `magnet:?xt=${V2}`,
      'magnet:?dn=name',
      `magnet:?dn=urn:btih:${HEX}`,
      `magnet:?axt=urn:btih:${HEX}`,
      `magnet:?xt=urn:btih:${HEX}0`,
      `magnet:?xt=urn:btih:${HEX.slice(1)}`,
      `https://example.org/?xt=urn:btih:${HEX}`,
      `${HEX} ${HEX}`,
      HEX.slice(1),
      `${BASE32.slice(1)}1`,
      BASE32.slice(1),
      `${BASE32}A`,
      `g${HEX.slice(1)}`,
    ]) {
      assert.equal(found(text), undefined, text);
    }
  });

  it('is read from base32 as RFC 4648 writes it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => {
        assert.equal(found(toBase32(bytes)), formatInfoHash(bytes));
      }),
    );
  });

  it('never throws, whatever is pasted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        infoHashFrom(text);
        infoHashFrom(`magnet:?xt=${text}`);
      }),
    );
  });
});

/** By way of one large number, unlike the reader. */
function toBase32(bytes: Uint8Array): string {
  let number = BigInt(`0x${formatInfoHash(bytes)}`);
  let text = '';
  for (let index = 0; index < 32; index++) {
    text = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number(number & 31n)] + text;
    number >>= 5n;
  }
  return text;
}
