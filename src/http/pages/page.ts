/**
 * The frame of every page for people: one document, one style sheet within it, no script, nothing from another
 * host, and a Content-Security-Policy that says so. Answers carry exact headers, written at once, and HEAD gets
 * the headers of GET. Leaves to the callers that every text from outside goes through `escapeHtml`.
 */
import { createHash } from 'node:crypto';
import type { Request, RequestHandler, Response, Router } from 'express';

const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--paper:#fff;--card:#f4f6f8;--line:#d5dbe1;--accent:#0b63ce;--warn:#8a4b00;--warn-paper:#fff4e0}
@media (prefers-color-scheme:dark){:root{--ink:#e8ebee;--soft:#9aa5b1;--paper:#13171b;--card:#1c2228;--line:#333c45;--accent:#6db0ff;--warn:#ffc46b;--warn-paper:#33270f}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}
header,main,footer{max-width:52rem;margin:0 auto;padding:0 1rem}
header{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;align-items:baseline;padding-top:1.25rem;padding-bottom:.75rem;border-bottom:1px solid var(--line)}
header strong{font-size:1.15rem}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}
main{padding-top:.5rem;padding-bottom:2rem}
footer{padding-top:1rem;padding-bottom:2rem;border-top:1px solid var(--line);color:var(--soft);font-size:.9rem}
a{color:var(--accent)}
h1{font-size:1.6rem;line-height:1.25;margin:1.25rem 0 .75rem}
h2{font-size:1.15rem;margin:2rem 0 .5rem}
code{font:.95em ui-monospace,monospace;overflow-wrap:anywhere}
.copy{display:block;padding:.8rem 1rem;background:var(--card);border:1px solid var(--line);border-radius:.5rem;user-select:all;-webkit-user-select:all}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(12rem,45%),1fr));gap:.75rem;margin:1rem 0;padding:0}
.figures div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem}
.figures dt{color:var(--soft);font-size:.9rem}
.figures dd{margin:0;font-size:1.5rem;font-variant-numeric:tabular-nums}
table{width:100%;border-collapse:collapse}
th,td{padding:.4rem .25rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;font-weight:400}
td{text-align:right;font-variant-numeric:tabular-nums}
.warning{margin:1rem 0;padding:.7rem 1rem;color:var(--warn);background:var(--warn-paper);border:1px solid currentcolor;border-radius:.5rem}
`.trim();

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const CONTENT_SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

export interface Page {
  readonly title: string;
  /** HTML, with every text from outside escaped. */
  readonly main: string;
}

export function sendPage(response: Response, page: Page, status = 200): void {
  send(response, status, 'text/html; charset=utf-8', wholeDocument(page), {
    'Content-Security-Policy': CONTENT_SECURITY_POLICY,
    'Referrer-Policy': 'no-referrer',
  });
}

/** One whole answer. Nothing here may be kept by a cache: every figure is of this second. */
export function send(
  response: Response,
  status: number,
  contentType: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(text);
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  response.end(body);
}

/** A route for GET and HEAD; any other method is answered 405 before the handler is asked (RFC 9110 §15.5.6). */
export function readOnly(router: Router, path: string, handler: RequestHandler): void {
  router.all(path, (request: Request, response: Response, next) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (isRead) handler(request, response, next);
    else
      send(response, 405, 'text/plain; charset=utf-8', 'method not allowed: GET or HEAD\n', {
        Allow: 'GET, HEAD',
      });
  });
}

/** For text between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function wholeDocument({ title, main }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header>
<strong>Trakx</strong>
<nav aria-label="Pages"><a href="/">Announce URL</a> <a href="/stats">Statistics</a> <a href="/dmca">Takedowns</a></nav>
</header>
<main>
${main}
</main>
<footer>A BitTorrent tracker: it tells peers of one torrent about each other. It holds no files and no names of files.</footer>
</body>
</html>
`;
}
