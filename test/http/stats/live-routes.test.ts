import assert from 'node:assert/strict';
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { describe, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import express from 'express';
import { ClientAddresses } from '../../../src/http/client-address.ts';
import { ClientNumbers } from '../../../src/http/client-numbers.ts';
import { ProxyWarnings } from '../../../src/http/proxy-warnings.ts';
import {
  LISTENERS_PER_CLIENT_MAX,
  LiveEvents,
  type LiveEventsOptions,
} from '../../../src/http/stats/live-events.ts';
import { liveRoutes } from '../../../src/http/stats/live-routes.ts';
import { History, pointDocument } from '../../../src/stats/history.ts';
import { liveReport } from '../../../src/stats/stats-report.ts';
import { addMinutes, knownMinutes, pointAt } from '../../builders/history-points.ts';
import { memoryLog } from '../../builders/log.ts';
import { NOW, wellGauges } from '../../stats/gauges.ts';
import { serve } from '../page-server.ts';

const START = Math.floor(NOW / 600) * 600;

function clientsBehind(trustProxy: number | undefined): ClientNumbers {
  const warnings = new ProxyWarnings({ trustProxy, log: memoryLog() });
  return new ClientNumbers({
    clientAddresses: new ClientAddresses({ trustProxy, warnings }),
    hashKey: [1, 2],
  });
}

describe('/stats/history.json', () => {
  async function asker(context: TestContext) {
    const history = new History();
    addMinutes(history, START, 100);
    const events = new LiveEvents({ report: () => ({}) });
    return serve(
      context,
      liveRoutes({ history, events, clients: clientsBehind(0), nowSeconds: () => START + 1 }),
    );
  }

  for (const [span, stepSeconds, points] of [
    ['hour', 60, 60],
    ['day', 60, 1_440],
    ['week', 600, 1_008],
  ] as const) {
    test(`gives the last ${span}`, async (context) => {
      const ask = await asker(context);
      const answer = await ask(`/stats/history.json?span=${span}`);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
      const document = JSON.parse(answer.text);
      assert.deepEqual(
        [document.statsVersion, document.span, document.stepSeconds, document.endSeconds],
        [1, span, stepSeconds, START],
      );
      assert.equal(document.series.peers.length, points);
      assert.equal(typeof document.series.peers.at(-1), 'number');
    });
  }

  test('is the hour unless something else is asked for', async (context) => {
    const ask = await asker(context);
    assert.equal(JSON.parse((await ask('/stats/history.json')).text).span, 'hour');
  });

  test('has the new minute as soon as it has ended, and what a restore brings', async (context) => {
    const history = new History();
    let now = START;
    const events = new LiveEvents({ report: () => ({}) });
    const ask = await serve(
      context,
      liveRoutes({ history, events, clients: clientsBehind(0), nowSeconds: () => now }),
    );
    const known = async () => knownMinutes(JSON.parse((await ask('/stats/history.json')).text));
    assert.deepEqual(await known(), []);
    addMinutes(history, START, 1);
    assert.deepEqual(await known(), [START]);
    const saved = new History();
    addMinutes(saved, START - 60, 1);
    for (const points of saved.points) history.restore(points, START);
    assert.deepEqual(await known(), [START - 60, START]);
    now += 59 * 60;
    assert.deepEqual(await known(), [START]);
  });

  test('is compressed for those who take gzip, and anew when a minute has ended', async (context) => {
    const history = new History();
    addMinutes(history, START, 100);
    let now = START;
    const events = new LiveEvents({ report: () => ({}) });
    const ask = await serve(
      context,
      liveRoutes({ history, events, clients: clientsBehind(0), nowSeconds: () => now }),
    );
    const path = '/stats/history.json?span=day';
    for (let minute = 0; minute < 2; minute++) {
      const plain = await ask(path);
      assert.equal(plain.headers['content-encoding'], undefined);
      assert.equal(plain.headers.vary, 'Accept-Encoding');
      for (let time = 0; time < 2; time++) {
        const { headers, bytes } = await ask(path, { 'accept-encoding': 'gzip, br' });
        assert.equal(headers['content-encoding'], 'gzip');
        assert.equal(headers.vary, 'Accept-Encoding');
        assert.ok(bytes.length < plain.bytes.length / 4, `${bytes.length} of ${plain.bytes.length} bytes`);
        assert.deepEqual(gunzipSync(bytes), plain.bytes);
      }
      now += 60;
      addMinutes(history, now, 1);
    }
  });

  for (const query of ['span=year', 'span=', 'span=hour&span=day', 'span=%3Cscript%3E']) {
    test(`says what is allowed when asked for ${query}`, async (context) => {
      const ask = await asker(context);
      const answer = await ask(`/stats/history.json?${query}`);
      assert.equal(answer.status, 400);
      assert.deepEqual(JSON.parse(answer.text), { error: 'span: allowed is hour, day, week' });
    });
  }
});

interface Listening {
  readonly response: IncomingMessage;
  readonly sent: ClientRequest;
  readonly text: () => string;
  /** Resolves once so many events of this name have come. */
  until(name: string, count: number): Promise<readonly Record<string, unknown>[]>;
  readonly ended: Promise<void>;
}

class Feed {
  readonly events: LiveEvents;
  reports = 0;
  readonly #port: number;
  readonly responses: ServerResponse[] = [];

  private constructor(options: Partial<LiveEventsOptions>, port: (feed: Feed) => number) {
    const report = (): object => {
      this.reports += 1;
      return options.report?.() ?? liveReport(wellGauges());
    };
    this.events = new LiveEvents({ reportMs: 5, ...options, report });
    this.#port = port(this);
  }

  static async start(
    context: TestContext,
    options: Partial<LiveEventsOptions> & { readonly clients?: ClientNumbers } = {},
  ): Promise<Feed> {
    const { clients = clientsBehind(0) } = options;
    const app = express();
    const server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    context.after(() => {
      server.close();
      server.closeAllConnections();
    });
    return new Feed(options, (feed) => {
      app.use((_request, response, next) => {
        feed.responses.push(response);
        next();
      });
      const { events } = feed;
      app.use(liveRoutes({ history: new History(), events, clients, nowSeconds: () => START }));
      return (server.address() as AddressInfo).port;
    });
  }

  /** `from` is what a proxy says. */
  listen(method = 'GET', from?: string): Promise<Listening> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.#port, path: '/stats/events', method, agent: false };
      const headers = from === undefined ? {} : { 'X-Forwarded-For': from };
      const sent = request({ ...options, headers }, (response) => {
        let text = '';
        const changed = new Set<() => void>();
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          for (const wake of changed) wake();
        });
        response.on('error', () => {});
        const until: Listening['until'] = async (name, count) => {
          for (;;) {
            const found = eventsIn(text).filter((one) => one.name === name);
            if (found.length >= count) return found.map(({ data }) => data);
            await new Promise<void>((wake) => changed.add(wake));
          }
        };
        const ended = new Promise<void>((end) => response.once('close', end));
        resolve({ response, sent, text: () => text, until, ended });
      });
      sent.once('error', reject);
      sent.end();
    });
  }
}

function eventsIn(text: string): { readonly name: string; readonly data: Record<string, unknown> }[] {
  const whole = text.split('\n\n').slice(0, -1);
  return whole.flatMap((block) => {
    const match = /^event: (\w+)\ndata: (.*)$/.exec(block);
    return match === null ? [] : [{ name: match[1]!, data: JSON.parse(match[2]!) }];
  });
}

async function untilTrue(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe('/stats/events', () => {
  test('says when to come back, and tells the report at once and again and again', async (context) => {
    const feed = await Feed.start(context);
    const listening = await feed.listen();
    const { headers, statusCode } = listening.response;
    assert.equal(statusCode, 200);
    assert.equal(headers['content-type'], 'text/event-stream');
    assert.match(headers['cache-control'] ?? '', /no-store/);
    const reports = await listening.until('stats', 3);
    assert.match(listening.text(), /^retry: 5000\n\n/);
    assert.equal(reports[0]?.peers, 42);
    assert.equal(reports[0]?.statsVersion, 1);
    assert.ok(!Object.keys(reports[0] ?? {}).some((key) => key.startsWith('trakx.') || key === 'memstats'));
    listening.sent.destroy();
  });

  test('makes each report once, however many listen', async (context) => {
    let number = 0;
    const feed = await Feed.start(context, { report: () => ({ number: number++ }) });
    const listeners = await Promise.all(Array.from({ length: 8 }, () => feed.listen()));
    const heard = await Promise.all(listeners.map((one) => one.until('stats', 6)));
    for (const reports of heard) {
      const numbers = reports.map((report) => Number(report.number));
      assert.deepEqual(
        numbers.slice(1).map((one, index) => one - numbers[index]!),
        numbers.slice(1).map(() => 1),
        'a report that others were told was made again, or was left out',
      );
    }
    for (const one of listeners) one.sent.destroy();
  });

  test('makes none while nobody listens', async (context) => {
    const feed = await Feed.start(context);
    const listening = await feed.listen();
    await listening.until('stats', 2);
    listening.sent.destroy();
    await untilTrue(() => feed.events.listeners === 0);
    const { reports } = feed;
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(feed.reports, reports);
    const again = await feed.listen();
    await again.until('stats', 2);
    again.sent.destroy();
  });

  test('tells the point of each minute', async (context) => {
    const feed = await Feed.start(context);
    feed.events.sendPoint(pointDocument(pointAt(START)));
    const listening = await feed.listen();
    await listening.until('stats', 1);
    feed.events.sendPoint(pointDocument(pointAt(START + 60)));
    const [point, ...more] = await listening.until('point', 1);
    assert.deepEqual(more, []);
    assert.deepEqual(point, JSON.parse(JSON.stringify(pointDocument(pointAt(START + 60)))));
    listening.sent.destroy();
  });

  test('says a word in between that means nothing, for routers', async (context) => {
    const feed = await Feed.start(context, { reportMs: 1 });
    const listening = await feed.listen();
    await listening.until('stats', 14);
    assert.match(listening.text(), /\n\n: still here\n\n/);
    listening.sent.destroy();
  });

  test('has room for so many, and tells the next when to try again', async (context) => {
    const feed = await Feed.start(context, { listenersMax: 2 });
    const [one, other] = [await feed.listen(), await feed.listen()];
    const refused = await feed.listen();
    assert.equal(refused.response.statusCode, 503);
    assert.equal(refused.response.headers['retry-after'], '30');
    one.sent.destroy();
    await untilTrue(() => feed.events.listeners === 1);
    const next = await feed.listen();
    assert.equal(next.response.statusCode, 200);
    for (const { sent } of [other, next, refused]) sent.destroy();
  });

  describe('gives one client so many places', () => {
    const listeners = (feed: Feed, count: number, from: string) =>
      Promise.all(Array.from({ length: count }, () => feed.listen('GET', from)));

    test('and tells it when to try again, while others still find room', async (context) => {
      const feed = await Feed.start(context, { clients: clientsBehind(1) });
      const own = await listeners(feed, LISTENERS_PER_CLIENT_MAX, '2001:db8:1:100::1');
      const refused = await feed.listen('GET', '2001:db8:1:1ff:abcd::2');
      assert.equal(refused.response.statusCode, 429);
      assert.equal(refused.response.headers['retry-after'], '30');
      const other = await feed.listen('GET', '2001:db8:1:200::1');
      assert.equal(other.response.statusCode, 200);
      own[0]!.sent.destroy();
      await untilTrue(() => feed.events.listeners === LISTENERS_PER_CLIENT_MAX);
      const next = await feed.listen('GET', '2001:db8:1:100::1');
      assert.equal(next.response.statusCode, 200);
      for (const { sent } of [...own, refused, other, next]) sent.destroy();
    });

    test('but not where the proxies are not set up, which makes one client of all', async (context) => {
      const feed = await Feed.start(context, {
        clients: clientsBehind(undefined),
        listenersMax: LISTENERS_PER_CLIENT_MAX + 1,
      });
      const all = await listeners(feed, LISTENERS_PER_CLIENT_MAX + 1, '198.51.100.7');
      assert.deepEqual(new Set(all.map(({ response }) => response.statusCode)), new Set([200]));
      const refused = await feed.listen('GET', '198.51.100.8');
      assert.equal(refused.response.statusCode, 503);
      for (const { sent } of [...all, refused]) sent.destroy();
    });
  });

  test('lets everybody go at once when it ends, and takes nobody any more', async (context) => {
    const feed = await Feed.start(context);
    const listeners = await Promise.all([feed.listen(), feed.listen()]);
    feed.events.end();
    await Promise.all(listeners.map(({ ended }) => ended));
    assert.equal(listeners[0]?.response.complete, true);
    await untilTrue(() => feed.events.listeners === 0);
    const late = await feed.listen();
    assert.equal(late.response.statusCode, 503);
    late.sent.destroy();
  });

  test('cuts a listener off who does not read, and goes on for the others', async (context) => {
    const feed = await Feed.start(context, {
      reportMs: 1,
      unreadBytesMax: 64 * 1024,
      report: () => ({ padding: 'x'.repeat(100_000) }),
    });
    const reader = await feed.listen();
    const sleeper = await feed.listen();
    sleeper.response.pause();
    await untilTrue(() => feed.events.listeners === 2);
    const unread = feed.responses[1]!;
    let most = 0;
    await untilTrue(() => {
      most = Math.max(most, unread.writableLength);
      return feed.events.listeners === 1;
    });
    assert.ok(unread.destroyed);
    assert.ok(most < 64 * 1024 + 3 * 100_200, `${most} bytes were kept for it`);
    const { length } = await reader.until('stats', 1);
    await reader.until('stats', length + 3);
    reader.sent.destroy();
    sleeper.sent.destroy();
  });

  test('answers HEAD with the head alone', async (context) => {
    const feed = await Feed.start(context);
    const { response, ended } = await feed.listen('HEAD');
    response.resume();
    assert.equal(response.headers['content-type'], 'text/event-stream');
    await ended;
    assert.equal(feed.events.listeners, 0);
  });
});
