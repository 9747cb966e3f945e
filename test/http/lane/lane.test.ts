import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Response, Router } from 'express';
import { announceQuery, rawRequest } from '../../builders/requests.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../builders/server.ts';
import { success } from '../../wire/ask.ts';
import { Connection } from '../../wire/connection.ts';
import { dialogue } from '../dialogue.ts';
import { NOT_FOR_THE_LANE, UNUSUAL_BUT_PLAIN } from '../odd-requests.ts';

/** Longer than any test: what ends sooner did not wait for it. */
const NEVER_MS = 600_000;
const TARGET = `/announce?${announceQuery()}`;
const ANNOUNCE = rawRequest(TARGET);

const startLane = (options: ServerOptions = {}): Promise<RunningServer> =>
  startServer({ hasLane: true, ...options });

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

/** A route whose answer the test gives. */
function heldRoute(): { router: Router; asked: Promise<Response> } {
  const router = Router();
  const asked = new Promise<Response>((resolve) => {
    router.all('/held', (_request, response) => resolve(response));
  });
  return { router, asked };
}

describe('the lane', () => {
  for (const [name, request] of Object.entries(UNUSUAL_BUT_PLAIN)) {
    it(`answers itself: ${name}`, async () => {
      await using server = await startLane();
      const { responses } = await dialogue(server.port, [request]);
      assert.deepEqual(
        responses.map(({ statusLine }) => statusLine),
        ['HTTP/1.1 200 OK'],
      );
      const { laneAnnounces, laneScrapes, laneHandovers } = server.counters;
      assert.deepEqual([laneAnnounces + laneScrapes, laneHandovers], [1, 0]);
    });
  }

  for (const [name, request] of Object.entries(NOT_FOR_THE_LANE)) {
    it(`never answers: ${name}`, async () => {
      await using server = await startLane();
      for (const end of [request.length, 1, 20, request.length - 3]) {
        await dialogue(server.port, [request.subarray(0, end), request.subarray(end)]);
      }
      const { laneAnnounces, laneScrapes, laneHandovers } = server.counters;
      assert.deepEqual([laneAnnounces, laneScrapes, laneHandovers], [0, 0, 4]);
    });
  }

  it('puts the answers to pipelined requests into one write', async () => {
    await using server = await startLane();
    using connection = await Connection.open(server.port);
    let chunks = 0;
    connection.socket.on('data', () => {
      chunks += 1;
    });
    connection.send(Buffer.concat(Array(10).fill(ANNOUNCE)));
    for (let count = 0; count < 10; count++) success((await connection.response())!);
    assert.equal(chunks, 1);
  });

  it('answers all that it reads in one turn, those too that shut their sending side with their request', async () => {
    await using server = await startLane();
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, number) => {
        const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
        if (number % 2 === 0) socket.end(rawRequest(TARGET, ['Connection: close']));
        else socket.end(ANNOUNCE);
        return Buffer.concat(await socket.toArray()).toString('latin1');
      }),
    );
    for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nd8:complete/s);
    assert.equal(server.counters.laneAnnounces, answers.length);
  });

  it('answers in order, however much it is asked before anything is read', async () => {
    await using server = await startLane();
    using connection = await Connection.open(server.port);
    const { socket } = connection;
    socket.pause();
    const count = 6_000;
    const asked = Array.from({ length: count }, (_, n) =>
      rawRequest(n % 2 === 0 ? `/announce?${announceQuery({ port: (n % 65_535) + 1 })}` : '/scrape?'),
    );
    const sent = new Promise((resolve) => socket.write(Buffer.concat(asked), resolve));
    await until(() => server.counters.hits > 100);
    socket.resume();
    for (let n = 0; n < count; n++) {
      const response = await connection.response();
      assert.match(response!.body.toString('latin1'), n % 2 === 0 ? /^d8:complete/ : /^d14:failure/);
    }
    await sent;
    assert.equal(server.counters.laneHandovers, 0);
    socket.end();
    await connection.closed;
  });

  it('closes a kept connection once it was idle for its time, and not while it is used', async () => {
    await using server = await startLane({ server: { headersTimeoutMs: 100, idleTimeoutMs: 300 } });
    using idle = await Connection.open(server.port);
    using used = await Connection.open(server.port);
    idle.send(ANNOUNCE);
    await idle.response();
    let isClosed = false;
    void idle.closed.then(() => {
      isClosed = true;
    });
    while (!isClosed) {
      used.send(ANNOUNCE);
      success((await used.response())!);
    }
    assert.equal(idle.received.length, 0);
  });

  it('gives a head in a kept connection its time anew, and then says that it is up', async () => {
    await using server = await startLane({ server: { headersTimeoutMs: 200, idleTimeoutMs: NEVER_MS } });
    using connection = await Connection.open(server.port);
    connection.send(Buffer.concat([ANNOUNCE, ANNOUNCE.subarray(0, 50)]));
    success((await connection.response())!);
    assert.equal((await connection.response())?.status, 408);
  });

  it('tells a client that stops in the middle of a head', async () => {
    await using server = await startLane();
    using connection = await Connection.open(server.port);
    connection.send(ANNOUNCE.subarray(0, 50));
    connection.socket.end();
    assert.equal((await connection.response())?.status, 400);
    await connection.closed;
    assert.equal(server.counters.errorsClient, 1);
  });

  it('leaves a head in very many pieces to node:http', async () => {
    await using server = await startLane();
    const pieces = [...ANNOUNCE].map((byte) => Uint8Array.of(byte));
    const { responses } = await dialogue(server.port, pieces);
    assert.deepEqual(
      responses.map(({ statusLine }) => statusLine),
      ['HTTP/1.1 200 OK'],
    );
    assert.equal(server.counters.laneHandovers, 1);
  });

  it('dates its answers by the clock', async () => {
    await using server = await startLane();
    using connection = await Connection.open(server.port);
    for (const [nowSeconds, date] of [
      [1_700_000_000, 'Tue, 14 Nov 2023 22:13:20 GMT'],
      [1_700_000_001, 'Tue, 14 Nov 2023 22:13:21 GMT'],
    ] as const) {
      server.clock.nowSeconds = nowSeconds;
      connection.send(ANNOUNCE);
      assert.equal((await connection.response())?.fields.get('date'), date);
    }
  });

  it('counts a connection as one, handed over or not, and takes no more than allowed', async () => {
    await using server = await startLane({ server: { connectionsMax: 2 } });
    using first = await Connection.open(server.port);
    using second = await Connection.open(server.port);
    first.send('\r\n');
    await until(() => server.counters.laneHandovers === 1 && server.http.connections === 2);
    using third = await Connection.open(server.port);
    await third.closed;
    second.send(ANNOUNCE);
    success((await second.response())!);
    assert.equal(server.http.connections, 2);
    assert.equal(server.counters.connects, 2);
  });
});

describe('a connection that was handed over', () => {
  it('gets the answer under way after it has shut its sending side', async () => {
    const { router, asked } = heldRoute();
    await using server = await startLane({ routers: [router] });
    using connection = await Connection.open(server.port);
    connection.socket.end(rawRequest('/held'));
    const response = await asked;
    for (let count = 0; count < 5; count++) await turn();
    response.send('late');
    assert.equal((await connection.response())?.body.toString(), 'late');
    await connection.closed;
  });

  it('is told when its head does not come to an end', async () => {
    await using server = await startLane({ server: { headersTimeoutMs: 200 } });
    using connection = await Connection.open(server.port);
    connection.send('POST /announce HTTP/1.1\r\nHost');
    assert.equal((await connection.response())?.status, 408);
  });

  it('is waited for by a drain, and cut at its end when it has asked nothing', async () => {
    await using server = await startLane();
    using connection = await Connection.open(server.port);
    connection.send('\r\n');
    await until(() => server.counters.laneHandovers === 1);
    await server.http.drain({ idleMs: 0, msMax: 50 });
    await connection.closed;
    assert.equal(server.http.connections, 0);
  });

  it('needs no further byte for a request that was whole', async () => {
    await using server = await startLane();
    using connection = await Connection.open(server.port);
    connection.send(Buffer.concat([ANNOUNCE, rawRequest('/nowhere')]));
    success((await connection.response())!);
    assert.equal((await connection.response())?.status, 404);
  });

  it('keeps every byte, read before the handover or after it', async () => {
    const router = Router();
    router.post('/count', async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part);
      response.send(Buffer.concat(parts).toString('latin1'));
    });
    await using server = await startLane({ routers: [router] });
    using connection = await Connection.open(server.port);
    const body = Array.from({ length: 300_000 }, (_, n) => String.fromCharCode(97 + (n % 26))).join('');
    const request = rawRequest('/count', [`Content-Length: ${body.length}`], { method: 'POST', body });
    connection.send(request.subarray(0, 100));
    await turn();
    connection.send(request.subarray(100, 5_000));
    await turn();
    connection.send(request.subarray(5_000));
    assert.equal((await connection.response())?.body.toString('latin1'), body);
  });

  it('is closed after its next answer, whatever that is, and the answer says so', async () => {
    const router = Router();
    router.get('/fine', (_request, response) => void response.send('fine'));
    await using server = await startLane({ routers: [router] });
    const others = ['/fine', '/nowhere', '/announce', '/scrape', TARGET.replace('?', '/?')];
    const requests = others.map((target) => rawRequest(target, ['Connection: keep-alive']));
    const expects = ['Expect: miracles', 'Expect: 100-continue'].map((line) => rawRequest('/fine', [line]));
    for (const request of [...requests, ...expects, ...Object.values(NOT_FOR_THE_LANE)]) {
      const { responses } = await dialogue(server.port, [ANNOUNCE, request]);
      assert.equal(responses[0]?.fields.get('connection'), 'keep-alive');
      assert.equal(responses[1]?.fields.get('connection'), 'close', request.toString('latin1'));
      assert.equal(responses.length, 2);
    }
  });

  it('has nothing applied that came behind that answer', async () => {
    await using server = await startLane();
    for (const first of [rawRequest('/nowhere'), NOT_FOR_THE_LANE['HTTP/1.1 without Host']!]) {
      await dialogue(server.port, [Buffer.concat([first, ANNOUNCE, rawRequest('/announce')])]);
    }
    assert.equal(server.counters.announces, 0);
    assert.equal(server.counters.hits, 2);
  });
});

describe('clients that dribble, flood or do not read', () => {
  it('a thousand that dribble are cut off in time, and announces beside them are answered', async () => {
    await using server = await startLane({ server: { connectionsMax: 1_500, headersTimeoutMs: 1_000 } });
    const slow = await Promise.all(Array.from({ length: 1_000 }, () => Connection.open(server.port)));
    let open = slow.length;
    for (const connection of slow) void connection.closed.then(() => (open -= 1));
    const head = rawRequest(TARGET, [`X-Filler: ${'x'.repeat(4_000)}`]);
    let answered = 0;
    for (let at = 0; open > 0; at++) {
      for (const { socket } of slow) if (socket.writable) socket.write(head.subarray(at, at + 1));
      using fast = await Connection.open(server.port);
      fast.send(ANNOUNCE);
      success((await fast.response())!);
      answered += 1;
      assert.ok(at < head.length, 'a head came to its end before its time was up');
    }
    assert.equal(server.counters.announces, answered);
    const statuses = await Promise.all(slow.map((connection) => connection.response()));
    assert.deepEqual([...new Set(statuses.map((response) => response?.status ?? 408))], [408]);
    for (const connection of slow) connection[Symbol.dispose]();
  });

  it('replies that nobody reads hold little memory', async () => {
    await using server = await startLane({ tracker: generous, server: { stalledTimeoutMs: NEVER_MS } });
    const before = heldBytes();
    const deaf = await floodUnread(server);
    await untilStill(server);
    // Half of it are what the clients, in the same process, have read ahead.
    await untilHeld(before + deaf.length * 512 * 1024);
    assert.equal(server.http.connections, deaf.length);
    for (const connection of deaf) connection[Symbol.dispose]();
  });

  it('and that for their time only', async () => {
    await using server = await startLane({ tracker: generous, server: { stalledTimeoutMs: 400 } });
    const before = heldBytes();
    await floodUntilCut(server);
    await until(() => server.http.connections === 0);
    await untilHeld(before + 1024 * 1024);
  });

  it('a reader that takes its time gets every reply, and the last one before the connection is closed', async () => {
    await using server = await startLane({ tracker: generous });
    using connection = await Connection.open(server.port);
    const { socket } = connection;
    socket.pause();
    const count = 1_000;
    const last = rawRequest(TARGET, ['Connection: close']);
    socket.write(Buffer.concat([...Array(count).fill(ANNOUNCE), last]));
    await untilStill(server);
    assert.ok(server.counters.laneAnnounces < count, 'the kernel took everything');
    const ended = once(socket, 'end');
    socket.resume();
    for (let n = 0; n <= count; n++) success((await connection.response())!);
    await ended;
    assert.equal(server.counters.laneAnnounces, count + 1);
  });

  it('a reader that takes its time is handed over behind its replies', async () => {
    await using server = await startLane({ tracker: generous });
    using connection = await Connection.open(server.port);
    const { socket } = connection;
    socket.pause();
    const count = 1_000;
    socket.write(Buffer.concat([...Array(count).fill(ANNOUNCE), rawRequest('/nowhere')]));
    await untilStill(server);
    socket.resume();
    for (let n = 0; n < count; n++) success((await connection.response())!);
    assert.equal((await connection.response())?.status, 404);
    assert.equal(server.counters.laneHandovers, 1);
  });

  it('a reader that takes its time is read from again after its handover, its long body to the end', async () => {
    const router = Router();
    router.post('/count', async (request, response) => {
      let bytes = 0;
      for await (const part of request) bytes += part.length;
      response.send(`${bytes}`);
    });
    await using server = await startLane({ tracker: generous, routers: [router] });
    using connection = await Connection.open(server.port);
    const { socket } = connection;
    socket.pause();
    const count = 300;
    const head = rawRequest('/count', ['Content-Length: 300000'], { method: 'POST' });
    // Read in one piece, so that the head waits behind replies on a connection that the lane has paused.
    socket.write(Buffer.concat([...Array(count).fill(ANNOUNCE), head]));
    await untilStill(server);
    assert.ok(server.counters.laneAnnounces < count, 'the kernel took everything');
    socket.write(Buffer.alloc(300_000));
    socket.resume();
    for (let n = 0; n < count; n++) success((await connection.response())!);
    assert.equal((await connection.response())?.body.toString(), '300000');
    assert.equal(server.counters.laneHandovers, 1);
  });
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heldBytes(): number {
  collect();
  return process.memoryUsage().arrayBuffers;
}

/** Collected memory is given back by a thread of its own, a little later. */
async function untilHeld(bytesMax: number): Promise<void> {
  let bytes = heldBytes();
  for (let tries = 0; tries < 200 && bytes > bytesMax; tries++) {
    await turn();
    bytes = heldBytes();
  }
  assert.ok(bytes <= bytesMax, `${bytes} bytes are held, and ${bytesMax} may be`);
}

/** Twenty connections that ask without end and read nothing. */
async function floodUnread(server: RunningServer): Promise<Connection[]> {
  const flood = Buffer.concat(Array(200).fill(ANNOUNCE));
  const deaf = await Promise.all(Array.from({ length: 20 }, () => Connection.open(server.port)));
  for (const { socket } of deaf) {
    socket.pause();
    const more = (error?: Error | null): void => {
      if (!error && socket.writable) socket.write(flood, more);
    };
    more();
  }
  return deaf;
}

/** Leaves nothing of the clients, which hold memory of their own. */
async function floodUntilCut(server: RunningServer): Promise<void> {
  const deaf = await floodUnread(server);
  await Promise.all(deaf.map((connection) => connection.closed));
}

/** Answers every announce with as many peers as there can be. */
const generous: NonNullable<ServerOptions['tracker']> = {
  announce: (_request, source) => ({
    complete: 1,
    incomplete: 1,
    downloaded: 1,
    intervalSeconds: 1_800,
    minIntervalSeconds: 900,
    externalIp: source,
    peers: new Uint8Array(6_000),
    peers6: new Uint8Array(18_000),
    peerIds: new Uint8Array(0),
    warningMessage: undefined,
  }),
  scrape: () => ({ files: [], minRequestIntervalSeconds: 900 }),
};

/** Waits until the server answers no more, because nobody reads. */
async function untilStill({ counters }: RunningServer): Promise<void> {
  let seen = 0;
  for (let still = 0; still < 50; still++) {
    await turn();
    if (counters.laneAnnounces > seen) still = 0;
    seen = counters.laneAnnounces;
  }
  assert.ok(seen > 0);
}
