import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { type Reply, ReplyReader } from '../../../src/cli/stress/stress-reply.ts';

const REFUSED = 'd14:failure reason2:noe';
const REPLIES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nd1e',
  'HTTP/1.1 100 Continue\r\n\r\n',
  `HTTP/1.1 200 OK\r\ncontent-length: ${REFUSED.length}\r\n\r\n${REFUSED}`,
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
].join('');

function readInPieces(text: string, pieceBytes: number): Reply[] {
  const replies: Reply[] = [];
  const reader = new ReplyReader((reply) => replies.push(reply));
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    assert.ok(reader.push(bytes.subarray(at, at + pieceBytes)));
  }
  reader.end();
  return replies;
}

describe('the reader of replies', () => {
  for (const pieceBytes of [1, 2, 7, 1000]) {
    test(`finds each pipelined reply when they arrive in pieces of ${pieceBytes} bytes`, () => {
      const replies = readInPieces(REPLIES, pieceBytes);
      assert.deepEqual(
        replies.map(({ status, body }) => [status, body.toString('latin1')]),
        [
          [200, 'd1e'],
          [200, REFUSED],
          [200, 'abc0123456789'],
          [204, ''],
          [503, ''],
        ],
      );
      assert.deepEqual(
        replies.map(({ isRefusal }) => isRefusal),
        [false, true, false, false, false],
      );
      assert.deepEqual(
        replies.map(({ isLast }) => isLast),
        [false, false, false, false, true],
      );
    });
  }

  test('takes a body without a length as ended when the connection ends', () => {
    const replies = readInPieces('HTTP/1.0 200 OK\r\n\r\nabc', 5);
    assert.deepEqual(
      replies.map(({ body, isLast }) => [body.toString(), isLast]),
      [['abc', true]],
    );
  });

  test('says so when what arrives is no HTTP', () => {
    const reader = new ReplyReader(() => assert.fail('it was no reply'));
    assert.equal(reader.push(Buffer.from('SSH-2.0-OpenSSH\r\n\r\n')), false);
  });
});
