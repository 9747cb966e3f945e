/**
 * `npm run bench`: Trakx beside other trackers and beside what Node costs by itself, in one run on one machine.
 *
 *   npm run bench -- [--quick] [--only trakx,opentracker,…] [--sections announce,mixed,scrape,memory,scaling]
 *   npm run bench -- --replay-day [--minutes 10] [--scale 1]
 *   npm run bench -- --capacity [--scale 1] [--ipv6-share 0]
 *
 * The server has core 0, everything else core 1. Nothing but loopback is ever spoken to. Results are a table here,
 * and JSON and a page with plots in bench/results/.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { announceCosts } from './announce-cost.ts';
import { capacity } from './capacity.ts';
import { CONTENDERS, type Contender } from './contenders.ts';
import { memoryPerPeer } from './memory.ts';
import { endAfter, missingMachinery, settleHere } from './processes.ts';
import { replayDay } from './replay-day.ts';
import { type Results, resultsPage, tablesOf, tableText, thisMachine, writeResults } from './results.ts';
import { scalingCurves } from './scaling.ts';
import { missingWrk } from './wrk.ts';

const SECTIONS = ['announce', 'mixed', 'scrape', 'memory', 'scaling'] as const;
type Section = (typeof SECTIONS)[number];

const FULL = {
  rounds: 5,
  swarms: 1_000,
  secondsEach: 5,
  warmUpSeconds: 2,
  warmUpAnnounces: 600_000,
  memoryPeers: 1_000_000,
  tableSizes: [1_000, 10_000, 100_000, 1_000_000],
  swarmSizes: [1, 10, 100, 1_000, 10_000, 50_000, 200_000],
  peersOfSwarmSizes: 200_000,
  minutesMax: 90,
};
const QUICK: typeof FULL = {
  rounds: 1,
  swarms: 100,
  secondsEach: 1,
  warmUpSeconds: 1,
  warmUpAnnounces: 20_000,
  memoryPeers: 30_000,
  tableSizes: [1_000, 10_000],
  swarmSizes: [1, 100, 5_000],
  peersOfSwarmSizes: 5_000,
  minutesMax: 10,
};

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    sections: { type: 'string', default: SECTIONS.join(',') },
    'replay-day': { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    scale: { type: 'string', default: '1' },
    capacity: { type: 'boolean', default: false },
    'ipv6-share': { type: 'string', default: '0' },
  },
});
const onProgress = (text: string): void => console.error(`  ${text}`);

const missing = missingMachinery();
if (missing !== undefined) refuse(missing);
settleHere();
const scratch = mkdtempSync(join(tmpdir(), 'trakx-bench-run-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
if (values['replay-day']) {
  const minutes = positive('minutes', values.minutes, 600);
  const scale = positive('scale', values.scale, 1);
  build();
  await replayDay({ scratch, minutes, scale, onProgress });
} else if (values.capacity) {
  const scale = positive('scale', values.scale, 1);
  const ipv6Share = Number(values['ipv6-share']);
  if (!(ipv6Share >= 0 && ipv6Share <= 1)) refuse(`--ipv6-share: ${ipv6Share} is not from 0 to 1`);
  build();
  const [peers, swarms] = [Math.round(5_000_000 * scale), Math.round(2_000_000 * scale)];
  await capacity({ scratch, peers, swarms, ipv6Share, dynoMib: 512, onProgress });
} else {
  await compare();
}
process.exit(0);

async function compare(): Promise<void> {
  const size = values.quick ? QUICK : FULL;
  const sections = new Set(words(values.sections, SECTIONS, '--sections'));
  const keys = CONTENDERS.map(({ key }) => key);
  const only = values.only === undefined ? keys : words(values.only, keys, '--only');
  const noWrk = missingWrk();
  if (noWrk !== undefined) refuse(noWrk);
  endAfter(size.minutesMax);
  build();

  const contenders: Contender[] = [];
  const skipped: string[] = [];
  for (const contender of CONTENDERS) {
    if (!only.includes(contender.key)) continue;
    const why = await contender.missing();
    if (why === undefined) contenders.push(contender);
    else skipped.push(`${contender.name}: ${why}`);
  }
  for (const text of skipped) console.error(`LEFT OUT ${text}`);

  const has = (section: Section): boolean => sections.has(section);
  const common = { contenders, scratch, onProgress };
  const trakx = contenders.find(({ key }) => key === 'trakx');
  const results: Results = {
    machine: thisMachine(),
    isQuick: values.quick,
    rounds: size.rounds,
    skipped,
    costs:
      has('announce') || has('mixed') || has('scrape')
        ? await announceCosts({ ...common, ...size, withMixed: has('mixed'), withScrape: has('scrape') })
        : [],
    memory: has('memory')
      ? await memoryPerPeer({ ...common, peers: size.memoryPeers, warmUpAnnounces: size.warmUpAnnounces })
      : [],
    ...(has('scaling') &&
      trakx !== undefined && { scaling: await scalingCurves({ ...common, ...size, contender: trakx }) }),
  };
  for (const table of tablesOf(results)) console.log(tableText(table));
  for (const text of skipped) console.log(`Left out: ${text}`);
  for (const path of writeResults('servers', results, resultsPage(results))) console.log(path);
}

/** What is measured is what is deployed: compiled, without tsx. */
function build(): void {
  onProgress('building');
  const root = fileURLToPath(new URL('..', import.meta.url));
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'src'], {
    cwd: root,
    stdio: 'inherit',
  });
}

function words<Word extends string>(text: string, allowed: readonly Word[], option: string): Word[] {
  return text.split(',').map((word) => {
    const known = allowed.find((one) => one === word);
    return known ?? refuse(`${option}: ${word} is none of ${allowed.join(', ')}`);
  });
}

function positive(name: string, text: string, max: number): number {
  const value = Number(text);
  return value > 0 && value <= max
    ? value
    : refuse(`--${name}: ${text} is not a number above 0, at most ${max}`);
}

function refuse(why: string): never {
  console.error(why);
  process.exit(2);
}
