/** Debian's wrk as the client: a closed loop over a few connections, pinned to the clients' core. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Crowd, escapedHash, infoHash } from './mix.ts';
import { CLIENT_CORE, hasProgram, runProcess } from './processes.ts';

export interface WrkOptions {
  readonly port: number;
  readonly seconds: number;
  /** The file that `writeHashes` made. */
  readonly hashes: string;
  readonly peersPerSwarm: number;
  readonly kind: 'announce' | 'scrape';
  readonly othersInHundred?: number;
  readonly isForwarded: boolean;
  readonly isFresh: boolean;
  readonly seed: number;
}

export interface WrkResult {
  readonly requests: number;
  readonly seconds: number;
  readonly errorsConnect: number;
  readonly errorsRead: number;
  readonly errorsWrite: number;
  readonly errorsStatus: number;
  readonly errorsTimeout: number;
}

const CONNECTIONS = 32;
const SCRIPT = fileURLToPath(new URL('requests.lua', import.meta.url));

export function missingWrk(): string | undefined {
  return hasProgram('wrk') ? undefined : 'wrk is missing: apt-get install wrk';
}

/** A file with the crowd's hashes, escaped, a line each. */
export function writeHashes(folder: string, crowd: Crowd): string {
  const path = join(mkdtempSync(join(folder, 'hashes-')), 'hashes.txt');
  const lines = Array.from({ length: crowd.swarms }, (_, swarm) => escapedHash(infoHash(crowd, swarm)));
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

export async function runWrk(options: WrkOptions): Promise<WrkResult> {
  const {
    port,
    seconds,
    hashes,
    peersPerSwarm,
    kind,
    othersInHundred = 0,
    isForwarded,
    isFresh,
    seed,
  } = options;
  const words = [hashes, peersPerSwarm, kind, othersInHundred, Number(isForwarded), Number(isFresh), seed];
  const output = await runProcess(
    'wrk',
    [
      ...['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--timeout', '5s', '-s', SCRIPT],
      ...[`http://127.0.0.1:${port}/`, '--', ...words.map(String)],
    ],
    { core: CLIENT_CORE, msMax: seconds * 1000 + 30_000 },
  );
  const result = /^RESULT (.*)$/m.exec(output)?.[1];
  if (result === undefined) throw new Error(`wrk told no result:\n${output}`);
  return JSON.parse(result);
}
