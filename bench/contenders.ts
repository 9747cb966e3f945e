/** The servers that are compared, each with what it needs and how it is started. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../src/cli/daemon/node-flags.ts';
import { type Crowd, infoHash } from './mix.ts';
import {
  CLIENT_CORE,
  freePort,
  hasProgram,
  type Running,
  runProcess,
  SERVER_CORE,
  startProcess,
  untilListening,
} from './processes.ts';

export interface Server extends Running {
  readonly port: number;
}

export interface Contender {
  /** For --only. */
  readonly key: string;
  readonly name: string;
  /** What the reader of a table must know. */
  readonly note?: string;
  /** It answers everything alike and knows no peers. */
  readonly isFloor: boolean;
  readonly isTrakx: boolean;
  /** Whether it answers several requests on one connection. */
  readonly keepsConnections: boolean;
  /** Whether it takes a peer's address from X-Forwarded-For; else all peers have the address of the socket. */
  readonly isForwarded: boolean;
  /** Slow ones are measured with fewer peers, so that the run is bounded. */
  readonly share: number;
  /** What must be there and is not; undefined when it can be started. */
  missing(): Promise<string | undefined>;
  /** Starts it for these crowds; resolves once it listens. `folder` is a new one for its files. */
  start(folder: string, crowds: readonly Crowd[]): Promise<Server>;
}

/**
 * What is measured is what is deployed: the build. TRACKER_MAIN=src/main.ts runs the sources through tsx instead, which
 * shows that the benchmarks work and measures nothing.
 */
export const IS_BUILT = process.env.TRACKER_MAIN === undefined;
export const MAIN = resolve(
  process.env.TRACKER_MAIN ?? fileURLToPath(new URL('../dist/main.js', import.meta.url)),
);
const COMMAND = join(dirname(MAIN), 'cli', `trakx${extname(MAIN)}`);

/** The words after `node` and its flags that run it. */
export function program(path: string): readonly string[] {
  return /\.m?ts$/.test(path) ? ['--import', import.meta.resolve('tsx'), path] : [path];
}

/** Fetched once and kept for the next run. */
const PEER_FOLDER = join(tmpdir(), 'trakx-bench-bittorrent-tracker');
const PEER_PACKAGE = 'bittorrent-tracker@11';

const ours = (name: string): string => fileURLToPath(new URL(`servers/${name}`, import.meta.url));

function trakx(
  key: string,
  name: string,
  environment: Readonly<Record<string, string>>,
  note?: string,
  share = 1,
): Contender {
  return {
    key,
    name,
    ...(note !== undefined && { note }),
    isFloor: false,
    isTrakx: true,
    keepsConnections: true,
    isForwarded: true,
    share,
    missing: async () => refusal(environment),
    async start(folder) {
      const port = await freePort();
      return listening(
        startProcess(process.execPath, [...NODE_FLAGS, ...program(MAIN)], {
          core: SERVER_CORE,
          env: {
            PORT: String(port),
            HOST: '127.0.0.1',
            TRUST_PROXY: '1',
            STORE_URL: `file:${join(folder, 'store')}`,
            // The others save nothing either.
            SNAPSHOT_CRON: '0 0 1 1 *',
            LOG_LEVEL: 'warn',
            ...environment,
          },
        }),
        port,
      );
    },
  };
}

/** Why Trakx as it was built refuses these variables. */
function refusal(environment: Readonly<Record<string, string>>): string | undefined {
  try {
    const { PATH = '' } = process.env;
    execFileSync(process.execPath, [...program(COMMAND), 'config'], {
      env: { PATH, ...environment },
      stdio: 'pipe',
    });
    return undefined;
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    return `this build refuses ${Object.entries(environment).flat().join('=')}: ${stderr?.toString().trim() ?? error}`;
  }
}

function nodeServer(key: string, name: string, file: string): Contender {
  return {
    key,
    name,
    isFloor: true,
    isTrakx: false,
    keepsConnections: true,
    isForwarded: true,
    share: 1,
    missing: async () => undefined,
    async start() {
      const port = await freePort();
      return listening(
        startProcess(process.execPath, [ours(file), String(port)], { core: SERVER_CORE }),
        port,
      );
    },
  };
}

const opentracker: Contender = {
  key: 'opentracker',
  name: 'opentracker',
  note: 'Debian’s build: keep-alive is off in it, so each announce is a connection; it wants a whitelist, which holds the hashes used; it does not read X-Forwarded-For; it closes without announcing it, which wrk counts as an error beside each answer',
  isFloor: false,
  isTrakx: false,
  keepsConnections: false,
  isForwarded: false,
  share: 0.1,
  missing: async () => (hasProgram('opentracker') ? undefined : 'not installed: apt-get install opentracker'),
  async start(folder, crowds) {
    const port = await freePort();
    const hashes = crowds.flatMap((crowd) =>
      Array.from({ length: crowd.swarms }, (_, swarm) => infoHash(crowd, swarm).toString('hex')),
    );
    // Started by root it becomes nobody and stays in the folder.
    writeFileSync(join(folder, 'whitelist'), `${hashes.join('\n')}\n`);
    chmodSync(folder, 0o755);
    const words = ['-i', '127.0.0.1', '-p', String(port), '-d', folder, '-w', 'whitelist'];
    return listening(startProcess('opentracker', words, { core: SERVER_CORE, cwd: folder }), port);
  },
};

const bittorrentTracker: Contender = {
  key: 'bittorrent-tracker',
  name: 'bittorrent-tracker (npm)',
  isFloor: false,
  isTrakx: false,
  keepsConnections: true,
  isForwarded: true,
  share: 0.1,
  async missing() {
    if (existsSync(join(PEER_FOLDER, 'node_modules', 'bittorrent-tracker', 'package.json'))) return undefined;
    if (!hasProgram('npm')) return 'npm is missing, which would fetch it';
    try {
      mkdirSync(PEER_FOLDER, { recursive: true });
      writeFileSync(join(PEER_FOLDER, 'package.json'), '{"private":true}\n');
      const flags = ['--no-audit', '--no-fund', '--omit=optional', '--ignore-scripts'];
      await runProcess('npm', ['install', ...flags, PEER_PACKAGE], {
        core: CLIENT_CORE,
        cwd: PEER_FOLDER,
        msMax: 180_000,
      });
      return undefined;
    } catch (error) {
      return `npm could not fetch ${PEER_PACKAGE}: ${String(error).trim().split('\n').slice(-1)}`;
    }
  },
  async start() {
    const port = await freePort();
    const words = [ours('bittorrent-tracker.mjs'), String(port), PEER_FOLDER];
    return listening(startProcess(process.execPath, words, { core: SERVER_CORE }), port);
  },
};

export const fixedReplyServer: Contender = nodeServer(
  'node-net',
  'floor: node:net, fixed reply',
  'node-net.mjs',
);

export const CONTENDERS: readonly Contender[] = [
  trakx('trakx', 'Trakx', {}),
  trakx(
    'trakx-no-lane',
    'Trakx, EXPRESS_LANE=off',
    { EXPRESS_LANE: 'off' },
    'every request through Express',
    0.3,
  ),
  bittorrentTracker,
  opentracker,
  nodeServer('node-http', 'floor: bare node:http', 'node-http.mjs'),
  fixedReplyServer,
];

/** Starts it with a folder of its own below `scratch`, hands it to `work`, and ends it. */
export async function withServer<T>(
  contender: Contender,
  scratch: string,
  crowds: readonly Crowd[],
  work: (server: Server) => Promise<T>,
): Promise<T> {
  const server = await contender.start(mkdtempSync(join(scratch, 'server-')), crowds);
  try {
    return await work(server);
  } finally {
    await server.end();
  }
}

async function listening(process: Running, port: number): Promise<Server> {
  try {
    await untilListening(process, port);
  } catch (error) {
    await process.end();
    throw error;
  }
  return { ...process, port };
}
