/**
 * Mutants of HTTP requests. A tame one changes what the request says (its query, path, method, headers) and
 * leaves it a request that an HTTP parser mostly takes; a wild one changes any byte anywhere, so that it often
 * is none. Each differs from what it came from.
 */
import type { RandomSource } from './random.ts';

type Mutation = (request: Buffer, random: RandomSource) => Buffer;

/** Values at the edges of what a parameter may be. */
const VALUES = [
  ...['', '0', '1', '-1', '+1', '00', '1e3', '0x10', '65535', '65536', '2147483648', '4294967296'],
  ...['9223372036854775807', '9'.repeat(40), 'NaN', 'null', 'started', 'stopped', 'completed', 'paused', 'x'],
  ...['%', '%0', '%zz', '%00', '%ff', '%25', '%26', '%3d', '%C3%BC', '%ff'.repeat(20), 'a'.repeat(19)],
  ...['a'.repeat(20), 'a'.repeat(21), '%00'.repeat(20), '+', '[::]:1', '127.0.0.1', 'a'.repeat(4_000)],
];
const NAMES = [
  ...['info_hash', 'peer_id', 'port', 'uploaded', 'downloaded', 'left', 'event', 'numwant', 'compact', 'key'],
  ...['no_peer_id', 'trackerid', 'ip', 'ipv4', 'ipv6', 'cryptoport', 'hide', 'corrupt', 'supportcrypto'],
  ...['__proto__', 'constructor', 'hasOwnProperty', '', 'p%6Frt', 'PORT', 'info_hash%00', '%', 'a[b]'],
];
const PATHS = [
  ...['/announce', '/scrape', '/announce/', '/scrape/', '/', '/stats', '/stats.json', '/healthz', '/readyz'],
  ...['/admin/bans', '/ANNOUNCE', '//announce', '/announce.php', '/x/announce', '/announce%2f', '/%2e%2e/'],
  ...[
    'http://tracker.example/announce',
    '/announce;x',
    '/debug/vars',
    '/dmca',
    '/you',
    '/heartbeat',
    '/robots.txt',
  ],
];
const METHODS = ['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'];
const HEADERS = [
  ...[
    'X-Forwarded-For: 203.0.113.7',
    'X-Forwarded-For: a, b, c',
    'X-Forwarded-For:',
    'X-Forwarded-For: [::1]:9',
  ],
  ...['X-Forwarded-For: 999.1.1.1', 'X-Forwarded-For: ::ffff:1.2.3.4', 'X-Forwarded-For: fe80::1%eth0'],
  ...[
    'Connection: close',
    'Connection: keep-alive',
    'Connection: upgrade',
    'Upgrade: websocket',
    'Accept: text/html',
  ],
  ...[
    'Content-Length: 0',
    'Content-Length: 3',
    'Expect: 100-continue',
    'Accept-Encoding: gzip',
    'If-None-Match: *',
  ],
  ...[
    'Host: other.example',
    'Range: bytes=0-1',
    'Authorization: Bearer x',
    'CF-Ray: 1',
    `X-Long: ${'x'.repeat(9_000)}`,
  ],
];
const SNIPPETS = [
  ...['\r\n', '\n', '\r', '\r\n\r\n', '\0', ' ', '\t', '%', '&', '=', '?', '#', '\x7f', '\xff', '\xc3\xbc'],
  ...['Transfer-Encoding: chunked\r\n', 'Content-Length: 5\r\n', 'Content-Length: -1\r\n', ' HTTP/1.1\r\n'],
  ...[
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
    'CONNECT a:80 HTTP/1.1\r\n\r\n',
  ],
];

const TAME: readonly Mutation[] = [
  // one character of the target becomes another printable one
  (request, random) => {
    const { start, end } = targetOf(request);
    const copy = Buffer.from(request);
    copy[start + 1 + random.below(end - start - 1)] = 0x21 + random.below(0x5e);
    return copy;
  },
  // one parameter gets another value
  (request, random) =>
    onParameters(request, (parameters) => {
      const at = random.below(parameters.length);
      parameters[at] = `${parameters[at]!.split('=', 1)[0]}=${random.pick(VALUES)}`;
    }),
  // one more parameter, somewhere
  (request, random) =>
    onParameters(request, (parameters) => {
      const one = `${random.pick(NAMES)}=${random.pick(VALUES)}`;
      parameters.splice(random.below(parameters.length + 1), 0, one);
    }),
  // one less
  (request, random) =>
    onParameters(request, (parameters) => parameters.splice(random.below(parameters.length), 1)),
  // one twice
  (request, random) =>
    onParameters(request, (parameters) =>
      parameters.splice(random.below(parameters.length), 0, random.pick(parameters)),
    ),
  // a separator that is none, or one too many
  (request, random) =>
    onParameters(request, (parameters) => {
      const at = random.below(parameters.length);
      parameters[at] = random.pick([
        `&${parameters[at]}`,
        `;${parameters[at]}`,
        `${parameters[at]}?a=b`,
        '&&&',
      ]);
    }),
  // an info hash, escaped or not, that nobody has
  (request, random) =>
    onParameters(request, (parameters) => {
      const bytes = Array.from({ length: 20 }, () => `%${random.below(256).toString(16).padStart(2, '0')}`);
      parameters.splice(random.below(parameters.length), 1, `info_hash=${bytes.join('')}`);
    }),
  // another path or method
  (request, random) => {
    const text = request.toString('latin1');
    const isPath = random.happens(2, 3);
    return latin1(
      isPath ? text.replace(/\/[a-z]+/, random.pick(PATHS)) : text.replace('GET', random.pick(METHODS)),
    );
  },
  // one header line more, or the version below
  (request, random) => {
    const text = request.toString('latin1');
    if (random.happens(1, 8)) return latin1(text.replace('HTTP/1.1', 'HTTP/1.0'));
    return latin1(text.replace('\r\n', `\r\n${random.pick(HEADERS)}\r\n`));
  },
];

const WILD: readonly Mutation[] = [
  // bits flip
  (request, random) => {
    const copy = Buffer.from(request);
    for (let count = 1 + random.below(6); count > 0; count--) {
      copy[random.below(copy.length)]! ^= 1 << random.below(8);
    }
    return copy;
  },
  // a stretch goes
  (request, random) => {
    const from = random.below(request.length);
    return Buffer.concat([request.subarray(0, from), request.subarray(from + 1 + random.below(40))]);
  },
  // a stretch comes twice
  (request, random) => {
    const from = random.below(request.length);
    const to = Math.min(request.length, from + 1 + random.below(200));
    return Buffer.concat([request.subarray(0, to), request.subarray(from)]);
  },
  // the end is missing
  (request, random) => request.subarray(0, random.below(request.length)),
  // something foreign in the middle
  (request, random) => {
    const at = random.below(request.length + 1);
    return Buffer.concat([request.subarray(0, at), latin1(random.pick(SNIPPETS)), request.subarray(at)]);
  },
  // line ends of another kind
  (request) => latin1(request.toString('latin1').replaceAll('\r\n', '\n')),
  // noise
  (_request, random) => Buffer.from(Array.from({ length: 1 + random.below(300) }, () => random.below(256))),
  // too long
  (request, random) => {
    const filler = 'y'.repeat(8_000 + random.below(20_000));
    return latin1(request.toString('latin1').replace('?', `?x=${filler}&`));
  },
];

export const tameMutant = (request: Buffer, random: RandomSource): Buffer => mutant(request, TAME, random);

/** Wild last, so that the tame part meets a request. */
export const wildMutant = (request: Buffer, random: RandomSource): Buffer =>
  mutant(random.happens(1, 2) ? tameMutant(request, random) : request, WILD, random);

function mutant(request: Buffer, mutations: readonly Mutation[], random: RandomSource): Buffer {
  let result = request;
  for (let count = 1 + random.below(3); count > 0 || result.equals(request); count--) {
    if (result.length === 0) break;
    result = random.pick(mutations)(result, random);
  }
  return result;
}

/** Where the request target lies; the whole request when there is none to be seen. */
function targetOf(request: Buffer): { start: number; end: number } {
  const start = request.indexOf(' ') + 1;
  const end = request.indexOf(' ', start);
  return end > start + 1 ? { start, end } : { start: 0, end: request.length };
}

function onParameters(request: Buffer, change: (parameters: string[]) => void): Buffer {
  const { start, end } = targetOf(request);
  const query = request.indexOf('?', start) + 1;
  if (query === 0 || query > end) return request;
  const parameters = request.toString('latin1', query, end).split('&');
  change(parameters);
  return Buffer.concat([request.subarray(0, query), latin1(parameters.join('&')), request.subarray(end)]);
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
