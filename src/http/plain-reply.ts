/**
 * Answers torrent clients with exactly the header fields the tracker protocol wants: Content-Type without a charset,
 * Content-Length always (Node leaves it out for HTTP/1.0), nothing that Express would add. All else is web-reply.ts's.
 */
import type { ServerResponse } from 'node:http';

type HeaderFields = Readonly<Record<string, string>>;

export function sendBytes(
  response: ServerResponse,
  status: number,
  body: Uint8Array,
  fields: HeaderFields = {},
): void {
  response.writeHead(status, { 'Content-Type': 'text/plain', 'Content-Length': body.length, ...fields });
  response.end(body);
}

/** `text` is ASCII, one line without its end. */
export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  fields: HeaderFields = {},
): void {
  sendBytes(response, status, Buffer.from(`${text}\n`, 'ascii'), fields);
}
