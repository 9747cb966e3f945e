/** What people see, in a real browser, of a tracker that runs as its operator runs it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { escaped, hashOf, peerIdOf } from '../builders/requests.ts';
import { startTracker, type TrackerProcess, temporaryFolder } from '../builders/tracker-process.ts';
import { announce } from '../end-to-end/tracker-requests.ts';
import { waitUntil } from '../end-to-end/wait-until.ts';
import { violationsIn } from './accessibility.ts';
import { inChromium, launchChromium, openPage } from './chromium.ts';

const PAGES = ['/', '/stats', '/you', `/you?torrent=${'ab'.repeat(20)}`, '/you?torrent=none', '/dmca'];
const WIDTHS = [360, 768, 1_600];

/** So many peers of one swarm, of which the first half are seeders. */
async function announcePeers(tracker: TrackerProcess, peers: number): Promise<void> {
  for (let peer = 0; peer < peers; peer++) {
    await announce(tracker, {
      info_hash: escaped(hashOf(0xab)),
      peer_id: peerIdOf(peer),
      port: 7_000 + peer,
      left: peer < peers / 2 ? 0 : 1_000,
    });
  }
}

const figure = (page: Page, name: string) => page.locator(`[data-figure="${name}"]`).first();
const textOf = async (page: Page, selector: string): Promise<string> =>
  (await page.locator(selector).first().textContent()) ?? '';
const isState = (page: Page, state: string) => page.locator(`.state[data-state="${state}"]`).waitFor();
const hasText = (page: Page, name: string, text: string) =>
  page
    .locator(`[data-figure="${name}"]`, { hasText: new RegExp(`^${text}$`) })
    .first()
    .waitFor();

/** Pixels of each canvas that have the colour of one of its lines, and no grey. */
function colouredPixels(page: Page): Promise<number[]> {
  return page.$$eval('.plot canvas', (canvases) =>
    canvases.map((canvas) => {
      if (!(canvas instanceof HTMLCanvasElement)) return 0;
      // Read from a copy, or the browser would have a word to say about it.
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {
        willReadFrequently: true,
      })!;
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      let coloured = 0;
      for (let at = 0; at < data.length; at += 4) {
        const [red, green, blue, alpha] = data.subarray(at, at + 4);
        if (alpha! > 200 && Math.max(red!, green!, blue!) - Math.min(red!, green!, blue!) > 80) coloured += 1;
      }
      return coloured;
    }),
  );
}

describe('the pages in Chromium', inChromium(import.meta.url), () => {
  let browser: Browser;
  let tracker: TrackerProcess;
  const cleanups: (() => unknown)[] = [];
  before(async () => {
    browser = await launchChromium();
    tracker = await startTracker({ after: (cleanup) => void cleanups.push(cleanup as () => unknown) });
    await announcePeers(tracker, 10);
  });
  after(async () => {
    await browser?.close();
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  it('the statistics have their numbers without JavaScript', async (context) => {
    const { page } = await openPage(context, browser, { javaScriptEnabled: false });
    await page.goto(`${tracker.origin}/stats`);
    assert.equal(await figure(page, 'peers').textContent(), '10');
    assert.equal(await figure(page, 'seeders').textContent(), '5');
    assert.match(await textOf(page, '.state'), /^As of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
    assert.match(await textOf(page, 'noscript'), /need JavaScript/);
    assert.equal(await page.locator('[data-plots]').isVisible(), false);
  });

  it('the statistics change while announces arrive', async (context) => {
    const own = await startTracker(context);
    const { page, faults } = await openPage(context, browser);
    await page.goto(`${own.origin}/stats`);
    await isState(page, 'live');
    assert.equal(await figure(page, 'peers').textContent(), '0');
    await announcePeers(own, 6);
    await hasText(page, 'peers', '6');
    assert.equal(await figure(page, 'leechers').textContent(), '3');
    assert.equal(await page.locator('[data-share=seeders]').getAttribute('width'), '50.00');
    await page.waitForFunction(() => document.title === '6 peers · Trakx');
    assert.deepEqual(faults, []);
  });

  it('the plots draw, and say in words what they show', async (context) => {
    const { page, faults } = await openPage(context, browser);
    await page.goto(`${tracker.origin}/stats`);
    const peers = page.locator('.plot-image').first();
    await page.waitForFunction(() =>
      /now 10, lowest/.test(document.querySelector('.plot-image')?.ariaLabel ?? ''),
    );
    assert.equal(await peers.getAttribute('role'), 'img');
    assert.match(
      (await peers.getAttribute('aria-label')) ?? '',
      /^Peers, last hour\. Peers: now 10, lowest \d+, highest \d+\. Seeders: now 5/,
    );
    // A line takes two moments, and grows with each.
    await waitUntil('lines are drawn', async () => {
      const [peersPixels = 0, swarmsPixels = 0] = await colouredPixels(page);
      return peersPixels > 50 && swarmsPixels > 50;
    });
    assert.deepEqual(faults, []);
  });

  it('the keyboard alone reaches the switch between hour, day and week, and turns it', async (context) => {
    const { page, faults } = await openPage(context, browser);
    await page.goto(`${tracker.origin}/stats`);
    await isState(page, 'live');
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('value'));
    for (let presses = 0; presses < 20 && (await focused()) !== 'hour'; presses++)
      await page.keyboard.press('Tab');
    assert.equal(await focused(), 'hour');
    for (const [key, span] of [
      ['ArrowRight', 'day'],
      ['ArrowRight', 'week'],
      ['ArrowLeft', 'day'],
    ] as const) {
      const answered = page.waitForResponse((response) =>
        response.url().endsWith(`history.json?span=${span}`),
      );
      await page.keyboard.press(key);
      assert.equal((await answered).status(), 200);
      await page.waitForFunction(
        (wanted) => document.querySelector('.plot-image')?.ariaLabel?.startsWith(`Peers, last ${wanted}.`),
        span,
      );
    }
    assert.deepEqual(faults, []);
  });

  it('the statistics come back by themselves when the tracker was restarted', async (context) => {
    const environment = { STORE_URL: `file:${temporaryFolder(context)}` };
    const first = await startTracker(context, { environment });
    await announcePeers(first, 4);
    const { page } = await openPage(context, browser);
    await page.goto(`${first.origin}/stats`);
    await isState(page, 'live');
    await first.stop();
    await isState(page, 'reconnecting');
    assert.match(await textOf(page, '[data-state-text]'), /Reconnecting/);
    const second = await startTracker(context, { environment: { ...environment, PORT: String(first.port) } });
    await isState(page, 'live');
    await announcePeers(second, 8);
    await hasText(page, 'peers', '8');
  });

  it('the announce URL is copied by its button', async (context) => {
    const { page, faults } = await openPage(context, browser, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await page.goto(`${tracker.origin}/`);
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${tracker.origin}/announce`);
    assert.equal(await textOf(page, '[role=status]'), 'Copied to the clipboard');
    assert.deepEqual(faults, []);
  });

  it('each of two announce URLs has a button that copies it', async (context) => {
    const environment = { DYNO: 'web.1', PUBLIC_URL: 'https://t.example' };
    const own = await startTracker(context, { environment });
    const { page, faults } = await openPage(context, browser, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await page.goto(`${own.origin}/`);
    for (const [index, url] of ['https://t.example/announce', 'http://t.example/announce'].entries()) {
      const button = page.getByRole('button').nth(index);
      const described = await button.getAttribute('aria-describedby');
      assert.equal(await textOf(page, `#${described}`), url);
      await button.click();
      await waitUntil(
        'it is copied',
        async () => (await page.evaluate(() => navigator.clipboard.readText())) === url,
      );
    }
    assert.deepEqual(await violationsIn(page), []);
    assert.deepEqual(faults, []);
  });

  it('the form finds a pasted magnet link’s torrent, without JavaScript too', async (context) => {
    for (const javaScriptEnabled of [true, false]) {
      const { page, faults } = await openPage(context, browser, { javaScriptEnabled });
      await page.goto(`${tracker.origin}/you`);
      await page.getByLabel('Magnet link or info hash').fill(`magnet:?xt=urn:btih:${'ab'.repeat(20)}&dn=x`);
      await page.getByRole('button', { name: 'Look it up' }).click();
      await page.getByText('This torrent is served.').waitFor();
      assert.match(await textOf(page, '[aria-label="The torrent"]'), /Seeders5Leechers5/);
      assert.deepEqual(faults, []);
    }
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`every page is accessible as axe-core judges, in ${colorScheme}, and loads nothing it may not`, async (context) => {
      const { page, faults } = await openPage(context, browser, { colorScheme });
      for (const path of PAGES) {
        await page.goto(tracker.origin + path);
        if (path === '/stats') await isState(page, 'live');
        assert.deepEqual(await violationsIn(page), [], path);
      }
      const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const isDark = ground.match(/\d+/g)!.every((part) => Number(part) < 64);
      assert.equal(isDark, colorScheme === 'dark', ground);
      assert.deepEqual(faults, []);
    });
  }

  it('no page is wider than the screen, from a phone’s on', async (context) => {
    const { page } = await openPage(context, browser);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      for (const path of PAGES) {
        await page.goto(tracker.origin + path);
        if (path === '/stats') await isState(page, 'live');
        const needed = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(needed <= width, `${path} needs ${needed} of ${width} pixels`);
      }
    }
  });
});
