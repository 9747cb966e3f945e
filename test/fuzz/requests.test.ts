import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { announceQuery, escaped, hashOf, peerIdOf, rawRequest, scrapeQuery } from '../builders/requests.ts';
import { startTracker, type TrackerProcess } from '../builders/tracker-process.ts';
import { tameMutant, wildMutant } from './mutations.ts';
import { exchange, sendPipelines } from './pipelines.ts';
import { type RandomSource, randomSource } from './random.ts';

const MUTANTS_A_BATCH = 1_000;
const GROWTH_BYTES_MAX = 10 * 2 ** 20;
/** Until then the tracker compiles its code and its pools find their size, which takes some MiB on any setting. */
const WARM_UP_BATCHES = 20;
/** `FUZZ_SEED=… node test/run.mjs fuzz` repeats a run. */
const SEED = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));

const CAPTURED = new URL('../wire/clients/', import.meta.url);
const captured = readdirSync(CAPTURED)
  .map((name) => readFileSync(new URL(name, CAPTURED), 'latin1'))
  .map((text) => Buffer.from(text.replace('Connection: close\r\n', ''), 'latin1')); // it would end the pipeline
const generated = [
  ...[1, 2, 3].map((n) =>
    announceQuery({ info_hash: escaped(hashOf(n)), peer_id: peerIdOf(n), port: 7000 + n }),
  ),
  announceQuery({ left: 5, compact: 0, numwant: 200 }),
  announceQuery({ event: 'completed' }),
  announceQuery({ event: 'stopped', numwant: 0 }),
].map((query) => rawRequest(`/announce?${query}`));
const scrapes = [[1], [1, 2, 3], Array.from({ length: 74 }, (_, n) => n)]
  .map((numbers) => scrapeQuery(...numbers.map(hashOf)))
  .map((query) => rawRequest(`/scrape?${query}`));

/**
 * Takes the habits of V8 and malloc out of the resident memory: the young generation grows with the load (on Node 24
 * to three times 32 MiB), garbage lies about until there is need, and each thread has a pool of its own that keeps
 * what was freed in it. What then grows is kept.
 */
const QUIET_HEAP = [
  '--max-semi-space-size=4',
  '--expose-gc',
  `--import=${new URL('collect-garbage.mjs', import.meta.url)}`,
];
const QUIET_MALLOC = { MALLOC_ARENA_MAX: '1' };
/** V8 gives collected pages back from other threads, a little later: the smallest of so many readings is right. */
const READINGS = 5;

/** How the tracker is reached, and what every request then carries. */
const settings = [
  { name: 'reached directly', environment: {}, headers: '', batches: 100 },
  {
    name: 'behind a proxy',
    environment: { TRUST_PROXY: '1' },
    headers: 'X-Forwarded-For: 192.0.2.1, 198.51.100.7\r\n',
    batches: 40,
  },
];

describe('mutated requests over a real socket', () => {
  for (const { name, environment, headers, batches } of settings) {
    it(`a tracker ${name} survives ${batches * MUTANTS_A_BATCH} of them and keeps nothing`, async (t) => {
      t.diagnostic(`FUZZ_SEED=${SEED}`);
      const tracker = await startTracker(t, {
        // A small table is soon full, and then its size is no growth.
        environment: { MAX_PEERS: '1000', ...QUIET_MALLOC, ...environment },
        nodeOptions: QUIET_HEAP,
      });
      const seeds = [...captured, ...generated, ...scrapes].map((request) => withHeaders(request, headers));
      const good = withHeaders(rawRequest(`/announce?${announceQuery()}`, ['Connection: close']), headers);
      const random = randomSource(SEED);
      let parsed = 0;
      let earlyBytes = 0;
      for (let batch = 1 - WARM_UP_BATCHES; batch <= batches; batch++) {
        parsed += (await sendPipelines(tracker.port, pipelinesOf(seeds, random))).parsed;
        const answer = await exchange(tracker.port, '127.0.0.1', good);
        assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*8:intervali/, `FUZZ_SEED=${SEED}, after batch ${batch}`);
        if (batch === 0) {
          await tracker.save(); // one that comes by itself later would set up what saving needs while we measure
          earlyBytes = await keptBytes(tracker);
        }
      }
      const growthBytes = (await keptBytes(tracker)) - earlyBytes;
      t.diagnostic(`${parsed} got past the HTTP parser; memory grew by ${growthBytes} bytes`);
      assert.ok(parsed >= (batches * MUTANTS_A_BATCH) / 3, `only ${parsed} got past the HTTP parser`);
      assert.ok(growthBytes <= GROWTH_BYTES_MAX, `memory grew by ${growthBytes} bytes`);
      assert.deepEqual(await tracker.stop(), { code: 0, signal: null });
      const errors = tracker.log.filter(({ level }) => level === undefined || level === 'error');
      assert.deepEqual(errors, [], `FUZZ_SEED=${SEED}`);
    });
  }
});

/** A batch of mutants, one to eight on a connection; only the last may be wild, for it mostly ends there. */
function pipelinesOf(seeds: readonly Buffer[], random: RandomSource): Buffer[][] {
  const pipelines: Buffer[][] = [];
  for (let left = MUTANTS_A_BATCH; left > 0; ) {
    const count = Math.min(left, 1 + random.below(8));
    left -= count;
    const isLastWild = random.happens(3, 4);
    pipelines.push(
      Array.from({ length: count }, (_, at) => {
        const mutate = isLastWild && at === count - 1 ? wildMutant : tameMutant;
        return mutate(random.pick(seeds), random);
      }),
    );
  }
  return pipelines;
}

function withHeaders(request: Buffer, headers: string): Buffer {
  return Buffer.from(request.toString('latin1').replace('\r\n', `\r\n${headers}`), 'latin1');
}

/** What the process holds on to once its heap is collected. */
async function keptBytes(tracker: TrackerProcess): Promise<number> {
  let leastBytes = Number.POSITIVE_INFINITY;
  for (let reading = 0; reading < READINGS; reading++) {
    const from = tracker.log.length;
    tracker.signal('SIGUSR2');
    const line = await tracker.logged('garbage collected', from);
    leastBytes = Math.min(leastBytes, line.keptBytes as number);
  }
  return leastBytes;
}
