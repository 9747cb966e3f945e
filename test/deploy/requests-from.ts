/** HTTP requests made inside a network namespace, one after the other, each over a connection of its own. */
import type { Host } from '../builders/network-namespace.ts';

/** Reads the requests from its first argument and writes the answers as JSON; the body in base64. */
const PROGRAM = `
  const { request: http } = require('node:http');
  const { request: https } = require('node:https');
  const ask = ({ isTls, until, ...options }) => new Promise((resolve) => {
    const give = (status, body, headers) => resolve({ status, body: body.toString('base64'), headers });
    const secure = { rejectUnauthorized: false, servername: options.headers.Host };
    (isTls ? https : http)({ agent: false, ...options, ...(isTls ? secure : {}) }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => {
        chunks.push(chunk);
        if (until !== undefined && Buffer.concat(chunks).includes(until)) answer.emit('end');
      });
      answer.on('end', () => give(answer.statusCode, Buffer.concat(chunks), answer.headers));
    }).on('error', (error) => give(0, Buffer.from(error.message), {})).end();
  });
  (async () => {
    const answers = [];
    for (const options of JSON.parse(process.argv[1])) answers.push(await ask(options));
    process.stdout.write(JSON.stringify(answers), () => process.exit());
  })();
`;

export interface RequestFrom {
  /** Address and port of the server. */
  readonly host: string;
  readonly port?: number;
  /** Path and query, as they go over the wire. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isTls?: boolean;
  /** The answer is taken as whole once its body holds this: for one that has no end. */
  readonly until?: string;
}

export interface AnswerThere {
  /** 0 where there was no answer at all; the body then says why. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export async function requestsFrom(host: Host, requests: readonly RequestFrom[]): Promise<AnswerThere[]> {
  const list = requests.map((one) => ({
    port: one.isTls ? 443 : 80,
    ...one,
    headers: { Host: 'tracker.example', Connection: 'close', ...one.headers },
  }));
  const child = host.spawn(process.execPath, ['--eval', PROGRAM, JSON.stringify(list)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const answers = JSON.parse(text) as { status: number; body: string; headers: Record<string, string> }[];
  return answers.map((answer) => ({ ...answer, body: Buffer.from(answer.body, 'base64') }));
}
