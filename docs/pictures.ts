/**
 * Makes the pictures of the README from a real run: starts a tracker, sends it a crowd (picture-load.ts) for as long as
 * asked, restarts it half way, and photographs its pages with Debian's Chromium; then the plot of a `trakx stress` against
 * it. Nothing in them is drawn by hand: what the pages show is what that tracker counted in that time.
 *   npm run pictures                        half an hour of it
 *   npm run pictures -- --minutes 5         less to see, sooner
 *   npm run pictures -- --store folder      goes on with the history in a store that is kept
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../test/browser/chromium.ts';
import { seededRandom } from '../test/builders/random.ts';
import { startTracker, type TrackerProcess } from '../test/builders/tracker-process.ts';
import { hashOf, startCrowd } from './picture-load.ts';

const MINUTES = 30;
const REQUESTS_PER_SECOND = 250;
const PEERS = 120_000;
const BANNED_HASH = 'b0'.repeat(20);
/** What a small dyno has. */
const MEMORY_MIB = 512;
/** So that the pages have heard a few live figures. */
const LOOK_MS = 10_000;

interface Picture {
  readonly name: string;
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'light' | 'dark';
  /** Pixels of the picture for one of the page. */
  readonly scale?: number;
}

const PICTURES: readonly Picture[] = [
  { name: 'stats-light', path: '/stats', width: 1600, height: 1130, colorScheme: 'light' },
  { name: 'stats-dark', path: '/stats', width: 1600, height: 1130, colorScheme: 'dark' },
  { name: 'stats-phone', path: '/stats', width: 360, height: 740, colorScheme: 'dark', scale: 2 },
  { name: 'you', path: `/you?torrent=${hashOf(0)}`, width: 900, height: 780, colorScheme: 'light' },
];

const folder = fileURLToPath(new URL('./pictures/', import.meta.url));
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: String(MINUTES) }, store: { type: 'string' } },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error(`--minutes ${values.minutes}: allowed is a number above 0`);
  process.exit(2);
}

// Ends the tracker with us.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const cleanups: (() => unknown)[] = [];
const cleanup = { after: (work: unknown) => void cleanups.push(work as () => unknown) };
try {
  await makePictures();
} finally {
  for (const work of cleanups.reverse()) await work();
}

async function makePictures(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), 'trakx-pictures-'));
  cleanup.after(() => rmSync(scratch, { recursive: true }));
  const environment = {
    STORE_URL: `file:${values.store ?? join(scratch, 'store')}`,
    HOST: '127.0.0.1',
    TRUST_PROXY: '1',
    BANNED_HASHES: BANNED_HASH,
    MEMORY_AVAILABLE: String(MEMORY_MIB),
  };
  const first = await startTracker(cleanup, { environment });
  console.log(`${first.origin}/stats for ${minutes} min`);
  const ending = new AbortController();
  cleanup.after(() => ending.abort());
  startCrowd({
    origin: first.origin,
    perSecond: REQUESTS_PER_SECOND,
    peers: PEERS,
    bannedHash: BANNED_HASH,
    random: seededRandom(1),
    signal: ending.signal,
  });
  await pause((minutes / 2) * 60_000);
  await first.stop();
  const tracker = await startTracker(cleanup, { environment: { ...environment, PORT: String(first.port) } });
  await pause((minutes / 2) * 60_000);

  const browser = await launchChromium();
  cleanup.after(() => browser.close());
  for (const picture of PICTURES) await photograph(browser, tracker.origin + picture.path, picture);
  ending.abort();
  await stress(browser, tracker, scratch);
}

async function photograph(browser: Browser, url: string, picture: Picture): Promise<void> {
  const { name, width, height, colorScheme, scale = 1 } = picture;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    deviceScaleFactor: scale,
    extraHTTPHeaders: { 'X-Forwarded-For': '203.0.113.7' },
  });
  const page = await context.newPage();
  await page.goto(url);
  await pause(LOOK_MS);
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path });
  await context.close();
  console.log(`${path}: ${Math.round(statSync(path).size / 1024)} KiB`);
}

/** The page that `trakx stress --plot` writes, of twenty seconds at a rate that a small machine carries. */
async function stress(browser: Browser, tracker: TrackerProcess, scratch: string): Promise<void> {
  const plot = join(scratch, 'stress.html');
  const command = fileURLToPath(new URL('../src/cli/trakx.ts', import.meta.url));
  const words = [
    'stress',
    tracker.origin,
    '--rate',
    '500',
    '--duration',
    '20s',
    '--forwarded-for',
    '--plot',
    plot,
  ];
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', command, ...words], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`trakx stress ended in ${status}`);
  await photograph(browser, pathToFileURL(plot).href, {
    name: 'stress',
    path: '',
    width: 1000,
    height: 1250,
    colorScheme: 'light',
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
