/**
 * The express lane is only a short cut: the same bytes, in whatever pieces they come, get the same answers from a
 * server with a lane as from one without, and put the same into the table.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { announceQuery, escaped, hashOf, peerIdOf, rawRequest, scrapeQuery } from '../builders/requests.ts';
import { buildTable, type RunningServer, type ServerOptions, startServer } from '../builders/server.ts';
import { tameMutant, wildMutant } from '../fuzz/mutations.ts';
import { type RandomSource, randomSource } from '../fuzz/random.ts';
import { assertAlike, dialogue } from '../http/dialogue.ts';
import { NOT_FOR_THE_LANE, UNUSUAL_BUT_PLAIN } from '../http/odd-requests.ts';

const CAPTURED = new URL('../wire/clients/', import.meta.url);
const captured = readdirSync(CAPTURED).map((name) => readFileSync(new URL(name, CAPTURED)));
const PLAIN = rawRequest(`/announce?${announceQuery()}`);
const SEEDS: readonly Buffer[] = [
  ...captured,
  ...Object.values(UNUSUAL_BUT_PLAIN),
  ...Object.values(NOT_FOR_THE_LANE),
  ...Array.from({ length: 30 }, (_, n) =>
    rawRequest(
      `/announce?${announceQuery({
        info_hash: escaped(hashOf(n % 3)),
        peer_id: peerIdOf(n),
        port: 7000 + n,
        left: n % 2,
        event: ['started', 'completed', 'stopped', 'paused'][n % 4],
        compact: n % 5 === 0 ? 0 : 1,
      })}`,
      [`X-Forwarded-For: 198.51.100.${n}`],
    ),
  ),
  rawRequest(`/scrape?${scrapeQuery(hashOf(0), hashOf(1), hashOf(2))}`),
];

interface Pair extends AsyncDisposable {
  readonly withLane: RunningServer;
  readonly without: RunningServer;
}

async function startPair(settings: ServerOptions['settings'] = {}): Promise<Pair> {
  const start = (hasLane: boolean): Promise<RunningServer> =>
    startServer({ settings, hasLane, table: buildTable({ peersMax: 2_000, swarmsMax: 1_000 }) });
  const [withLane, without] = await Promise.all([start(true), start(false)]);
  return {
    withLane,
    without,
    async [Symbol.asyncDispose]() {
      await Promise.all([withLane[Symbol.asyncDispose](), without[Symbol.asyncDispose]()]);
    },
  };
}

/** Sends the pieces to both; gives whether all was answered by both, which is when their tables must be alike. */
async function assertSame({ withLane, without }: Pair, pieces: readonly Uint8Array[]): Promise<boolean> {
  const handovers = withLane.counters.laneHandovers;
  const [first, second] = await Promise.all([
    dialogue(withLane.port, pieces),
    dialogue(without.port, pieces),
  ]);
  assertAlike(first, second, withLane.counters.laneHandovers > handovers);
  return first.responses.length === second.responses.length;
}

describe('the express lane is only a short cut', () => {
  const odd = { ...UNUSUAL_BUT_PLAIN, ...NOT_FOR_THE_LANE };
  for (const [name, request] of Object.entries(odd)) {
    it(`split at every byte: ${name}`, async () => {
      await using pair = await startPair();
      const ends = [...splitsOf(request)];
      const next = async (): Promise<void> => {
        for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
          try {
            await assertSame(pair, [request.subarray(0, end), request.subarray(end)]);
          } catch (error) {
            throw new Error(`split at ${end}`, { cause: error });
          }
        }
      };
      await Promise.all(Array.from({ length: 16 }, next));
    });

    it(`behind and before others in one piece: ${name}`, async () => {
      await using pair = await startPair();
      await assertSame(pair, [Buffer.concat([PLAIN, request])]);
      await assertSame(pair, [Buffer.concat([request, PLAIN])]);
      await assertSame(pair, [Buffer.concat([PLAIN, request, PLAIN, request])]);
      await assertSame(pair, [...request].map((byte) => Uint8Array.of(byte)).slice(0, 600));
    });
  }

  for (const trustProxy of [undefined, 0, 1]) {
    it(`whatever is sent in whatever pieces, with TRUST_PROXY ${trustProxy ?? 'unset'}`, async () => {
      const property = fc.asyncProperty(
        fc.nat(),
        fc.array(fc.nat(), { maxLength: 5 }),
        async (seed, cuts) => {
          await using pair = await startPair({ trustProxy });
          const bytes = Buffer.concat(pipelineOf(randomSource(seed)));
          if (!(await assertSame(pair, cutAt(bytes, cuts)))) return;
          assert.deepEqual(pair.withLane.table.totals, pair.without.table.totals);
          assert.deepEqual(countersOf(pair.withLane), countersOf(pair.without));
          assert.deepEqual(pair.withLane.warnings.warnings, pair.without.warnings.warnings);
        },
      );
      await fc.assert(property, { numRuns: 300, includeErrorInReport: true });
    });
  }
});

/** Every place to split a request, but within the filler of long ones only some. */
function* splitsOf({ length }: Buffer): Generator<number> {
  for (let end = 1; end < length; end += end > 400 && end < length - 300 ? 97 : 1) yield end;
}

function pipelineOf(random: RandomSource): Buffer[] {
  return Array.from({ length: 1 + random.below(5) }, () => {
    const request = random.pick(SEEDS);
    if (random.happens(1, 3)) return tameMutant(request, random);
    return random.happens(1, 6) ? wildMutant(request, random) : request;
  });
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

/** All that do not speak of the lane itself; of latencies, of how many announces one was recorded. */
function countersOf({ counters }: RunningServer): unknown {
  const { addresses, announceLatency, laneAnnounces, laneScrapes, laneHandovers, ...others } = counters;
  return { ...others, latencies: announceLatency.total };
}
