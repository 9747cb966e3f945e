import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { figureLists, figureShares, figureTexts } from '../../../src/http/pages/browser/figures.js';
import { statsRoutes } from '../../../src/http/stats/stats-routes.ts';
import { liveReport } from '../../../src/stats/stats-report.ts';
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
    assert.match(answer.text, /<dt>Peers<\/dt><dd><span data-figure="peers">42<\/span><\/dd>/);
    assert.match(answer.text, /1\u202fmin 30\u202fs ago/);
    assert.doesNotMatch(answer.text, /class="warning"/);
  });

  test('shows warnings, escaped', async (context) => {
    const ask = await serve(
      context,
      statsRoutes(FRAME, () => wellGauges({ warnings: ['<script>alert(1)</script>'] })),
    );
    const { text } = await ask('/stats', { accept: BROWSER });
    assert.match(text, /class="warning">&#60;script&#62;alert/);
    assert.doesNotMatch(text, /<script>/);
  });

  test('names a place for each figure, share and list, and has each in it from the start', async (context) => {
    const gauges = wellGauges();
    const ask = await serve(
      context,
      statsRoutes(FRAME, () => gauges),
    );
    const { text } = await ask('/stats', { accept: BROWSER });
    const report = liveReport(gauges);
    for (const [attribute, known] of [
      ['data-figure', figureTexts(report)],
      ['data-share', figureShares(report)],
      ['data-list', figureLists(report)],
    ] as const) {
      const places = [...text.matchAll(new RegExp(`${attribute}="(\\w+)"`, 'g'))].map(([, name]) => name!);
      assert.deepEqual([...new Set(places)].sort(), Object.keys(known).sort(), attribute);
    }
    assert.doesNotMatch(text, /undefined|NaN|null/);
  });

  test('names a swarm by its rank, and by its hash only where it is given one', async (context) => {
    const swarm = { peers: 9, seeders: 5, leechers: 4 };
    const infoHash = 'ab'.repeat(20);
    for (const [busiestSwarms, name] of [
      [[swarm], 'No. 1'],
      [[{ ...swarm, infoHash }], `<code>${infoHash}</code>`],
    ] as const) {
      const ask = await serve(
        context,
        statsRoutes(FRAME, () => wellGauges({ busiestSwarms })),
      );
      const { text } = await ask('/stats', { accept: BROWSER });
      assert.ok(text.includes(`<th scope="row">${name}</th><td>9</td><td>5</td><td>4</td>`));
    }
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

test('/stats.json is JSON even for a browser', async (context) => {
  const ask = await serve(
    context,
    statsRoutes(FRAME, () => wellGauges()),
  );
  const report = JSON.parse((await ask('/stats.json', { accept: BROWSER })).text);
  assert.equal(report.seeders, 30);
  assert.equal(report['trakx.database.seeds'], 30);
  assert.equal(typeof report.memstats.HeapInuse, 'number');
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
