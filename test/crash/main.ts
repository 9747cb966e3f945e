/**
 * Kills trackers, again and again, and counts what that has cost:
 *   npm run crash
 *   npm run crash -- --seed 42 --rounds 17
 * Rounds are so many for each named point, a fifth of them more for SIGTERM. Exit code 1 when anything was lost
 * beyond the promise, or when a point was not hit at least ten times.
 */
import { parseArgs } from 'node:util';
import { seededRandom } from '../builders/random.ts';
import { startS3Process } from '../builders/s3-process.ts';
import { CrashRun, type Round } from './crash-run.ts';
import { POINTS } from './points.ts';

const HITS_MIN = 10;
const HOLD_MS_MAX = 5_000;
const TRIES_PER_HIT = 3;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    rounds: { type: 'string', default: '17' },
    journal: { type: 'string', default: '1' },
  },
});
const seed = Number(values.seed);
const roundsEach = Number(values.rounds);
const journalSeconds = Number(values.journal);
console.log(
  `seed ${seed}; ${roundsEach} kills at each of ${POINTS.join(', ')}; JOURNAL_SECONDS=${journalSeconds}`,
);

// So that what it has started ends with it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));

const random = seededRandom(seed);
const s3 = await startS3Process();
const run = await CrashRun.start({
  s3,
  prefix: `crash-${seed}/`,
  journalSeconds,
  holdMsMax: HOLD_MS_MAX,
  random,
});
const all: Round[] = [];
const startMs = performance.now();

function tell(rounds: readonly Round[]): void {
  for (const round of rounds) {
    all.push(round);
    const { point, isHit, acknowledged, announcesLost, secondsLost, promise, wrong } = round;
    const cost = `${announcesLost} lost, ${secondsLost.toFixed(2)} s`;
    const allowed = `${promise.intervalSeconds.toFixed(2)} s + ${promise.inFlightSeconds.toFixed(2)} s in flight`;
    console.log(
      `${String(all.length).padStart(4)} ${Math.round((performance.now() - startMs) / 1_000)} s  ${point}${isHit ? '' : ' (missed)'}: ${acknowledged} acknowledged, ${cost} (${allowed}); ${run.peers} peers`,
    );
    for (const what of wrong.slice(0, 10)) console.log(`     WRONG: ${what}`);
  }
}

for (let turn = 0; turn < roundsEach * TRIES_PER_HIT; turn++) {
  const open = POINTS.filter((point) => run.hitsOf(point) < roundsEach);
  if (open.length === 0) break;
  for (const point of open) tell(await run.kill(point));
  if (turn < roundsEach) tell(await run.terminate());
}
tell(await run.finish());
await run.close();
await s3.end();

const kills = all.filter(({ point }) => point !== 'sigterm');
const terms = all.filter(({ point }) => point === 'sigterm');
const wrong = all.filter((round) => round.wrong.length > 0);
const worst = kills.reduce((a, b) => (b.secondsLost > a.secondsLost ? b : a));
const most = Math.max(...kills.map(({ announcesLost }) => announcesLost));
console.log(`\nseed ${seed}: ${kills.length} SIGKILLs, ${terms.length} SIGTERMs`);
for (const point of POINTS) console.log(`  ${point}: hit ${run.hitsOf(point)} times`);
console.log(
  `largest loss after SIGKILL: ${worst.secondsLost.toFixed(3)} s (journal ${worst.promise.intervalSeconds.toFixed(3)} s + ${worst.promise.inFlightSeconds.toFixed(3)} s of the put in flight); ${most} announces`,
);
console.log(
  `lost after SIGTERM: ${terms.reduce((sum, { announcesLost }) => sum + announcesLost, 0)} announces of ${terms.reduce((sum, { acknowledged }) => sum + acknowledged, 0)}`,
);
const missed = POINTS.filter((point) => run.hitsOf(point) < Math.min(HITS_MIN, roundsEach));
if (missed.length > 0) console.log(`not hit often enough: ${missed.join(', ')}`);
console.log(wrong.length === 0 ? 'nothing is wrong' : `${wrong.length} rounds are wrong`);
process.exit(wrong.length === 0 && missed.length === 0 ? 0 : 1);
