import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { statsRoutes } from '../../../src/http/stats/stats-routes.ts';
import { wellGauges } from '../../stats/gauges.ts';
import { FRAME, serve } from '../page-server.ts';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

describe('/stats', () => {
  for (const accept of [undefined, '*/*', 'application/json', 'text/html;q=0.5, application/json']) {
    test(`is JSON for Accept: ${accept ?? '(none)'}`, async (context) => {
      const ask = await serve(
        context,
        statsRoutes(FRAME, () => wellGauges()),
      );
      const answer = await ask('/stats', accept === undefined ? {} : { accept });
      assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
      assert.equal(answer.headers.vary, 'Accept');
      assert.equal(JSON.parse(answer.text).peers, 42);
    });
  }

  test('is a page for a browser, with the numbers in it', async (context) => {
    const ask = await serve(
      context,
      statsRoutes(FRAME, () => wellGauges()),
    );
    const answer = await ask('/stats', { accept: BROWSER });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(answer.headers.vary, 'Accept');
    assert.match(answer.text, /<dt>Peers<\/dt><dd>42<\/dd>/);
    assert.match(answer.text, /1 min 30 s ago/);
    assert.doesNotMatch(answer.text, /class="warning"/);
  });

  test('shows warnings, escaped', async (context) => {
    const ask = await serve(
      context,
      statsRoutes(FRAME, () => wellGauges({ warnings: ['<script>alert(1)</script>'] })),
    );
    const { text } = await ask('/stats', { accept: BROWSER });
    assert.match(text, /role="alert">&#60;script&#62;/);
    assert.doesNotMatch(text, /<script/);
  });

  test('shows no address, though addresses were heard', async (context) => {
    const gauges = wellGauges();
    gauges.counters.addresses.add(new Uint8Array([203, 0, 113, 77]), gauges.nowSeconds);
    const ask = await serve(
      context,
      statsRoutes(FRAME, () => gauges),
    );
    for (const headers of [{ accept: BROWSER }, {}]) {
      assert.doesNotMatch((await ask('/stats', headers)).text, /203\.0\.113\.77/);
    }
  });
});

describe('/stats.json and /debug/vars', () => {
  for (const path of ['/stats.json', '/debug/vars']) {
    test(`${path} is JSON even for a browser`, async (context) => {
      const ask = await serve(
        context,
        statsRoutes(FRAME, () => wellGauges()),
      );
      const report = JSON.parse((await ask(path, { accept: BROWSER })).text);
      assert.equal(report.seeders, 30);
      assert.equal(report['trakx.database.seeds'], 30);
      assert.equal(typeof report.memstats.HeapInuse, 'number');
    });
  }
});

test('HEAD has the headers of GET and no body; other methods are refused', async (context) => {
  const ask = await serve(
    context,
    statsRoutes(FRAME, () => wellGauges()),
  );
  for (const path of ['/stats', '/stats.json']) {
    const head = await ask(path, {}, 'HEAD');
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.ok(Number(head.headers['content-length']) > 100);
    const post = await ask(path, {}, 'POST');
    assert.equal(post.status, 405);
    assert.equal(post.headers.allow, 'GET, HEAD');
  }
});
