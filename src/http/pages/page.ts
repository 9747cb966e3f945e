/**
 * The frame of every page for people: one document, the style sheet and the scripts that it names from our own origin,
 * nothing from another host and nothing inline, and a Content-Security-Policy that says so. Leaves to the callers that
 * every text from outside goes through `escapeHtml`, and that what stands in a page is there without its scripts.
 */
import type { Response } from 'express';
import { send } from '../web-reply.ts';
import { escapeHtml } from './browser/escape-html.js';

/** A style in an attribute is inline too: what a script sets on an element's `style` is not, and may be used. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const NAVIGATION = [
  ['/', 'Announce URL'],
  ['/stats', 'Statistics'],
  ['/you', 'Your connection'],
  ['/dmca', 'Takedowns'],
] as const;

export interface Page {
  readonly title: string;
  /** HTML, with every text from outside escaped. */
  readonly main: string;
  /** Names of modules in `browser/`, run once the document is there: `stats-page.js`. */
  readonly scripts?: readonly string[];
  /** Style sheets beside the one of all pages: `uplot.css`. */
  readonly styles?: readonly string[];
  /** Whether it takes the whole width of a wide screen. */
  readonly isWide?: boolean;
  /** Whether search engines are to leave it alone. */
  readonly isUnlisted?: boolean;
}

/** Under which path a file is served (`Assets`). */
export interface AssetAddresses {
  address(name: string): string;
}

export class PageFrame {
  readonly #assets: AssetAddresses;

  constructor(assets: AssetAddresses) {
    this.#assets = assets;
  }

  send(response: Response, page: Page, status = 200): void {
    send(response, status, 'text/html; charset=utf-8', this.#document(page, response.req.path), {
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'Referrer-Policy': 'no-referrer',
    });
  }

  #document(page: Page, path: string): string {
    const style = (name: string) => `<link rel="stylesheet" href="${this.#assets.address(name)}">`;
    const script = (name: string) => `<script type="module" src="${this.#assets.address(name)}"></script>`;
    const link = ([href, name]: readonly [string, string]) =>
      `<a href="${href}"${href === path ? ' aria-current="page"' : ''}>${name}</a>`;
    const head = [
      ...(page.isUnlisted ? ['<meta name="robots" content="noindex">'] : []),
      ...['trakx.css', ...(page.styles ?? [])].map(style),
      ...(page.scripts ?? []).map(script),
    ];
    const icon = this.#assets.address('trakx.svg');
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(page.title)}</title>
<link rel="icon" href="${icon}">
${head.join('\n')}
</head>
<body${page.isWide ? ' class="wide"' : ''}>
<a class="skip" href="#main">Skip to the content</a>
<header>
<a class="brand" href="/"><img src="${icon}" alt="" width="28" height="28">Trakx</a>
<nav aria-label="Pages">${NAVIGATION.map(link).join(' ')}</nav>
</header>
<main id="main">
${page.main}
</main>
<footer>A BitTorrent tracker: it tells peers of one torrent about each other. It holds no files and no names of files.</footer>
</body>
</html>
`;
  }
}
