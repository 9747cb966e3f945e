/** An HTTP request made inside a network namespace, where the test's own process cannot reach. */
import type { Host } from '../builders/network-namespace.ts';

const PROGRAM = `
  fetch(process.argv[1]).then(async (response) => {
    process.stdout.write(response.status + '\\n');
    process.stdout.write(Buffer.from(await response.arrayBuffer()));
  });
`;

export interface Fetched {
  readonly status: number;
  readonly body: Buffer;
}

/** Status 0 where there was no answer at all. */
export function fetchFrom(host: Host, url: string): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const child = host.spawn(process.execPath, ['--eval', PROGRAM, url], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', () => {
      const all = Buffer.concat(chunks);
      const end = all.indexOf('\n');
      resolve({ status: Number(all.subarray(0, Math.max(end, 0))), body: all.subarray(end + 1) });
    });
  });
}
