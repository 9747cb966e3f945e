import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { type Response, Router } from 'express';
import { announceQuery, rawRequest } from '../builders/requests.ts';
import { HAS_LANE, type RunningServer, startServer } from '../builders/server.ts';
import { ask, countsOf, failureReason, success } from './ask.ts';
import { Connection, exchange, type WireResponse } from './connection.ts';

const ANNOUNCE = `/announce?${announceQuery()}`;
const storedIn = (server: RunningServer): number => server.table.totals.peers;

/**
 * What comes after an answer by Express: without a lane the connection is kept and answers `request`; one that
 * the lane has handed over is closed.
 */
async function afterExpress(
  connection: Connection,
  answer: WireResponse | undefined,
  request: Buffer,
): Promise<WireResponse | undefined> {
  assert.equal(answer?.fields.get('connection'), HAS_LANE ? 'close' : 'keep-alive');
  if (HAS_LANE) {
    await connection.closed;
    return undefined;
  }
  connection.send(request);
  return connection.response();
}

describe('F. transport', () => {
  it('F1: HEAD is no announce', async () => {
    await using server = await startServer();
    for (const target of [ANNOUNCE, '/announce/', '/scrape']) {
      using connection = await Connection.open(server.port);
      connection.send(rawRequest(target, [], { method: 'HEAD' }));
      const response = await connection.response({ hasBody: false });
      assert.equal(response?.status, 405);
      assert.equal(response.fields.get('allow'), 'GET');
      const next = await afterExpress(connection, response, rawRequest('/scrape'));
      assert.equal(next?.status, HAS_LANE ? undefined : 200);
    }
    assert.equal(storedIn(server), 0);
  });

  it('F2: nor is any other method, with or without a body', async () => {
    await using server = await startServer();
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) {
      for (const body of ['', 'GET /scrape HTTP/1.1\r\n\r\n']) {
        using connection = await Connection.open(server.port);
        const length = `Content-Length: ${body.length}`;
        connection.send(rawRequest(ANNOUNCE, body === '' ? [] : [length], { method, body }));
        const response = await connection.response();
        assert.equal(response?.status, 405, method);
        assert.equal(response.fields.get('allow'), 'GET');
        const next = await afterExpress(connection, response, rawRequest('/nowhere'));
        assert.equal(next?.status, HAS_LANE ? undefined : 404);
      }
    }
    assert.equal(storedIn(server), 0);
  });

  it('F3: three requests in one segment are answered in their order', async () => {
    await using server = await startServer();
    using connection = await Connection.open(server.port);
    const ports = [7001, 7002, 7003];
    connection.send(
      Buffer.concat(ports.map((port) => rawRequest(`/announce?${announceQuery({ port, left: 1 })}`))),
    );
    for (const [index] of ports.entries()) {
      assert.deepEqual(countsOf(success((await connection.response())!)), [0, index + 1, 0]);
    }
  });

  it('F4: the body of a GET is read away', async () => {
    await using server = await startServer();
    using connection = await Connection.open(server.port);
    connection.send(rawRequest(ANNOUNCE, ['Content-Length: 3'], { body: 'GET' }));
    const response = await connection.response();
    success(response!);
    const next = await afterExpress(connection, response, rawRequest('/scrape'));
    if (!HAS_LANE) assert.match(failureReason(next!), /^full scrape/);
  });

  it('F5: a target in absolute form is the path in it', async () => {
    await using server = await startServer();
    for (const origin of ['http://t.example', 'HTTPS://t.example:8080', 'http://[2001:db8::1']) {
      success(await ask(server, origin + ANNOUNCE));
    }
    assert.equal((await ask(server, 'http://t.example')).status, 404);
    assert.equal((await ask(server, `http://t.example?${announceQuery()}`)).status, 404);
  });

  it('F6: CONNECT is closed, OPTIONS * is not allowed', async () => {
    await using server = await startServer();
    using connection = await Connection.open(server.port);
    connection.send('CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n');
    await connection.closed;
    assert.equal(connection.received.length, 0);
    const options = await exchange(server.port, rawRequest('*', [], { method: 'OPTIONS' }));
    assert.equal(options.status, 405);
    assert.equal(options.fields.get('allow'), 'GET');
  });

  it('F7: HTTP/1.0 without Host is answered with its length and closed', async () => {
    await using server = await startServer();
    using connection = await Connection.open(server.port);
    connection.send(`GET ${ANNOUNCE} HTTP/1.0\r\n\r\n`);
    const response = await connection.response();
    success(response!);
    assert.equal(response?.fields.get('content-length'), String(response?.body.length));
    await connection.closed;
  });

  const notHttp: readonly (readonly [string, string | Buffer])[] = [
    ['F8: HTTP/1.1 without Host', `GET ${ANNOUNCE} HTTP/1.1\r\n\r\n`],
    ['F9: line ends without CR', `GET ${ANNOUNCE} HTTP/1.1\nHost: t.example\n\n`],
    ['F9: a method in lower case', `get ${ANNOUNCE} HTTP/1.1\r\nHost: t.example\r\n\r\n`],
    ['F9: the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['F9: the hello of TLS', Buffer.concat([Buffer.from('16030102000100', 'hex'), Buffer.alloc(512, 1)])],
    [
      'F10: Content-Length together with Transfer-Encoding',
      `POST ${ANNOUNCE} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['a target without a slash', 'GET announce HTTP/1.1\r\nHost: t.example\r\n\r\n'],
  ];
  for (const [name, bytes] of notHttp) {
    it(`${name} is answered 400 and closed`, async () => {
      await using server = await startServer();
      using connection = await Connection.open(server.port);
      connection.send(bytes);
      const response = await connection.response();
      assert.equal(response?.status, 400);
      assert.equal(response.fields.get('connection'), 'close');
      connection.socket.end();
      await connection.closed;
      assert.equal(storedIn(server), 0);
    });
  }

  it('F11: a request that comes byte by byte is answered', async () => {
    await using server = await startServer();
    using connection = await Connection.open(server.port);
    connection.socket.setNoDelay(true);
    for (const byte of rawRequest(ANNOUNCE)) {
      await new Promise<void>((resolve) => connection.socket.write(Uint8Array.of(byte), () => resolve()));
    }
    success((await connection.response())!);
  });

  it('F11: one that never ends is told so and closed, as is a connection that says nothing', async () => {
    await using server = await startServer({ server: { headersTimeoutMs: 200 } });
    using begun = await Connection.open(server.port);
    using silent = await Connection.open(server.port);
    begun.send('GET /announce?info_hash=');
    assert.equal((await begun.response())?.status, 408);
    assert.equal((await silent.response())?.status, 408);
    for (const connection of [begun, silent]) {
      connection.socket.end();
      await connection.closed;
    }
    using other = await Connection.open(server.port);
    other.send(rawRequest(ANNOUNCE));
    success((await other.response())!);
  });

  it('F11: a body that never ends is cut as well', async () => {
    await using server = await startServer({ server: { headersTimeoutMs: 100, requestTimeoutMs: 200 } });
    using connection = await Connection.open(server.port);
    connection.send(rawRequest('/announce', ['Content-Length: 100'], { method: 'POST', body: 'a' }));
    assert.equal((await connection.response())?.status, 405);
    await connection.closed;
  });

  it('F12: Connection: close is answered, then closed', async () => {
    await using server = await startServer();
    using connection = await Connection.open(server.port);
    connection.send(rawRequest(ANNOUNCE, ['Connection: close']));
    const ended = once(connection.socket, 'end');
    const response = await connection.response();
    success(response!);
    assert.equal(response?.fields.get('connection'), 'close');
    await ended;
  });

  it('F13: a thousand requests on one connection are answered', async () => {
    await using server = await startServer();
    using connection = await Connection.open(server.port);
    for (let time = 0; time < 1_000; time++) {
      connection.send(rawRequest(ANNOUNCE));
      success((await connection.response())!);
    }
    assert.equal(server.counters.announces, 1_000);
    assert.equal(server.counters.connects, 1);
  });

  it('F14: one slash at the end is allowed, other spellings are other paths', async () => {
    await using server = await startServer();
    success(await ask(server, `/announce/?${announceQuery()}`));
    assert.match(failureReason(await ask(server, '/scrape/')), /^full scrape/);
    const others = ['/announce.php', '/x/announce', '//announce', '/ANNOUNCE', '/announce%2f', '/announce//'];
    for (const path of [...others, '/Announce', '/a%6enounce', '/announce/x', '/scrape.php']) {
      const { status, fields } = await ask(server, `${path}?${announceQuery({ port: 7000 })}`);
      assert.equal(status, 404, path);
      assert.equal(fields.get('content-type'), 'text/plain');
    }
    assert.equal(storedIn(server), 1);
  });

  it('F15: the routers given serve their paths, the rest is not found', async () => {
    const router = Router();
    router.get('/healthz', (_request, response) => void response.send('fine'));
    await using server = await startServer({ routers: [router] });
    const health = await ask(server, '/healthz');
    assert.equal(health.body.toString(), 'fine');
    assert.equal(health.fields.get('etag'), undefined);
    assert.equal(health.fields.get('x-powered-by'), undefined);
    const lost = await ask(server, '/favicon.ico');
    assert.equal(lost.status, 404);
    assert.equal(lost.fields.get('x-content-type-options'), 'nosniff');
    assert.equal(lost.fields.get('cache-control'), 'no-store');
  });

  it('F16: the announce of a client that left before its answer counts', async () => {
    await using server = await startServer();
    using connection = await Connection.open(server.port);
    connection.send(rawRequest(ANNOUNCE));
    connection.socket.resetAndDestroy();
    await connection.closed;
    while (server.http.connections > 0) await new Promise((resolve) => setImmediate(resolve));
    using other = await Connection.open(server.port);
    other.send(rawRequest(ANNOUNCE));
    assert.deepEqual(countsOf(success((await other.response())!)), [1, 0, 0]);
  });

  it('F17: a failure of ours is told without details, and logged', async () => {
    const tracker = {
      announce: () => {
        throw new Error('secret');
      },
      scrape: () => {
        throw new Error('secret');
      },
    };
    const router = Router();
    router.get('/broken', () => Promise.reject(new Error('secret')));
    await using server = await startServer({ tracker, routers: [router] });
    for (const target of [ANNOUNCE, ANNOUNCE.replace('?', '/?'), '/scrape?info_hash=aaaaaaaaaaaaaaaaaaaa']) {
      assert.equal(failureReason(await ask(server, target)), 'internal error');
    }
    const { status, body } = await ask(server, '/broken');
    assert.equal(status, 500);
    assert.equal(body.toString(), 'internal error\n');
    assert.equal(server.counters.errorsServer, 4);
    assert.deepEqual(
      server.log.lines.map(({ level, fields }) => [level, fields?.error]),
      Array(4).fill(['error', 'secret']),
    );
  });

  it("what Express itself finds wrong with a request is the client's fault", async () => {
    const router = Router();
    router.get('/pages/:name', (_request, response) => void response.send('fine'));
    await using server = await startServer({ routers: [router] });
    const { status, body } = await ask(server, '/pages/%zz');
    assert.equal(status, 400);
    assert.equal(body.toString(), 'Bad Request\n');
    assert.equal(server.counters.errorsServer, 0);
    assert.deepEqual(server.log.lines, []);
  });

  it('a head of up to 8 KiB is taken, and one of more refused wherever it is long', async () => {
    await using server = await startServer();
    const filler = (length: number): string[] => [`X-Filler: ${'x'.repeat(length)}`];
    success(await exchange(server.port, rawRequest(ANNOUNCE, filler(7_000))));
    assert.equal((await exchange(server.port, rawRequest(ANNOUNCE, filler(8_200)))).status, 414);
  });

  it('an answer under way is never garbled by the error that follows it', async () => {
    const router = Router();
    let answer = (): void => {};
    const asked = new Promise<void>((resolve) => {
      router.get('/slow', (_request, response) => {
        answer = () => response.send('slow');
        resolve();
      });
    });
    await using server = await startServer({ routers: [router] });
    using connection = await Connection.open(server.port);
    connection.send(rawRequest('/slow'));
    await asked;
    connection.send('nonsense\r\n\r\n');
    await connection.closed;
    answer();
    assert.equal(connection.received.length, 0);
  });

  it('what was asked before nonsense is answered, then the nonsense', async () => {
    await using server = await startServer();
    using connection = await Connection.open(server.port);
    const two = [rawRequest(ANNOUNCE), rawRequest('/scrape?')];
    connection.send(Buffer.concat([...two, Buffer.from('nonsense\r\n\r\n')]));
    success((await connection.response())!);
    assert.match(failureReason((await connection.response())!), /^full scrape/);
    assert.equal((await connection.response())?.status, 400);
    connection.socket.end();
    await connection.closed;
  });

  it('bytes after a request that says close do not cost it its answer', async () => {
    await using server = await startServer();
    for (const more of ['\r\n', 'nonsense', rawRequest(ANNOUNCE).toString('latin1')]) {
      using connection = await Connection.open(server.port);
      const head = rawRequest(ANNOUNCE, ['Connection: close']).toString('latin1');
      connection.send(head + more);
      success((await connection.response())!);
      await connection.closed;
      assert.equal(connection.received.length, 0);
    }
    assert.equal(server.counters.announces, 3);
  });

  it('nor when that answer takes its time', async () => {
    const router = Router();
    const asked = new Promise<Response>((resolve) => {
      router.get('/slow', (_request, response) => resolve(response));
    });
    await using server = await startServer({ routers: [router] });
    using connection = await Connection.open(server.port);
    connection.send(`${rawRequest('/slow', ['Connection: close']).toString('latin1')}nonsense`);
    (await asked).send('slow');
    assert.equal((await connection.response())?.body.toString(), 'slow');
    await connection.closed;
  });

  it('a client that asks and asks and reads nothing is cut off', async () => {
    await using server = await startServer({ server: { stalledTimeoutMs: 200 } });
    using connection = await Connection.open(server.port);
    const { socket, closed } = connection;
    socket.pause();
    const requests = Buffer.concat(Array(100).fill(rawRequest(ANNOUNCE)));
    const flood = (error?: Error | null): void => {
      if (!error) socket.write(requests, flood);
    };
    flood();
    await closed;
    while (server.http.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('an idle connection is kept longer than a proxy keeps it, and shortly when clients come directly', async () => {
    for (const [trustProxy, idleSeconds] of [
      [undefined, 15],
      [0, 15],
      [1, 95],
      [2, 95],
    ] as const) {
      await using server = await startServer({ settings: { trustProxy } });
      const { fields } = await exchange(server.port, rawRequest('/scrape?'));
      assert.equal(fields.get('keep-alive'), `timeout=${idleSeconds}`);
    }
  });

  it('connections past the most allowed are closed, and the others go on', async () => {
    await using server = await startServer({ server: { connectionsMax: 2 } });
    using first = await Connection.open(server.port);
    using second = await Connection.open(server.port);
    for (const connection of [first, second]) {
      connection.send(rawRequest(ANNOUNCE));
      success((await connection.response())!);
    }
    using third = await Connection.open(server.port);
    await third.closed;
    first.send(rawRequest(ANNOUNCE));
    success((await first.response())!);
  });
});
