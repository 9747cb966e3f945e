import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import bencode from 'bencode';
import { IDLE_BEHIND_PROXY_MS } from '../../src/http/server.ts';
import { createNetwork, type Host } from '../builders/network-namespace.ts';
import { announceQuery, peerIdOf } from '../builders/requests.ts';
import {
  type Cleanup,
  startTracker,
  type TrackerProcess,
  temporaryFolder,
} from '../builders/tracker-process.ts';
import { waitUntil } from '../end-to-end/wait-until.ts';
import { needingOnce, networkNamespaces } from '../needs.ts';
import { type AnswerThere, type RequestFrom, requestsFrom } from './requests-from.ts';
import {
  caddy,
  caddyWithLocalCertificates,
  nginx,
  type ReverseProxy,
  type ReverseProxyKind,
  startReverseProxy,
} from './reverse-proxies.ts';

const needs = needingOnce(import.meta.url, [networkNamespaces, nginx.need, caddy.need]);

/** As the files of deploy/ say, but that the addresses of a network of namespaces are private ones. */
const ENVIRONMENT = { PORT: '1337', HOST: '127.0.0.1', TRUST_PROXY: '1', ALLOW_PRIVATE_PEERS: 'true' };
/** Bytes that somebody who decodes and encodes would write in another way. */
const AWKWARD_HASHES = [
  '%00%01%0a%0d%20%25%26%2B%2F%3A%3B%3D%3F%40%7f%80%ff%C3%A9%2e',
  "!'()*-._~%00aaaaaaaaaa",
  '%2E%2e%2F%2f%5c%5C%61%41%7E%7e%09%0B0123456789ab'.slice(0, -4),
];

interface Server {
  readonly proxy: ReverseProxy;
  readonly tracker: TrackerProcess;
  /** The machine that both run on. */
  readonly hub: Host;
  readonly clients: readonly [Host, Host];
  /** One request from the machine itself to the tracker, past the proxy. */
  statistics(): Promise<Statistics>;
}

interface Statistics {
  readonly requests: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
}

async function startServer(context: Cleanup, kind: ReverseProxyKind): Promise<Server> {
  const network = createNetwork();
  context.after(() => network.close());
  const { hub } = network;
  const clients = [network.addHost(), network.addHost()] as const;
  const tracker = await startTracker(context, { environment: ENVIRONMENT, spawn: hub.spawn });
  const proxy = startReverseProxy(kind, hub, temporaryFolder(context));
  await waitUntil(
    `${kind.name} answers`,
    async () => (await requestsFrom(hub, [{ host: '127.0.0.1', path: '/healthz' }]))[0]!.status === 200,
    proxy.output,
  );
  return {
    proxy,
    tracker,
    hub,
    clients,
    statistics: async () => {
      const [answer] = await requestsFrom(hub, [{ host: '127.0.0.1', port: 1337, path: '/stats.json' }]);
      return JSON.parse(answer!.body.toString());
    },
  };
}

const announcePath = (changes: Parameters<typeof announceQuery>[0]) => `/announce?${announceQuery(changes)}`;
const decoded = (answer: AnswerThere) => bencode.decode(answer.body);

for (const kind of [nginx, caddy]) {
  describe(`behind ${kind.name} with the file of deploy/`, needs, () => {
    let server: Server;
    const ends: (() => unknown)[] = [];
    before(async () => {
      server = await startServer({ after: (end) => ends.push(end as () => unknown) }, kind);
    });
    after(async () => {
      for (const end of ends) await end();
    });

    it('the peer recorded is the client, over IPv4 and IPv6, whatever it claims to be', async () => {
      const { hub, clients } = server;
      for (const [address, key, expected] of [
        [hub.ipv4, 'peers', Buffer.from([10, 77, 0, 2, 0x1a, 0xe1])],
        [hub.ipv6, 'peers6', Buffer.from('20010db8000000000000000000000002' + '1ae1', 'hex')],
      ] as const) {
        const info_hash = `${key}aaaaaaaaaaaaaaaaaaaa`.slice(0, 20);
        const headers = {
          'X-Forwarded-For': '203.0.113.9',
          'X-Real-IP': '203.0.113.9',
          Forwarded: 'for=203.0.113.9',
        };
        await requestsFrom(clients[0], [{ host: address, path: announcePath({ info_hash }), headers }]);
        const [answer] = await requestsFrom(clients[1], [
          { host: address, path: announcePath({ info_hash, left: 1, peer_id: peerIdOf(2) }) },
        ]);
        assert.deepEqual(Buffer.from(decoded(answer!)[key]), expected);
      }
    });

    it('info hashes arrive as the bytes they are', async () => {
      const { hub, clients } = server;
      const scrape = `/scrape?${AWKWARD_HASHES.map((info_hash) => `info_hash=${info_hash}`).join('&')}`;
      const answers = await requestsFrom(clients[0], [
        ...AWKWARD_HASHES.map((info_hash) => ({ host: hub.ipv4, path: announcePath({ info_hash }) })),
        { host: hub.ipv4, path: scrape },
      ]);
      const [past] = await requestsFrom(hub, [{ host: '127.0.0.1', port: 1337, path: scrape }]);
      assert.deepEqual(answers.at(-1)!.body, past!.body);
      const files = Object.values<{ complete: number }>(decoded(past!).files);
      assert.deepEqual(
        files.map(({ complete }) => complete),
        AWKWARD_HASHES.map(() => 1),
      );
    });

    it('its connections to the tracker are kept, and stay on the lane', async () => {
      const { hub, clients, statistics } = server;
      const earlier = (await statistics()).requests;
      const announces: RequestFrom[] = Array.from({ length: 40 }, (_, i) => ({
        host: i % 2 === 0 ? hub.ipv4 : hub.ipv6,
        path: announcePath({ peer_id: peerIdOf(i), port: 1024 + i }),
      }));
      const answers = await requestsFrom(clients[0], announces);
      assert.ok(answers.every(({ status }) => status === 200));
      const later = (await statistics()).requests;
      assert.equal(later.laneAnnounces! - earlier.laneAnnounces!, announces.length);
      // One for the statistics themselves, one that the proxy keeps.
      assert.ok(
        later.connects! - earlier.connects! <= 4,
        `${later.connects! - earlier.connects!} connections`,
      );
    });

    it('pages work, between announces too, and show the address that people type', async () => {
      const { hub, clients, statistics } = server;
      const announcing = announcePath({ info_hash: 'between-announces-aa' });
      const [announced, stats, home, announcedAgain, json] = await requestsFrom(clients[0], [
        { host: hub.ipv4, path: announcing },
        { host: hub.ipv4, path: '/stats', headers: { Accept: 'text/html' } },
        { host: hub.ipv4, path: '/' },
        { host: hub.ipv4, path: announcing },
        { host: hub.ipv6, path: '/stats.json' },
      ]);
      assert.equal(decoded(announced!).complete, 1);
      assert.match(stats!.body.toString(), /^<!doctype html>/i);
      assert.match(home!.body.toString(), /http:\/\/tracker\.example\/announce/);
      assert.equal(decoded(announcedAgain!).complete, 1);
      assert.ok(JSON.parse(json!.body.toString()).peers > 0);
      assert.deepEqual((await statistics()).warnings, []);
    });

    it('live statistics come while the connection is open', async () => {
      const { hub, clients } = server;
      const headers = { Accept: 'text/event-stream', 'Accept-Encoding': 'gzip' };
      const [live] = await requestsFrom(clients[0], [
        { host: hub.ipv4, path: '/stats/events', headers, until: 'event: stats' },
      ]);
      assert.equal(live!.status, 200);
      assert.match(live!.body.toString(), /^event: stats$/m);
    });

    it('while the tracker is away nobody’s address is written down', async (context) => {
      const { proxy, tracker, hub, clients } = await startServer(context, kind);
      await requestsFrom(clients[0], [{ host: hub.ipv4, path: announcePath({}) }]);
      await tracker.kill();
      const answers = await requestsFrom(clients[0], [
        { host: hub.ipv4, path: announcePath({}) },
        { host: hub.ipv6, path: announcePath({}) },
      ]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [502, 502],
      );
      assert.doesNotMatch(proxy.output(), /10\.77\.0\.2|2001:db8::2/);
    });
  });
}

describe('behind Caddy over TLS', needs, () => {
  it('announces work and the pages say https', async (context) => {
    const { proxy, hub, clients } = await startServer(context, caddyWithLocalCertificates);
    await waitUntil(
      'the certificate is there',
      async () =>
        (await requestsFrom(hub, [{ host: hub.ipv4, path: '/healthz', isTls: true }]))[0]!.status === 200,
      proxy.output,
    );
    const [announced, home] = await requestsFrom(clients[0], [
      { host: hub.ipv6, path: announcePath({}), isTls: true },
      { host: hub.ipv4, path: '/', isTls: true },
    ]);
    assert.equal(decoded(announced!).complete, 1);
    assert.match(home!.body.toString(), /https:\/\/tracker\.example\/announce/);
  });
});

describe('the proxies’ files', () => {
  for (const [path, pattern] of [
    ['deploy/nginx.conf', /upstream \w+ \{[^}]*keepalive_timeout (\d+)s;/],
    ['deploy/Caddyfile', /^\t*keepalive (\d+)s$/m],
  ] as const) {
    it(`${path} lets the proxy close a kept connection before the tracker does`, () => {
      const seconds = Number(pattern.exec(readFileSync(path, 'utf8'))?.[1]);
      assert.ok(seconds >= 10 && seconds * 1_000 + 10_000 < IDLE_BEHIND_PROXY_MS, `${seconds} s`);
    });
  }
});
