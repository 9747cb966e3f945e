/**
 * `npm run bench -- --profile`: where the time of an announce goes. The built server is profiled by V8 under wrk's
 * load, with kept connections and with a connection for each announce; each profile becomes a flame graph.
 */
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NODE_FLAGS } from '../src/cli/daemon/node-flags.ts';
import { MAIN, program, type Server } from './contenders.ts';
import { type CpuProfile, flameGraph, framesOf, hottest } from './flame-graph.ts';
import { announceCrowd } from './memory.ts';
import type { Crowd } from './mix.ts';
import { freePort, SERVER_CORE, startProcess, untilListening } from './processes.ts';
import { type Table, tableText } from './results.ts';
import { NEVER, switchProfiler } from './service.ts';
import { runWrk, writeHashes } from './wrk.ts';

export interface ProfileOptions {
  readonly scratch: string;
  /** Where profiles and pictures go. */
  readonly folder: string;
  readonly swarms: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly onProgress: (text: string) => void;
}

const PEERS_PER_SWARM = 100;
const HOTTEST = 15;

export async function profiles(options: ProfileOptions): Promise<void> {
  const { scratch, folder, seconds, warmUpSeconds, onProgress } = options;
  mkdirSync(folder, { recursive: true });
  const crowd: Crowd = { name: 'profile', swarms: options.swarms, peersPerSwarm: PEERS_PER_SWARM };
  const hashes = writeHashes(scratch, crowd);
  const port = await freePort();
  const running = startProcess(
    process.execPath,
    [...NODE_FLAGS, '--import', new URL('servers/profile.mjs', import.meta.url).href, ...program(MAIN)],
    {
      core: SERVER_CORE,
      env: {
        PORT: String(port),
        HOST: '127.0.0.1',
        TRUST_PROXY: '1',
        STORE_URL: `file:${join(scratch, 'profile-store')}`,
        SNAPSHOT_CRON: NEVER,
        LOG_LEVEL: 'warn',
        PROFILE_FOLDER: mkdtempSync(join(scratch, 'profiles-')),
      },
    },
  );
  const server: Server = { ...running, port };
  await untilListening(server, port);
  const announces = crowd.swarms * PEERS_PER_SWARM;
  await announceCrowd({ isForwarded: true, keepsConnections: true }, server, crowd, announces);
  const wrk = { port, hashes, peersPerSwarm: PEERS_PER_SWARM, kind: 'announce', isForwarded: true } as const;
  for (const [name, isFresh] of [
    ['kept', false],
    ['fresh', true],
  ] as const) {
    const title = `Announces, ${isFresh ? 'a connection each' : 'connections kept'} (Node ${process.version})`;
    onProgress(`profile: ${title}, ${seconds} s`);
    await runWrk({ ...wrk, isFresh, seconds: warmUpSeconds, seed: 1 });
    await switchProfiler(server);
    const { requests } = await runWrk({ ...wrk, isFresh, seconds, seed: 2 });
    const text = readFileSync(await switchProfiler(server), 'utf8');
    const profile: CpuProfile = JSON.parse(text);
    const stem = join(folder, `announce-${name}`);
    await writeFile(`${stem}.cpuprofile`, text);
    await writeFile(`${stem}.svg`, flameGraph(profile, title));
    console.log(tableText(hottestTable(profile, title, requests)));
    console.log(`${stem}.svg\n${stem}.cpuprofile`);
  }
  await server.end();
}

function hottestTable(profile: CpuProfile, title: string, requests: number): Table {
  const root = framesOf(profile);
  return {
    title,
    header: ['function', 'where', 'itself', 'µs an announce'],
    rows: hottest(root, HOTTEST).map(({ name, place, share }) => [
      name,
      place === '' ? '–' : place,
      `${(share * 100).toFixed(1)} %`,
      ((share * root.totalMicroseconds) / requests).toFixed(2),
    ]),
    notes: ['Sampled every half millisecond; the profiler itself slows the process by some hundredths.'],
  };
}
