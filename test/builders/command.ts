/** The `trakx` command as its user runs it: a process of its own, with an environment made from nothing. */
import { spawn } from 'node:child_process';
import type { StoreAddress } from '../../src/config/store-address.ts';
import { program } from './program.ts';

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Does not block, so that a store in the test's own process can answer. `input`: what stands on standard input. */
export function trakx(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input?: string,
): Promise<Ran> {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [...program('cli/trakx'), ...words], {
    env: { PATH, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(input ?? '');
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** The variables by which the command finds this store. */
export function environmentOf(address: StoreAddress): Record<string, string> {
  if (address.kind === 'directory') return { STORE_URL: `file:${address.path}` };
  const { bucket, prefix, region, endpoint, credentials } = address;
  return {
    STORE_URL: `s3://${bucket}/${prefix}`,
    AWS_REGION: region,
    ...(endpoint === undefined ? {} : { AWS_ENDPOINT_URL_S3: endpoint }),
    ...(credentials === undefined
      ? {}
      : {
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        }),
  };
}
