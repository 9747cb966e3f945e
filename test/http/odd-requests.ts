/** Request heads off the beaten track, by name: each means to an HTTP parser what its name says. */
import { announceQuery, rawRequest, scrapeQuery } from '../builders/requests.ts';

const TARGET = `/announce?${announceQuery()}`;
const announce = (...lines: string[]): Buffer => rawRequest(TARGET, lines);
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const plain = announce().toString('latin1');

/** What the lane may answer itself, because there is one way to read it. */
export const UNUSUAL_BUT_PLAIN: Readonly<Record<string, Buffer>> = {
  'no header but Host': announce(),
  'names in capitals': announce('CONNECTION: Close', 'USER-AGENT: X'),
  'names in small letters': latin1(plain.replace('Host', 'host')),
  'blanks around values': announce('Connection:   close  ', 'X-Forwarded-For:9.9.9.9'),
  'Connection: keep-alive': announce('Connection: Keep-Alive'),
  'HTTP/1.0': rawRequest(TARGET, [], { version: 'HTTP/1.0' }),
  'HTTP/1.0 without Host': latin1(`GET ${TARGET} HTTP/1.0\r\n\r\n`),
  'an empty Host': latin1(plain.replace(' tracker.example', '')),
  'X-Forwarded-For in three lines': announce(
    ...['a', 'b, c', ''].map((value) => `X-Forwarded-For: ${value}`),
  ),
  'Cloudflare before it': announce('CF-Ray: 1-AMS', 'CF-Connecting-IP: 9.9.9.9', 'X-Forwarded-For: 9.9.9.9'),
  'an unknown field twice': announce('X-A: 1', 'X-A: 2'),
  'a second ?': latin1(plain.replace('&port', '&x=?y&port')),
  'characters that ought to be escaped': latin1(plain.replace('&port', '&x={}[]|\\^"<>`\'&port')),
  'a query that is malformed': rawRequest('/announce?info_hash=%zz'),
  'an empty query': rawRequest('/scrape?'),
  'a scrape for gzip': rawRequest(`/scrape?${scrapeQuery(...hashes(30))}`, ['Accept-Encoding: br, gzip']),
  'a scrape of one for gzip': rawRequest(`/scrape?${scrapeQuery(...hashes(1))}`, ['Accept-Encoding: gzip']),
  'dictionaries asked': rawRequest(`/announce?${announceQuery({ compact: 0 })}`),
  'a head of 8,192 bytes': headOf(8_192),
};

/** What has two readings, or a body, or asks for something else: never the lane's to answer. */
export const NOT_FOR_THE_LANE: Readonly<Record<string, Buffer>> = {
  'Content-Length': announce('Content-Length: 0'),
  'a body': Buffer.concat([announce('Content-Length: 5'), latin1('hello')]),
  'Content-Length twice': announce('Content-Length: 0', 'Content-Length: 5'),
  'Content-Length in a list': announce('Content-Length: 0, 0'),
  'Content-Length in capitals': announce('CONTENT-LENGTH: 3'),
  'a negative Content-Length': announce('Content-Length: -1'),
  'Transfer-Encoding': Buffer.concat([announce('Transfer-Encoding: chunked'), latin1('0\r\n\r\n')]),
  'an unknown Transfer-Encoding': announce('Transfer-Encoding: xchunked'),
  'Content-Length with Transfer-Encoding': Buffer.concat([
    announce('Content-Length: 4', 'Transfer-Encoding: chunked'),
    latin1('0\r\n\r\n'),
  ]),
  'a folded field': announce('X-A: 1', ' Content-Length: 3'),
  'a fold before the first field': latin1(plain.replace('\r\nHost', '\r\n Host')),
  'a blank before the colon': announce('Content-Length : 3'),
  'a tab before the colon': announce('X-A\t: 1'),
  'no colon': announce('Content-Length'),
  'no name': announce(': 1'),
  'a name with a NUL': announce('X\0A: 1'),
  'a value with a NUL': announce('X-A: 1\0'),
  'a value with DEL': announce('X-A: \x7f'),
  'a value past ASCII': announce('X-A: \xff'),
  'a target with a NUL': latin1(plain.replace('port=', 'port=\0')),
  'a target past ASCII': latin1(plain.replace('port=', 'port=\xc3\xbc')),
  'a fragment': latin1(plain.replace(' HTTP', '#event=stopped HTTP')),
  'bare LF': latin1(plain.replaceAll('\r\n', '\n')),
  'bare LF before a field': latin1(plain.replace('\r\nHost', '\nHost')),
  'bare LF at the end': latin1(plain.replace(/\r\n$/, '\n')),
  'bare CR in a value': announce('X-A: 1\rContent-Length: 3'),
  'CR CR LF': latin1(plain.replace('\r\nHost', '\r\r\nHost')),
  'an empty line first': latin1(`\r\n${plain}`),
  'two blanks before the target': latin1(plain.replace('GET ', 'GET  ')),
  'two blanks before the version': latin1(plain.replace(' HTTP', '  HTTP')),
  'a tab for a blank': latin1(plain.replace(' HTTP', '\tHTTP')),
  'a blank after the version': latin1(plain.replace('HTTP/1.1', 'HTTP/1.1 ')),
  'no version': latin1(`GET ${TARGET}\r\n\r\n`),
  'HTTP/1.2': rawRequest(TARGET, [], { version: 'HTTP/1.2' }),
  'HTTP/2.0': rawRequest(TARGET, [], { version: 'HTTP/2.0' }),
  'a version in small letters': rawRequest(TARGET, [], { version: 'http/1.1' }),
  'HTTP/1.1 without Host': latin1(`GET ${TARGET} HTTP/1.1\r\nX-A: 1\r\n\r\n`),
  'Host twice': announce('Host: other.example'),
  'tabs around a value': announce('Connection:\tclose\t'),
  'a tab in a value': announce('User-Agent: a\tb'),
  'Connection twice': announce('Connection: close', 'Connection: keep-alive'),
  'Connection with a list': announce('Connection: keep-alive, close'),
  'Connection with another option': announce('Connection: TE', 'TE: trailers'),
  'Proxy-Connection': announce('Proxy-Connection: close'),
  'HTTP/1.0 with keep-alive': rawRequest(TARGET, ['Connection: keep-alive'], { version: 'HTTP/1.0' }),
  Upgrade: announce('Connection: Upgrade', 'Upgrade: websocket'),
  'Upgrade without Connection': announce('Upgrade: h2c'),
  'Expect: 100-continue': announce('Expect: 100-continue'),
  'another Expect': announce('Expect: miracles'),
  'Accept-Encoding twice': announce('Accept-Encoding: br', 'Accept-Encoding: gzip'),
  'more fields than anybody sends': announce(...Array.from({ length: 100 }, (_, n) => `X-${n}: 1`)),
  'a head of 8,193 bytes': headOf(8_193),
  'a head of 9,000 bytes': headOf(9_000),
  'the absolute form': rawRequest(`http://tracker.example${TARGET}`),
  'another method': rawRequest(TARGET, [], { method: 'HEAD' }),
  'a method in small letters': rawRequest(TARGET, [], { method: 'get' }),
  'a body with a method of its own': rawRequest(TARGET, ['Content-Length: 3'], {
    method: 'POST',
    body: 'GET',
  }),
  'no query': rawRequest('/announce'),
  'a slash at the end': rawRequest(TARGET.replace('?', '/?')),
  'an escaped path': rawRequest(TARGET.replace('announce', 'a%6enounce')),
  'another path': rawRequest('/nowhere?x=1'),
  nonsense: latin1('nonsense\r\n\r\n'),
};

function hashes(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, number) => new Uint8Array(20).fill(number + 1));
}

/** An announce whose head is filled up to this length. */
function headOf(bytes: number): Buffer {
  const filler = 'x'.repeat(bytes - announce('X-Filler: ').length);
  return announce(`X-Filler: ${filler}`);
}
