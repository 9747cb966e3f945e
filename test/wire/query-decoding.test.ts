import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  announceQuery,
  escaped,
  fullyEscaped,
  HASH_1,
  HASH_1_LOWER,
  HASH_1_UPPER,
  hashOf,
  peerIdOf,
  rawRequest,
} from '../builders/requests.ts';
import { type RunningServer, startServer } from '../builders/server.ts';
import { announce, ask, countsOf, failureReason, peersOf, SCRAPED_NOTHING, scrape, success } from './ask.ts';
import { Connection, exchange } from './connection.ts';

const Q = announceQuery();
const withHash = (value: string | undefined): string => `/announce?${announceQuery({ info_hash: value })}`;

const isEmpty = (server: RunningServer): boolean => server.table.totals.peers === 0;

describe('A. query decoding', () => {
  it('A1: the first announce is answered as the protocol has it, to the byte', async () => {
    await using server = await startServer();
    const { statusLine, fields, body } = await ask(server, `/announce?${Q}`);
    assert.equal(statusLine, 'HTTP/1.1 200 OK');
    assert.equal(
      body.toString('latin1'),
      'd8:completei1e10:downloadedi0e11:external ip4:\x7f\x00\x00\x0110:incompletei0e8:intervali1800e12:min intervali900e5:peers0:e',
    );
    assert.equal(fields.get('content-type'), 'text/plain');
    assert.equal(fields.get('content-length'), String(body.length));
    assert.deepEqual([...fields.keys()].sort(), ['connection', 'content-length', 'content-type', 'date']);
  });

  it('A2, A3, A4: one hash in any way of escaping is one swarm', async () => {
    await using server = await startServer();
    await announce(server);
    const mixed = HASH_1_LOWER.replace('%0b', '%0B').replace('%5c', '%5c').replace('%3f', '%3F');
    for (const [index, info_hash] of [HASH_1_UPPER, mixed, fullyEscaped(HASH_1)].entries()) {
      const answer = await announce(server, { info_hash, port: 7000 + index });
      assert.deepEqual(countsOf(answer), [2 + index, 0, 0]);
    }
    assert.equal(server.table.totals.swarms, 1);
  });

  it('A5: raw marks in a hash are themselves', async () => {
    await using server = await startServer();
    const marks = 'ABCDEFGHIJK-_!.~*()!';
    await announce(server, { info_hash: marks });
    const answer = await announce(server, { info_hash: fullyEscaped(Buffer.from(marks)), port: 7000 });
    assert.deepEqual(countsOf(answer), [2, 0, 0]);
  });

  it('A6: + is a plus', async () => {
    await using server = await startServer();
    await announce(server, { info_hash: 'aaaaaaaaaaaaaaaaaaa+' });
    const start = Buffer.from('a'.repeat(19));
    assert.equal((await scrape(server, Buffer.concat([start, Buffer.from('+')]))).complete, 1);
    assert.deepEqual(await scrape(server, Buffer.concat([start, Buffer.from(' ')])), SCRAPED_NOTHING);
  });

  const start = HASH_1_LOWER.slice(0, -'%00%b9'.length);
  const wrongHashes: readonly (readonly [string, string])[] = [
    ['A7: an escape cut off after a digit', `${start}%00%b`],
    ['A8: an escape cut off after %', `${start}%00%`],
    ['A9: %zz', `${start}%00%zz`],
    ['A9: %0g', `${start}%00%0g`],
    ['A9: %-1', `${start}%00%-1`],
    ['A10: 19 bytes', HASH_1_LOWER.slice(0, -3)],
    ['A11: 21 bytes', `${HASH_1_LOWER}a`],
    ['A12: 40 hex digits', '040b6b563f5c7214a6b798ad43c3c92e402400b9'],
    ['A15: escaped twice', HASH_1_LOWER.replaceAll('%', '%25')],
    ['A16: given twice', `${HASH_1_LOWER}&info_hash=${HASH_1_LOWER}`],
    ['A17: empty', ''],
  ];
  for (const [name, value] of wrongHashes) {
    it(`${name} is no info hash`, async () => {
      await using server = await startServer();
      assert.match(failureReason(await ask(server, withHash(value))), /^invalid info_hash: /);
      assert.ok(isEmpty(server));
    });
  }

  it('A9: an escape with a raw space is no HTTP', async () => {
    await using server = await startServer();
    const { status } = await exchange(server.port, rawRequest(withHash(`${start}%00% 1`)));
    assert.equal(status, 400);
    assert.ok(isEmpty(server));
  });

  it('A13: NUL first, in the middle and last is kept', async () => {
    await using server = await startServer();
    const hash = hashOf(0x41);
    hash[0] = 0;
    hash[10] = 0;
    hash[19] = 0;
    await announce(server, { info_hash: escaped(hash) });
    assert.equal((await scrape(server, hash)).complete, 1);
    assert.deepEqual(await scrape(server, hashOf(0x41)), SCRAPED_NOTHING);
  });

  it('A14: a peer id of 20 bytes ff comes back as these bytes', async () => {
    await using server = await startServer();
    const info_hash = '%ff'.repeat(20);
    await announce(server, { info_hash, peer_id: '%ff'.repeat(20) });
    const { body } = await ask(
      server,
      `/announce?${announceQuery({ info_hash, port: 7000, left: 1, compact: 0 })}`,
    );
    assert.ok(body.toString('latin1').includes(`7:peer id20:${'\xff'.repeat(20)}4:port`));
  });

  it('A17, A18: no hash, no query, an empty one', async () => {
    await using server = await startServer();
    for (const target of [withHash(undefined), '/announce', '/announce?']) {
      assert.match(failureReason(await ask(server, target)), /^invalid info_hash: /);
    }
  });

  it('A19, A20: the last port counts, and its name may be escaped', async () => {
    await using server = await startServer();
    await ask(server, `/announce?port=1&${Q}`);
    await ask(server, `/announce?${announceQuery({ port: undefined, 'p%6Frt': 6882 })}`);
    const answer = await announce(server, { port: 7000, left: 1 });
    assert.deepEqual(peersOf(answer).sort(), ['127.0.0.1:6881', '127.0.0.1:6882']);
  });

  it('A21: PORT is not port', async () => {
    await using server = await startServer();
    const response = await ask(server, `/announce?${announceQuery({ port: undefined, PORT: 6881 })}`);
    assert.match(failureReason(response), /^invalid port: 1 to 65535$/);
  });

  it('A22: empty segments are nothing', async () => {
    await using server = await startServer();
    success(await ask(server, `/announce?&${Q.replace('&port', '&&port')}&`));
  });

  it('A23: ; divides nothing', async () => {
    await using server = await startServer();
    const response = await ask(server, `/announce?${Q.replace('&port=', ';port=')}`);
    assert.match(failureReason(response), /^invalid peer_id: /);
  });

  it('A24: the query begins at the first ? and at no other', async () => {
    await using server = await startServer();
    const response = await ask(server, `/announce?passkey=1?${Q}`);
    assert.match(failureReason(response), /^invalid info_hash: /);
  });

  it('A25: what follows # is no part of the query', async () => {
    await using server = await startServer();
    success(await ask(server, `/announce?${Q}&event=stopped`));
    assert.ok(isEmpty(server));
    success(await ask(server, `/announce?${Q}#&event=stopped`));
    assert.equal(server.table.totals.seeders, 1);
  });

  it('A26: 300 parameters that nobody knows are passed over', async () => {
    await using server = await startServer();
    const unknown = Array.from({ length: 300 }, (_, index) => `unknown${index}=1`).join('&');
    success(await ask(server, `/announce?${unknown}&${Q}`));
  });

  it('A27, A28: a target too long is answered 414 and closed, and nothing is stored', async () => {
    await using server = await startServer();
    for (const length of [8_300, 20_000, 71_000]) {
      using connection = await Connection.open(server.port);
      connection.send(rawRequest(`/announce?${Q}&x=`.padEnd(length, 'x')));
      assert.equal((await connection.response())?.status, 414, String(length));
      connection.socket.end();
      await connection.closed;
    }
    assert.ok(isEmpty(server));
  });

  const notHttp: readonly (readonly [string, string])[] = [
    ['A29: raw bytes from 0x80', withHash(Buffer.from(HASH_1).toString('latin1'))],
    ['A30: NUL', withHash(`${start}%00\x00`)],
    ['A30: TAB', withHash(`${start}%00\t`)],
    ['A30: DEL', withHash(`${start}%00\x7f`)],
    ['A30: space', withHash(`${start}%00 `)],
    ['A34: raw UTF-8', `/announce?${announceQuery({ peer_id: '\xc3\xbc'.repeat(10) })}`],
  ];
  for (const [name, target] of notHttp) {
    it(`${name} in the target is answered 400 and closed`, async () => {
      await using server = await startServer();
      using connection = await Connection.open(server.port);
      connection.send(rawRequest(target));
      const response = await connection.response();
      assert.equal(response?.status, 400);
      assert.equal(response.fields.get('connection'), 'close');
      connection.socket.end();
      await connection.closed;
      assert.ok(isEmpty(server));
    });
  }

  it('A31: marks that URLs may not hold are taken in a value', async () => {
    await using server = await startServer();
    success(await ask(server, `/announce?x={}[]|\\^"<>\`&${Q}`));
  });

  it('A32: names of object properties mean nothing', async () => {
    await using server = await startServer();
    const answer = success(
      await ask(server, `/announce?__proto__=1&constructor=2&hasOwnProperty=3&port=4&${Q}`),
    );
    assert.deepEqual(countsOf(answer), [1, 0, 0]);
    assert.equal(({} as Record<string, unknown>).port, undefined);
  });

  it('A33: &, =, % and # escaped in a peer id are its bytes', async () => {
    await using server = await startServer();
    const peerId = '&=%#'.repeat(5);
    await announce(server, { peer_id: escaped(peerId) });
    const { body } = await ask(
      server,
      `/announce?${announceQuery({ peer_id: peerIdOf(2), port: 7000, left: 1, compact: 0 })}`,
    );
    assert.ok(body.toString('latin1').includes(`20:${peerId}`));
  });

  it('A34: escaped UTF-8 of 20 bytes is a peer id', async () => {
    await using server = await startServer();
    await announce(server, { peer_id: '%C3%BC'.repeat(10) });
    assert.equal(server.table.totals.peers, 1);
  });
});
