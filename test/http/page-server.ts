/** Serves routers on a free port for the length of one test. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import express, { type Router } from 'express';
import { Assets } from '../../src/http/pages/assets.ts';
import { PageFrame } from '../../src/http/pages/page.ts';

/** The frame as main.ts makes it, with the real scripts and style sheets. */
export const FRAME = new PageFrame(new Assets());

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
}

export type Ask = (
  path: string,
  headers?: Readonly<Record<string, string>>,
  method?: string,
) => Promise<Answer>;

export async function serve(context: TestContext, ...routers: Router[]): Promise<Ask> {
  const app = express();
  app.disable('x-powered-by').set('etag', false);
  for (const router of routers) app.use(router);
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return (path, headers = {}, method = 'GET') =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, method, agent: false, headers };
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, bytes, text: bytes.toString('utf8') });
        });
      });
      sent.on('error', reject);
      sent.end();
    });
}
