/** The S3 server as a process of its own (bench/s3-server.ts), so that its work delays nobody's timers here. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface S3Process {
  /** The variables that lead a tracker to the store below this prefix ('' or ending in '/'). */
  environment(prefix: string): Readonly<Record<string, string>>;
  end(): Promise<void>;
}

export async function startS3Process(): Promise<S3Process> {
  const program = fileURLToPath(new URL('../../bench/s3-server.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    exited.then(() => Promise.reject(new Error('the S3 server ended at its start'))),
  ])) as [string];
  const { STORE_URL, ...rest } = JSON.parse(line) as Record<string, string>;
  return {
    environment: (prefix) => ({ ...rest, STORE_URL: `s3://${new URL(STORE_URL!).hostname}/${prefix}` }),
    async end() {
      process.off('exit', killWithUs);
      child.kill('SIGTERM');
      await exited;
    },
  };
}
