/**
 * What stands at the tracker's address in the run without a tracker: it takes each connection, counts it by the
 * host that made it, and hangs up. So a test knows that a client has tried to announce and got nothing.
 */
import type { Host } from '../builders/network-namespace.ts';

const PROGRAM = `
  const server = require('node:net').createServer((socket) => {
    console.log(socket.remoteAddress.replace('::ffff:', ''));
    socket.on('error', () => {}).destroy();
  });
  server.listen(Number(process.argv[1]), '::');
`;

export interface RefusingListener {
  /** Addresses of the hosts that have tried so far. */
  readonly callers: ReadonlySet<string>;
}

export function startRefusingListener(host: Host, port: number): RefusingListener {
  const callers = new Set<string>();
  const child = host.spawn(process.execPath, ['--eval', PROGRAM, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) callers.add(line);
  });
  return { callers };
}
