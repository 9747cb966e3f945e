import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../builders/random.ts';
import { type S3Process, startS3Process } from '../builders/s3-process.ts';
import { CrashRun, type Round } from './crash-run.ts';
import { POINTS } from './points.ts';

/** `npm run crash` does the same many more times. */
describe('a tracker that is killed again and again', () => {
  it('loses no more than the journal interval and the put in flight, and nothing at a SIGTERM', async (context) => {
    const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
    context.diagnostic(`CRASH_SEED=${seed}`);
    const s3: S3Process = await startS3Process();
    context.after(() => s3.end());
    const run = await CrashRun.start({
      s3,
      prefix: 'crash/',
      journalSeconds: 1,
      holdMsMax: 1_500,
      random: seededRandom(seed),
    });
    context.after(() => run.close());
    const rounds: Round[] = [];
    for (const point of POINTS) rounds.push(...(await run.kill(point)));
    rounds.push(...(await run.terminate()), ...(await run.finish()));

    for (const { point, announcesLost, secondsLost, promise, wrong } of rounds) {
      context.diagnostic(
        `${point}: ${announcesLost} lost, ${secondsLost.toFixed(2)} s; ${promise.intervalSeconds.toFixed(2)} s + ${promise.inFlightSeconds.toFixed(2)} s in flight`,
      );
      assert.deepEqual(wrong, [], `${point}, CRASH_SEED=${seed}`);
    }
    assert.deepEqual(
      rounds.map(({ point }) => point),
      [...POINTS, 'sigterm'],
    );
    assert.ok(rounds.some(({ isHit, point }) => isHit && point !== 'sigterm'));
    assert.ok(rounds.reduce((sum, { acknowledged }) => sum + acknowledged, 0) > 1_000);
  });
});
