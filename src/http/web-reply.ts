/**
 * How everything but announces and scrapes is answered, pages, documents and programs alike: headers written at once, none
 * that Express would add, HEAD with the headers of GET. What torrent clients are answered is plain-reply.ts's.
 */
import type { ServerResponse } from 'node:http';
import type { Request, RequestHandler, Response, Router } from 'express';

/** One whole answer. Unless the headers say otherwise nothing is kept by a cache: figures are of this second. */
export function send(
  response: ServerResponse,
  status: number,
  contentType: string,
  content: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = typeof content === 'string' ? Buffer.from(content) : content;
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
    // What an asynchronous handler rejects with is Express's to answer.
    if (isRead) return handler(request, response, next);
    send(response, 405, 'text/plain; charset=utf-8', 'method not allowed: GET or HEAD\n', {
      Allow: 'GET, HEAD',
    });
    return undefined;
  });
}
