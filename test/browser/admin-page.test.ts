/** The admin page in a real browser, on a tracker that runs as its operator runs it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { fullyEscaped } from '../builders/requests.ts';
import { startTracker, type TrackerProcess } from '../builders/tracker-process.ts';
import { announce, ask, isReady } from '../end-to-end/tracker-requests.ts';
import { waitUntil } from '../end-to-end/wait-until.ts';
import { violationsIn } from './accessibility.ts';
import { inChromium, launchChromium, openPage } from './chromium.ts';

const ADMIN_TOKEN = 'a-token-of-twenty-four-characters';
/** From this number on 120 hashes are banned before the tests. */
const EARLIER = 0x10000;
const hex = (n: number): string => n.toString(16).padStart(8, '0').padStart(40, 'a');

async function signIn(page: Page, tracker: TrackerProcess, token = ADMIN_TOKEN): Promise<void> {
  await page.goto(`${tracker.origin}/admin/`);
  await page.getByLabel('Admin token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/**
 * As people do, by the clipboard: Playwright's `fill` takes half a minute for so many lines. A click waits until the page
 * has signed in and shows the field; `focus` does not, and does nothing to a field that is hidden: what is pasted then is lost.
 */
async function paste(page: Page, text: string): Promise<void> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const field = page.getByLabel('Info hashes or magnet links');
  await field.click();
  await page.evaluate((all) => navigator.clipboard.writeText(all), text);
  await page.keyboard.press('Control+V');
  assert.equal(await field.inputValue(), text);
}

describe('the admin page in Chromium', inChromium(import.meta.url), () => {
  let browser: Browser;
  let tracker: TrackerProcess;
  const cleanups: (() => unknown)[] = [];
  before(async () => {
    browser = await launchChromium();
    const cleanup = { after: (work: unknown) => void cleanups.push(work as () => unknown) };
    const environment = { ADMIN_TOKEN, BANNED_HASHES: hex(0xfffff) };
    tracker = await startTracker(cleanup, { environment });
    await waitUntil('the tracker is ready', () => isReady(tracker));
    const earlier = Array.from({ length: 120 }, (_, n) => hex(EARLIER + n));
    await ask(tracker, '/admin/bans', {
      method: 'POST',
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
      body: JSON.stringify({ hashes: earlier, reason: 'an earlier case' }),
    });
  });
  after(async () => {
    await browser?.close();
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  it('bans two thousand pasted lines, and hands out a receipt that is right', async (context) => {
    const { page, faults } = await openPage(context, browser, { acceptDownloads: true });
    await signIn(page, tracker);
    const lines = Array.from({ length: 2_000 }, (_, n) =>
      n % 2 === 0 ? hex(n) : `magnet:?dn=A+name+${n}&xt=urn:btih:${hex(n).toUpperCase()}`,
    );
    for (const bad of [3, 4, 5, 1_499]) lines[bad] = `<b>no hash ${bad}</b>`;
    await paste(page, lines.join('\n'));
    await page.getByLabel('Reason, which stands in the receipt').fill('letter of 1 May');
    await page.getByRole('button', { name: 'Ban', exact: true }).click();
    await page.getByText('1,996 info hashes are banned.').waitFor();

    const receipt = (await page.locator('#receipt').textContent()) ?? '';
    assert.match(receipt, /^Tracker: {2}http:\/\/127\.0\.0\.1:\d+\/announce$/m);
    assert.match(receipt, /^Date: {5}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/m);
    assert.match(receipt, /^Reason: {3}letter of 1 May$/m);
    assert.match(receipt, /^Banned: {3}1,996 info hashes$/m);
    assert.match(receipt, /^Left out: 4 lines without an info hash: 4–6, 1500$/m);
    assert.equal(receipt.match(/^[0-9a-f]{40} {2}banned$/gm)?.length, 1_996);
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied.').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), receipt);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download' }).click(),
    ]);
    assert.match(download.suggestedFilename(), /^takedown-\d{4}-\d\d-\d\d\.txt$/);
    assert.equal(readFileSync(await download.path(), 'utf8'), receipt);

    const refused = await announce(tracker, { info_hash: fullyEscaped(Buffer.from(hex(8), 'hex')) });
    assert.match(Buffer.from(refused['failure reason'] ?? '').toString(), /banned/);
    const served = await announce(tracker, { info_hash: fullyEscaped(Buffer.from(hex(4_000), 'hex')) });
    assert.equal(served['failure reason'], undefined);
    assert.equal(await page.getByLabel('Info hashes or magnet links').inputValue(), '');
    assert.deepEqual(faults, []);
  });

  it('takes nothing more while it bans, and after a failure goes on to one receipt', async (context) => {
    const { page } = await openPage(context, browser);
    await signIn(page, tracker);
    const field = page.getByLabel('Info hashes or magnet links');
    const button = page.getByRole('button', { name: 'Ban', exact: true });
    let answer: (how: 'continue' | 'abort') => void = () => {};
    let posts = 0;
    await page.route('**/admin/bans?results=yes*', async (route) => {
      posts += 1;
      if (posts !== 2) return route.continue();
      const how = await new Promise<'continue' | 'abort'>((resolve) => {
        answer = resolve;
      });
      return how === 'abort' ? route.abort() : route.continue();
    });
    const lines = Array.from({ length: 1_003 }, (_, n) => hex(0x30000 + n));
    await paste(page, lines.join('\n'));
    await button.click();
    await page.getByText('Banning: 1,000 of 1,003 lines.').waitFor();
    await field.focus();
    await page.keyboard.press('Control+V');
    assert.equal(await field.inputValue(), lines.join('\n'), 'the field takes nothing now');
    await waitUntil('the second request is held', () => posts === 2);
    answer('abort');
    await page.getByText('1,000 info hashes are banned. Then it failed').waitFor();
    assert.equal(await field.inputValue(), lines.slice(1_000).join('\n'));
    assert.match(
      (await page.locator('#receipt').textContent()) ?? '',
      /^Not done: 3 lines from line 1001 on$/m,
    );
    await button.click();
    await page.getByText('1,003 info hashes are banned.').waitFor();
    const receipt = (await page.locator('#receipt').textContent()) ?? '';
    assert.match(receipt, /^Banned: {3}1,003 info hashes$/m);
    assert.equal(receipt.match(/^[0-9a-f]{40} {2}banned$/gm)?.length, 1_003);
    assert.equal(await field.inputValue(), '');
  });

  it('sends no reason that the tracker would not take', async (context) => {
    const { page, faults } = await openPage(context, browser);
    await signIn(page, tracker);
    await page.getByLabel('Info hashes or magnet links').fill(hex(0x40000));
    const field = page.getByLabel('Reason, which stands in the receipt');
    await field.fill('ü'.repeat(101));
    await page.getByRole('button', { name: 'Ban', exact: true }).click();
    const said = await field.evaluate((input) => (input as HTMLInputElement).validationMessage);
    assert.match(said, /up to 200 bytes, and has 202/);
    assert.equal(await page.locator('#takedown-status').textContent(), '');
    await field.fill('ü'.repeat(100));
    await page.getByRole('button', { name: 'Ban', exact: true }).click();
    await page.getByText('1 info hash is banned.').waitFor();
    assert.deepEqual(faults, []);
  });

  it('finds a ban by its reason, lifts it, and shows more on demand', async (context) => {
    const { page, faults } = await openPage(context, browser);
    await signIn(page, tracker);
    await page.getByText(/^Showing the first 50 of [\d,]+ bans, and 1 of BANNED_HASHES\.$/).waitFor();
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByText(/^Showing the first 100 of [\d,]+ bans, and 1 of BANNED_HASHES\.$/).waitFor();
    await page.getByLabel('Hash, its beginning').fill(hex(EARLIER));
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText(/^Found 1 in [\d,]+ bans\.$/).waitFor();
    assert.match(
      (await page.locator('#bans .note').first().textContent()) ?? '',
      /^20.* UTC · an earlier case$/,
    );
    await page.getByRole('button', { name: `Lift the ban of ${hex(EARLIER)}` }).click();
    await page.getByText(`The ban of ${hex(EARLIER)} is lifted.`).waitFor();
    const served = await announce(tracker, { info_hash: fullyEscaped(Buffer.from(hex(EARLIER), 'hex')) });
    assert.equal(served['failure reason'], undefined);
    await page.getByLabel('Hash, its beginning').fill('case earlier');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('Found the first 50 in').waitFor();
    await page.getByLabel('Hash, its beginning').fill(hex(0xfffff));
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText(/^Found 0 in [\d,]+ bans, and 1 of BANNED_HASHES\.$/).waitFor();
    assert.equal(
      await page.locator('#bans button').count(),
      0,
      'one of the environment cannot be lifted here',
    );
    assert.deepEqual(faults, []);
  });

  it('shows a swarm by its magnet link, and drops it', async (context) => {
    const { page, faults } = await openPage(context, browser);
    const infoHash = hex(0x20000);
    const info_hash = fullyEscaped(Buffer.from(infoHash, 'hex'));
    for (const port of [1_001, 1_002]) await announce(tracker, { info_hash, port, left: port - 1_001 });
    await signIn(page, tracker);
    const look = async (text: string) => {
      await page.getByLabel('Info hash or magnet link', { exact: true }).fill(text);
      await page.getByRole('button', { name: 'Look up' }).click();
    };
    await look(`magnet:?xt=urn:btih:${infoHash}&dn=a%20name`);
    await page
      .getByText(`${infoHash}: 2 peers, 1 of them seeding; 0 completed downloads. It is served.`)
      .waitFor();
    await page.getByRole('button', { name: 'Forget its peers' }).click();
    await page.getByText(`2 peers of ${infoHash} forgotten.`).waitFor();
    await look(infoHash);
    await page.getByText(`${infoHash}: Nobody is there.`).waitFor();
    await look(hex(EARLIER + 1));
    await page.getByText('banned on this tracker (an earlier case).').waitFor();
    assert.deepEqual(faults, []);
    await look('nonsense');
    await page.getByText('That is no info hash').waitFor();
  });

  it('saves a snapshot and says what came of it', async (context) => {
    const { page, faults } = await openPage(context, browser);
    await signIn(page, tracker);
    await page.getByRole('button', { name: 'Save a snapshot now' }).click();
    await page.getByText(/^Snapshot \d+ with [\d,]+ peers? is saved\.$|^Nothing has changed/).waitFor();
    assert.deepEqual(faults, []);
  });

  it('lets nobody in with a wrong token, and keeps the right one for this tab only', async (context) => {
    const { page } = await openPage(context, browser);
    await signIn(page, tracker, 'wrong');
    await page.getByText('The token is wrong.').waitFor();
    assert.equal(await page.getByRole('heading', { name: 'Takedown' }).isVisible(), false);
    await page.getByLabel('Admin token').fill(ADMIN_TOKEN);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Takedown' }).waitFor();
    assert.ok(!page.url().includes('token'));
    await page.reload();
    await page.getByRole('heading', { name: 'Takedown' }).waitFor();
    assert.equal(await page.evaluate('JSON.stringify(localStorage) + document.cookie'), '{}');
    const another = await page.context().newPage();
    await another.goto(`${tracker.origin}/admin/`);
    await another.getByLabel('Admin token').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.reload();
    await page.getByLabel('Admin token').waitFor();
  });

  it('says what is wrong with a token that no header can carry, and keeps it not', async (context) => {
    const { page, faults } = await openPage(context, browser);
    await signIn(page, tracker, `“${ADMIN_TOKEN}”`);
    await page.getByText('That cannot be the token').waitFor();
    await page.reload();
    assert.equal(await page.getByLabel('Admin token').inputValue(), '');
    await page.getByLabel('Admin token').fill(`${ADMIN_TOKEN}\u200b`);
    await page.keyboard.press('Enter');
    await page.getByText('That cannot be the token').waitFor();
    await page.getByLabel('Admin token').fill(ADMIN_TOKEN);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Takedown' }).waitFor();
    assert.equal(await page.getByText('That cannot be the token').isVisible(), false);
    assert.deepEqual(faults, []);
  });

  it('keeps the token when the tracker does not answer, or wants to be asked later', async (context) => {
    const { page } = await openPage(context, browser);
    await signIn(page, tracker);
    await page.getByRole('heading', { name: 'Takedown' }).waitFor();
    for (const told of ['Wait a little.', 'The tracker did not answer.']) {
      await page.route('**/admin/status', (route) =>
        told.startsWith('Wait') ? route.fulfill({ status: 429, json: { error: told } }) : route.abort(),
      );
      await page.reload();
      await page.getByText(told).waitFor();
      await page.unroute('**/admin/status');
      assert.equal(await page.getByLabel('Admin token').inputValue(), ADMIN_TOKEN);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Takedown' }).waitFor();
    }
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [360, 1_280]) {
      it(`has nothing that keeps anybody out, at ${width} pixels, ${colorScheme}`, async (context) => {
        const viewport = { width, height: 800 };
        const { page, faults } = await openPage(context, browser, { colorScheme, viewport });
        await page.goto(`${tracker.origin}/admin/`);
        await page.getByLabel('Admin token').waitFor();
        assert.deepEqual(await violationsIn(page), []);
        await signIn(page, tracker);
        await page.getByText('Showing').waitFor();
        await page.getByLabel('Info hashes or magnet links').fill(hex(1));
        await page.getByRole('button', { name: 'Ban', exact: true }).click();
        await page.getByText('1 info hash is banned.').waitFor();
        await page.getByText('Showing').waitFor();
        assert.deepEqual(await violationsIn(page), []);
        const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
        assert.equal(await page.evaluate(overflow), 0, 'nothing is wider than the screen');
        assert.deepEqual(faults, []);
      });
    }
  }

  it('says without scripts that it needs them', async (context) => {
    const { page } = await openPage(context, browser, { javaScriptEnabled: false });
    await page.goto(`${tracker.origin}/admin/`);
    assert.match((await page.locator('main').textContent()) ?? '', /works with scripts only/);
    assert.equal(await page.getByLabel('Admin token').isVisible(), false);
  });
});
