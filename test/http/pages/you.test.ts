import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Verdict } from '../../../src/access/access.ts';
import { ClientAddresses } from '../../../src/http/client-address.ts';
import { youRoutes } from '../../../src/http/pages/you-routes.ts';
import { ProxyWarnings } from '../../../src/http/proxy-warnings.ts';
import { PeerAddresses } from '../../../src/tracker/peer-address.ts';
import type { SwarmCounts } from '../../../src/tracker/tracker.ts';
import { memoryLog } from '../../builders/log.ts';
import { type Ask, FRAME, serve } from '../page-server.ts';

const HASH = '0123456789abcdef0123456789abcdef01234567';
const COUNTS: SwarmCounts = { seeders: 1_812, leechers: 40, partialSeeds: 3, completed: 977 };

interface Situation {
  readonly trustProxy?: number | undefined;
  readonly verdict?: Verdict;
  readonly swarm?: SwarmCounts | undefined;
  readonly publicUrl?: string;
  readonly hasBothSchemes?: boolean;
}

function openYou(context: TestContext, situation: Situation = {}): Promise<Ask> {
  const trustProxy = 'trustProxy' in situation ? situation.trustProxy : 1;
  const router = youRoutes(FRAME, {
    clientAddresses: new ClientAddresses({
      trustProxy,
      warnings: new ProxyWarnings({ trustProxy, log: memoryLog() }),
    }),
    peerAddresses: new PeerAddresses({ trustProxy, allowPrivatePeers: undefined, trustIpParamFrom: [] }),
    access: { verdict: () => situation.verdict ?? Verdict.served },
    tracker: { swarm: () => ('swarm' in situation ? situation.swarm : COUNTS) },
    settings: {
      publicUrl: situation.publicUrl ?? 'https://t.example',
      domainName: undefined,
      hasBothSchemes: situation.hasBothSchemes ?? false,
      trustProxy,
      announceIntervalSeconds: 1_800,
      peerTtlSeconds: 3_600,
    },
  });
  return serve(context, router);
}

const from = (address: string) => ({ 'x-forwarded-for': address });

describe('/you', () => {
  for (const [address, family] of [
    ['203.0.113.7', 'IPv4'],
    ['2001:db8::5', 'IPv6'],
  ] as const) {
    it(`shows the visitor his own address and that it is ${family}, as an announce would be recorded`, async (context) => {
      const ask = await openYou(context);
      const { text } = await ask('/you', from(`9.9.9.9, ${address}`));
      assert.ok(text.includes(`<code>${address}</code> <span class="tag">${family}</span>`));
      assert.match(text, /is taken, and recorded under this address/);
      assert.doesNotMatch(text, /9\.9\.9\.9/);
    });
  }

  it('says that an announce from a private address behind a proxy is refused, in the words of the refusal', async (context) => {
    const ask = await openYou(context);
    const { text } = await ask('/you', from('192.168.1.5'));
    assert.match(text, /<code>192\.168\.1\.5<\/code>/);
    assert.match(text, /is refused: “cannot determine client address: the one seen is private or reserved”/);
    assert.match(text, /No peer on the internet could reach this address/);
  });

  it('takes a private address where the tracker is reached directly, as announces do', async (context) => {
    const ask = await openYou(context, { trustProxy: 0 });
    const { text } = await ask('/you');
    assert.match(text, /<code>127\.0\.0\.1<\/code>/);
    assert.match(text, /is taken/);
  });

  it('says what the operator has to set when the proxies were not counted', async (context) => {
    const ask = await openYou(context, { trustProxy: undefined });
    const { text } = await ask('/you', from('203.0.113.7'));
    assert.match(text, /refused: “cannot determine client address: the operator .* TRUST_PROXY”/);
    assert.doesNotMatch(text, /203\.0\.113\.7/);
  });

  it('shows the counts of a pasted torrent, by hash or by magnet link', async (context) => {
    const ask = await openYou(context);
    for (const pasted of [HASH, ` ${HASH.toUpperCase()} `, `magnet:?xt=urn:btih:${HASH}&dn=some+name`]) {
      const { text } = await ask(`/you?torrent=${encodeURIComponent(pasted)}`, from('203.0.113.7'));
      assert.ok(text.includes(`<code>${HASH}</code>`), pasted);
      assert.match(text, /This torrent is served\./);
      assert.match(text, /<dt>Seeders<\/dt><dd>1,812<\/dd>/);
      assert.match(text, /<dt>Downloads completed<\/dt><dd>977<\/dd>/);
      assert.doesNotMatch(text, /some name|names trackers/);
    }
  });

  it('says that nobody has announced a torrent', async (context) => {
    const ask = await openYou(context, { swarm: undefined });
    const { text } = await ask(`/you?torrent=${HASH}`);
    assert.match(text, /nobody has announced it here within the last 1.h\./);
  });

  for (const [verdict, reason] of [
    [Verdict.banned, 'torrent not allowed: banned on this tracker'],
    [Verdict.notAllowed, 'torrent not allowed: not on the allow list of this tracker'],
    [Verdict.notLoaded, 'allow list not loaded yet'],
  ] as const) {
    it(`gives no counts of a torrent that is refused, and says why: ${reason}`, async (context) => {
      const ask = await openYou(context, { verdict });
      const { text } = await ask(`/you?torrent=${HASH}`);
      assert.ok(text.includes(`refused: “${reason}`));
      assert.doesNotMatch(text, /1,812/);
    });
  }

  for (const [tracker, isThis] of [
    ['https://t.example/announce', true],
    ['http://T.example/announce', true],
    ['https://t.example:443/announce', true],
    ['http://t.example:80/announce/', true],
    ['https://t.example/announce?key=1', true],
    ['https://t.example:8443/announce', false],
    ['https://t.example/other', false],
    ['https://other.example/announce', false],
    ['udp://t.example/announce', false],
    ['udp://other.example:80/announce', false],
    ['http://t.example:99999/announce', false],
    ['t.example/announce', false],
    ['', false],
  ] as const) {
    it(`says of a link that names ${tracker || 'nothing'} that it ${isThis ? 'names' : 'does not name'} this tracker`, async (context) => {
      const ask = await openYou(context);
      const link = `magnet:?xt=urn:btih:${HASH}&tr=${encodeURIComponent(tracker)}`;
      const { text } = await ask(`/you?torrent=${encodeURIComponent(link)}`);
      assert.equal(/this one is not among them/.test(text), !isThis);
    });
  }

  it('names each announce URL of this tracker', async (context) => {
    const ask = await openYou(context, { hasBothSchemes: true });
    const { text } = await ask('/you');
    assert.ok(
      text.includes('<code>https://t.example/announce</code> or <code>http://t.example/announce</code>, and'),
    );
  });

  it('says nothing of a link’s trackers where it cannot tell which of them it is', async (context) => {
    const ask = await openYou(context, { publicUrl: 'http://t.example:99999' });
    const link = `magnet:?xt=urn:btih:${HASH}&tr=http://other.example/announce`;
    const { text } = await ask(`/you?torrent=${encodeURIComponent(link)}`);
    assert.match(text, /This torrent is served/);
    assert.doesNotMatch(text, /among them/);
  });

  it('says what may be pasted when there is no hash in it, and never repeats it', async (context) => {
    const ask = await openYou(context);
    for (const pasted of [
      '"><script>alert(1)</script>',
      'abc',
      'a'.repeat(4_000),
      'magnet:?xt=urn:btmh:1220',
    ]) {
      const { status, text } = await ask(`/you?torrent=${encodeURIComponent(pasted)}`);
      assert.equal(status, 200);
      assert.match(text, /There is no info hash in that\. Allowed are 40 hex characters/);
      assert.ok(!text.includes(pasted));
    }
  });

  it('does not fail at a query that is none', async (context) => {
    const ask = await openYou(context);
    for (const query of ['?', '?torrent', '?torrent=%', '?torrent=%ff%fe', '?torrent=&torrent=x', '?x=1']) {
      assert.equal((await ask(`/you${query}`)).status, 200, query);
    }
  });

  it('is kept by no cache and listed by no search engine', async (context) => {
    const ask = await openYou(context);
    const { headers, text } = await ask('/you');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.match(text, /<meta name="robots" content="noindex">/);
  });
});
