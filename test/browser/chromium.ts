/**
 * A real browser for tests of the pages: Debian's Chromium, driven by playwright-core, which brings none of its own. A page
 * is opened with an eye on what must never happen on any: an error, a request to another host, something the page's own
 * policy forbids. Tests ask `faults` at their end.
 */
import type { TestContext } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { needing, program } from '../needs.ts';

const EXECUTABLE = '/usr/bin/chromium';
/** As root there is no sandbox to be had; the others keep it from looking for hosts of its makers. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** The bound only turns a hang into a message: what is waited for is always a condition. */
const HANG_MS = 120_000;
const NODE_MAJOR = Number(process.versions.node.split('.')[0]);
const NODE_MAJOR_MIN = 24;

/** Options for `describe`: what the pages do in a browser does not depend on the tracker's Node, so one is enough. */
export function inChromium(testUrl: string): { skip?: string } {
  if (NODE_MAJOR < NODE_MAJOR_MIN) return { skip: `browser tests run on Node ${NODE_MAJOR_MIN} only` };
  return needing(testUrl, [program(EXECUTABLE, 'chromium')]);
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });
}

export interface OpenPage {
  readonly page: Page;
  /** What went wrong so far, each as a line. */
  readonly faults: readonly string[];
}

/** A page in a profile of its own, closed when the test ends. */
export async function openPage(
  test: Pick<TestContext, 'after'>,
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext(options);
  test.after(() => context.close());
  context.setDefaultTimeout(HANG_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  // A violation of the policy is an error on the console too.
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  page.on('request', (request) => {
    const { hostname } = new URL(request.url());
    if (hostname !== '127.0.0.1') faults.push(`request to ${hostname}`);
  });
  return { page, faults };
}
