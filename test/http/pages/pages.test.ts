import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { announceUrls } from '../../../src/http/pages/announce-url.ts';
import { type PageSettings, pageRoutes } from '../../../src/http/pages/page-routes.ts';
import { statsRoutes } from '../../../src/http/stats/stats-routes.ts';
import { wellGauges } from '../../stats/gauges.ts';
import { FRAME, serve } from '../page-server.ts';

function settings(changes: Partial<PageSettings> = {}): PageSettings {
  return {
    publicUrl: undefined,
    domainName: undefined,
    hasBothSchemes: false,
    trustProxy: undefined,
    contactEmail: undefined,
    peerTtlSeconds: 3_600,
    ...changes,
  };
}

describe('the announce URL', () => {
  const headers = { host: 'shown.example:8080', 'x-forwarded-proto': 'https' };

  test('is PUBLIC_URL’s before anything else', () => {
    const urls = announceUrls(
      headers,
      settings({ publicUrl: 'https://t.example', domainName: 'x.herokuapp.com' }),
    );
    assert.deepEqual(urls, ['https://t.example/announce']);
  });

  test('is the platform’s name for the application before the request’s', () => {
    assert.deepEqual(announceUrls(headers, settings({ domainName: 'x.herokuapp.com' })), [
      'https://x.herokuapp.com/announce',
    ]);
  });

  test('is the Host of the request, https only by the word of a trusted proxy', () => {
    const [http, https] = ['http://shown.example:8080/announce', 'https://shown.example:8080/announce'];
    assert.deepEqual(announceUrls(headers, settings({ trustProxy: 1 })), [https]);
    assert.deepEqual(announceUrls(headers, settings({ trustProxy: 0 })), [http]);
    assert.deepEqual(announceUrls(headers, settings()), [http]);
    const spoofed = { ...headers, 'x-forwarded-proto': 'https, http' };
    assert.deepEqual(announceUrls(spoofed, settings({ trustProxy: 1 })), [http]);
  });

  test('may have an IPv6 address for its host', () => {
    assert.deepEqual(announceUrls({ host: '[2001:db8::1]:1337' }, settings()), [
      'http://[2001:db8::1]:1337/announce',
    ]);
  });

  test('is there over HTTP too where the platform answers both, beside HTTPS on its own port', () => {
    const of = (publicUrl: string) => announceUrls({}, settings({ publicUrl, hasBothSchemes: true }));
    assert.deepEqual(of('https://t.example'), ['https://t.example/announce', 'http://t.example/announce']);
    assert.deepEqual(of('https://[2001:db8::1]'), [
      'https://[2001:db8::1]/announce',
      'http://[2001:db8::1]/announce',
    ]);
    assert.deepEqual(of('https://t.example:8443'), ['https://t.example:8443/announce']);
    assert.deepEqual(of('https://[2001:db8::1]:8443'), ['https://[2001:db8::1]:8443/announce']);
    assert.deepEqual(of('http://t.example'), ['http://t.example/announce']);
  });

  for (const host of ['', '"><script>', 'a b', 'evil.example/path?', 'user@evil.example', 'x:99999999']) {
    test(`is not made from the Host ${JSON.stringify(host)}`, () => {
      assert.deepEqual(announceUrls({ host }, settings()), []);
    });
  }
});

describe('/', () => {
  test('shows the announce URL to copy', async (context) => {
    const ask = await serve(context, pageRoutes(FRAME, settings({ publicUrl: 'https://t.example' })));
    const { text } = await ask('/');
    assert.match(text, /<code class="copy">https:\/\/t\.example\/announce<\/code>/);
    assert.match(text, /60 minutes after/);
    assert.match(text, /Put it into the tracker list/);
  });

  test('shows both announce URLs where the platform answers both schemes', async (context) => {
    const both = settings({ domainName: 'x.herokuapp.com', hasBothSchemes: true });
    const { text } = await (await serve(context, pageRoutes(FRAME, both)))('/');
    assert.deepEqual(
      [...text.matchAll(/<code class="copy">(.+?)<\/code>/g)].map(([, url]) => url),
      ['https://x.herokuapp.com/announce', 'http://x.herokuapp.com/announce'],
    );
    assert.match(text, /Both lead to the same peers/);
  });

  test('says so when it cannot know the URL', async (context) => {
    const ask = await serve(context, pageRoutes(FRAME, settings()));
    const { status, text } = await ask('/', { host: '"><b>' });
    assert.equal(status, 200);
    assert.match(text, /does not know the address/);
    assert.doesNotMatch(text, /<b>/);
  });
});

describe('/dmca', () => {
  test('names the contact', async (context) => {
    const ask = await serve(context, pageRoutes(FRAME, settings({ contactEmail: 'abuse@t.example' })));
    assert.match((await ask('/dmca')).text, /<a href="mailto:abuse@t\.example">abuse@t\.example<\/a>/);
  });

  test('is honest when there is none', async (context) => {
    const ask = await serve(context, pageRoutes(FRAME, settings()));
    const { text } = await ask('/dmca');
    assert.match(text, /has given no address/);
    assert.doesNotMatch(text, /mailto:/);
  });

  test('escapes whatever the contact holds', async (context) => {
    const ask = await serve(context, pageRoutes(FRAME, settings({ contactEmail: '"<x>&\'@t.example' })));
    assert.doesNotMatch((await ask('/dmca')).text, /<x>|"mailto:"/);
  });
});

test('robots.txt keeps announce, scrape, admin and what is a visitor’s own out of indexes', async (context) => {
  const ask = await serve(context, pageRoutes(FRAME, settings()));
  const { text, headers } = await ask('/robots.txt');
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
  for (const path of ['/announce', '/scrape', '/admin', '/you'])
    assert.match(text, new RegExp(`^Disallow: ${path}$`, 'm'));
});

describe('every page', () => {
  const routers = () => [
    pageRoutes(FRAME, settings({ publicUrl: 'https://t.example' })),
    statsRoutes(FRAME, () => wellGauges()),
  ];

  for (const path of ['/', '/dmca', '/stats']) {
    test(`${path} loads from its own origin only, holds no script or style inline, and its policy says so`, async (context) => {
      const ask = await serve(context, ...routers());
      const { text, headers } = await ask(path, { accept: 'text/html' });
      const policy = String(headers['content-security-policy']);
      assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';/);
      assert.doesNotMatch(policy, /unsafe|\*|https?:|data:/);
      assert.doesNotMatch(text, /(?:src|href)="(?:https?:)?\/\//);
      assert.doesNotMatch(text, /<style|<script(?! type="module" src="\/assets\/)| style="| on[a-z]+="/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['cache-control'], 'no-store');
    });

    test(`${path} is one document with a language, a title, a main part and a viewport for phones`, async (context) => {
      const ask = await serve(context, ...routers());
      const { text } = await ask(path, { accept: 'text/html' });
      for (const part of [
        '<!doctype html>',
        '<html lang="en">',
        '<title>',
        '<main id="main">',
        '<h1>',
        'name="viewport"',
      ]) {
        assert.equal(text.split(part).length - 1, 1, part);
      }
    });

    test(`${path} answers HEAD, and 405 to what would change something`, async (context) => {
      const ask = await serve(context, ...routers());
      assert.equal((await ask(path, { accept: 'text/html' }, 'HEAD')).status, 200);
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
        const answer = await ask(path, {}, method);
        assert.equal(answer.status, 405, method);
        assert.equal(answer.headers.allow, 'GET, HEAD');
      }
    });
  }

  test('paths are told apart by letter case', async (context) => {
    const ask = await serve(context, ...routers());
    assert.equal((await ask('/STATS')).status, 404);
    assert.equal((await ask('/Dmca')).status, 404);
  });
});
