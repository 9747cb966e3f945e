/**
 * `npm run bench`: Trakx beside other trackers and beside what Node costs by itself, in one run on one machine.
 *
 *   npm run bench -- [--quick] [--only trakx,opentracker,…] [--sections announce,mixed,…] [--scale 1]
 *                    [--restore-peers 1000000,3000000] [--rounds 5] [--results FOLDER]
 *   npm run bench -- --replay-day [--minutes 10] [--scale 1]
 *   npm run bench -- --profile [--quick]
 *   npm run bench -- --capacity [--scale 1] [--ipv6-share 0]
 *
 * `--scale` makes the tables of event-loop, restore, saving and of the replayed day smaller, `--rounds` says how often
 * each is measured. The server has core 0,
 * everything else core 1 (the store a third one where there is one). Nothing but loopback is ever spoken to, but for
 * npm's bittorrent-tracker, which npm fetches once. Results are tables here, and JSON, Markdown and a page with plots
 * in bench/results/, written anew after each section. The exit code is 1 when something failed.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { announceCosts } from './announce-cost.ts';
import { capacity } from './capacity.ts';
import { CONTENDERS, type Contender, IS_BUILT } from './contenders.ts';
import { countingCost } from './counting.ts';
import { eventLoopUnderLoad } from './event-loop.ts';
import { memoryPerPeer } from './memory.ts';
import { endAfter, endAll, missingMachinery, settleHere } from './processes.ts';
import { profiles } from './profile.ts';
import { replayDay } from './replay-day.ts';
import { laneFailures, type Results, resultsPage, tablesOf } from './report.ts';
import { restores } from './restore.ts';
import { machineText, RESULTS, tableText, thisMachine, writeResults } from './results.ts';
import { savingCost } from './saving.ts';
import { scalingCurves } from './scaling.ts';
import { CONTENDER_SECTIONS, SECTIONS, type Section, sizes, WRK_SECTIONS } from './sizes.ts';
import { missingWrk } from './wrk.ts';

const PROFILE_MINUTES_MAX = 15;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    sections: { type: 'string', default: SECTIONS.join(',') },
    'restore-peers': { type: 'string' },
    'replay-day': { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string' },
    results: { type: 'string', default: RESULTS },
    capacity: { type: 'boolean', default: false },
    'ipv6-share': { type: 'string', default: '0' },
  },
});
const startMs = performance.now();
const onProgress = (text: string): void => {
  const minutes = (performance.now() - startMs) / 60_000;
  console.error(`  ${minutes.toFixed(1).padStart(5)} min  ${text}`);
};

const missing = missingMachinery();
if (missing !== undefined) refuse(missing);
settleHere();
const scratch = mkdtempSync(join(tmpdir(), 'trakx-bench-run-'));
// Those that wrote into it were killed a moment ago.
process.on('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
const scale = positive('scale', values.scale, 1);
if (values['replay-day']) {
  const minutes = positive('minutes', values.minutes, 600);
  build();
  await replayDay({ scratch, folder: values.results, minutes, scale, onProgress });
} else if (values.profile) {
  const { profile } = sizes(values.quick);
  needWrk();
  endAfter(PROFILE_MINUTES_MAX);
  build();
  await profiles({ scratch, folder: join(values.results, 'profile'), ...profile, onProgress });
} else if (values.capacity) {
  const ipv6Share = Number(values['ipv6-share']);
  if (!(ipv6Share >= 0 && ipv6Share <= 1)) refuse(`--ipv6-share: ${ipv6Share} is not from 0 to 1`);
  build();
  const [peers, swarms] = [Math.round(5_000_000 * scale), Math.round(2_000_000 * scale)];
  await capacity({ scratch, peers, swarms, ipv6Share, dynoMib: 512, onProgress });
} else {
  await compare();
}
process.exit();

async function compare(): Promise<void> {
  const rounds = values.rounds === undefined ? undefined : Math.ceil(positive('rounds', values.rounds, 100));
  const size = sizes(values.quick, rounds);
  const sections = new Set(words(values.sections, SECTIONS, '--sections'));
  const keys = CONTENDERS.map(({ key }) => key);
  const only = values.only === undefined ? keys : words(values.only, keys, '--only');
  const restorePeers = (values['restore-peers'] ?? String(size.restorePeers)).split(',');
  const restoreSizes = restorePeers.map((text) => positive('restore-peers', text, 20_000_000) * scale);
  if (WRK_SECTIONS.some((section) => sections.has(section))) needWrk();
  endAfter(size.minutesMax);
  build();

  // Looking for a contender may fetch it.
  const isComparing = CONTENDER_SECTIONS.some((section) => sections.has(section));
  const contenders: Contender[] = [];
  const skipped: string[] = [];
  for (const contender of CONTENDERS) {
    if (!isComparing || !only.includes(contender.key)) continue;
    const why = await contender.missing();
    if (why === undefined) contenders.push(contender);
    else skipped.push(`${contender.name}: ${why}`);
  }
  for (const text of skipped) console.error(`LEFT OUT ${text}`);

  const common = { contenders, scratch, onProgress };
  const trakx = contenders.find(({ key }) => key === 'trakx');
  const failures: string[] = [];
  const results: Results = {
    machine: thisMachine(),
    isQuick: values.quick || scale < 1,
    rounds: size.rounds,
    skipped,
    costs: [],
    memory: [],
    failures,
  };
  let paths: string[] = [];
  /** One that fails keeps the others neither from running nor from being told. */
  const run = async (wanted: readonly Section[], work: () => Promise<void>): Promise<void> => {
    if (!wanted.some((section) => sections.has(section))) return;
    try {
      await work();
    } catch (error) {
      failures.push(`${wanted[0]}: ${error instanceof Error ? error.message : error}`);
      console.error(error);
    }
    await endAll();
    paths = writeResults({
      folder: values.results,
      name: 'servers',
      date: results.machine.date,
      machine: machineText(results.machine, results.isQuick),
      results,
      page: resultsPage(results),
      tables: tablesOf(results),
    });
  };
  await run(['announce', 'mixed', 'scrape'], async () => {
    const parts = { withMixed: sections.has('mixed'), withScrape: sections.has('scrape') };
    results.costs = await announceCosts({ ...common, ...size, ...parts });
    failures.push(...laneFailures(results.costs));
    const measured = results.costs.find(({ key }) => key === 'trakx');
    if (sections.has('mixed') && measured !== undefined && measured.laneShare === undefined) {
      failures.push('mixed: the lane’s share was not measured');
    }
  });
  await run(['memory'], async () => {
    const { memoryPeers: peers, warmUpAnnounces } = size;
    results.memory = await memoryPerPeer({ ...common, peers, warmUpAnnounces });
  });
  await run(['scaling'], async () => {
    if (trakx !== undefined) results.scaling = await scalingCurves({ ...common, ...size, contender: trakx });
  });
  await run(['event-loop'], async () => {
    const { peers, ...rest } = size.eventLoop;
    results.eventLoop = await eventLoopUnderLoad({ ...common, ...rest, peers: peers * scale });
  });
  await run(['restore'], async () => {
    results.restore = await restores({ ...common, sizes: restoreSizes, rounds: size.rounds });
  });
  await run(['saving'], async () => {
    const { scale: quickScale, ...rest } = size.saving;
    results.saving = await savingCost({ ...common, ...rest, scale: quickScale * scale });
  });
  await run(['counting'], async () => {
    results.counting = await countingCost({ ...common, ...size.counting });
  });

  console.log(`\n${machineText(results.machine, results.isQuick)}`);
  for (const table of tablesOf(results)) console.log(tableText(table));
  for (const text of skipped) console.log(`Left out: ${text}`);
  for (const text of failures) console.log(`FAILED ${text}`);
  for (const path of paths) console.log(path);
  if (failures.length > 0) process.exitCode = 1;
}

/** What is measured is what is deployed: compiled, without tsx. */
function build(): void {
  if (!IS_BUILT) return;
  onProgress('building');
  const root = fileURLToPath(new URL('..', import.meta.url));
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'src'], {
    cwd: root,
    stdio: 'inherit',
  });
}

function needWrk(): void {
  const why = missingWrk();
  if (why !== undefined) refuse(why);
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
