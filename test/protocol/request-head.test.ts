import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HEAD_BYTES_MAX, Recognised, RequestHead } from '../../src/protocol/request-head.ts';
import { announceQuery, rawRequest } from '../builders/requests.ts';
import { NOT_FOR_THE_LANE, UNUSUAL_BUT_PLAIN } from '../http/odd-requests.ts';

const QUERY = announceQuery();
const HEAD = rawRequest(`/announce?${QUERY}`, ['Accept-Encoding: gzip']);

function read(bytes: Buffer, start = 0, end = bytes.length): { head: RequestHead; recognised: Recognised } {
  const head = new RequestHead();
  return { head, recognised: head.read(bytes, start, end) };
}

function whole(...lines: string[]): RequestHead {
  const { head, recognised } = read(rawRequest(`/announce?${QUERY}`, lines));
  assert.equal(recognised, Recognised.whole);
  return head;
}

describe('a request head', () => {
  it('is read where it lies, and its query is found', () => {
    const before = Buffer.from('something before ');
    const bytes = Buffer.concat([before, HEAD, Buffer.from('GET /after')]);
    const { head, recognised } = read(bytes, before.length);
    assert.equal(recognised, Recognised.whole);
    assert.equal(bytes.toString('latin1', head.queryStart, head.queryEnd), QUERY);
    assert.equal(head.end, before.length + HEAD.length);
    assert.equal(head.isScrape, false);
    assert.equal(head.keepsAlive, true);
    assert.equal(head.acceptEncoding(), 'gzip');
    assert.equal(head.forwardedFor(), undefined);
  });

  it('is begun at every length short of its own', () => {
    for (let end = 0; end < HEAD.length; end++) {
      assert.equal(read(HEAD, 0, end).recognised, Recognised.begun, `${end} bytes`);
    }
  });

  it('asks that the connection be closed by HTTP/1.0 or Connection: close', () => {
    assert.equal(whole('Connection: close').keepsAlive, false);
    assert.equal(whole('connection:  CLOSE ').keepsAlive, false);
    assert.equal(whole('Connection: keep-alive').keepsAlive, true);
    const { head } = read(rawRequest('/scrape?', [], { version: 'HTTP/1.0' }));
    assert.equal(head.keepsAlive, false);
    assert.equal(head.isScrape, true);
  });

  it('joins the lines of X-Forwarded-For', () => {
    assert.equal(whole('X-Forwarded-For: a ').forwardedFor(), 'a');
    assert.equal(whole('X-Forwarded-For:').forwardedFor(), '');
    const lines = ['X-Forwarded-For: a', 'X-Other: 1', 'x-forwarded-for: b, c', 'X-FORWARDED-FOR: d'];
    assert.equal(whole(...lines).forwardedFor(), 'a, b, c, d');
  });

  it('says what Cloudflare adds', () => {
    assert.equal(whole().hasCfRay, false);
    const head = whole('CF-Ray: 1-AMS', 'cf-connecting-ip: 203.0.113.7');
    assert.equal(head.hasCfRay, true);
    assert.equal(head.cfConnectingIp(), '203.0.113.7');
  });

  it('leaves nothing of itself to the next one read by the same object', () => {
    const head = new RequestHead();
    const lines = ['X-Forwarded-For: a', 'X-Forwarded-For: b', 'CF-Ray: 1', 'CF-Connecting-IP: c'];
    const first = rawRequest('/scrape?', [...lines, 'Connection: close', 'Accept-Encoding: gzip']);
    assert.equal(head.read(first, 0, first.length), Recognised.whole);
    const second = rawRequest(`/announce?${QUERY}`);
    assert.equal(head.read(second, 0, second.length), Recognised.whole);
    const { isScrape, keepsAlive, hasCfRay } = head;
    assert.deepEqual(
      { isScrape, keepsAlive, hasCfRay },
      { isScrape: false, keepsAlive: true, hasCfRay: false },
    );
    assert.deepEqual(
      [head.forwardedFor(), head.cfConnectingIp(), head.acceptEncoding()],
      Array(3).fill(undefined),
    );
  });

  for (const [name, bytes] of Object.entries(UNUSUAL_BUT_PLAIN)) {
    it(`is whole: ${name}`, () => assert.equal(read(bytes).recognised, Recognised.whole));
  }

  for (const [name, bytes] of Object.entries(NOT_FOR_THE_LANE)) {
    it(`is foreign: ${name}`, () => assert.equal(read(bytes).recognised, Recognised.foreign));
  }

  it('is foreign once it has HEAD_BYTES_MAX bytes and no end', () => {
    const begun = Buffer.from(`GET /announce?${'x'.repeat(HEAD_BYTES_MAX)}`).subarray(0, HEAD_BYTES_MAX);
    assert.equal(read(begun, 0, HEAD_BYTES_MAX - 1).recognised, Recognised.begun);
    assert.equal(read(begun).recognised, Recognised.foreign);
  });

  it('is told from the first byte that is not its own', () => {
    assert.equal(read(Buffer.from('P')).recognised, Recognised.foreign);
    assert.equal(read(Buffer.from('GET /announce/')).recognised, Recognised.foreign);
    assert.equal(read(Buffer.from('GET /announce?a=b HTTP/1.1\n')).recognised, Recognised.foreign);
    assert.equal(
      read(Buffer.from('GET /scrape?a=b HTTP/1.1\r\nContent-Length:')).recognised,
      Recognised.begun,
    );
    assert.equal(read(Buffer.from('GET /scrape?a=b HTTP/1.1\r\nA\n')).recognised, Recognised.foreign);
  });
});
