/**
 * One tracker over any history: announces, journal, snapshots whose walk announces interrupt, retention, lost
 * acknowledgements, restarts (rules D-P1, D-P3, D-J1 to D-J3, D-N1 to D-N3, D-R2, D-T1). What was stored comes back
 * exactly: peers, roles, flags, last-seen seconds, completed downloads, and their total, ever.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { StoreError } from '../../src/persistence/store/store.ts';
import { announceTo, anyPeerAnnounce, type PeerAnnounce } from '../builders/announces.ts';
import { contents } from '../builders/saved-swarms.ts';
import { SimulatedTracker } from '../builders/simulated-tracker.ts';
import { MemoryStore } from '../builders/store.ts';
import { NOW } from '../builders/swarm.ts';

const SWARMS = 12;
const PEERS = 40;
/** In one big swarm and several small ones, so that a snapshot has several blocks and a walk several steps. */
const FIRST_PEERS = 1_500;

type Step =
  | { readonly kind: 'announce'; readonly announces: readonly PeerAnnounce[] }
  | { readonly kind: 'second' }
  | { readonly kind: 'journal'; readonly losesAcknowledgement: boolean }
  | { readonly kind: 'snapshot'; readonly during: readonly PeerAnnounce[] }
  | { readonly kind: 'restart'; readonly during: 'nothing' | 'a save' };

const someAnnounces = fc.array(anyPeerAnnounce(SWARMS, PEERS), { minLength: 1, maxLength: 12 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: someAnnounces.map((announces) => ({ kind: 'announce', announces }) as const) },
  { weight: 3, arbitrary: fc.constant({ kind: 'second' } as const) },
  {
    weight: 2,
    arbitrary: fc
      .boolean()
      .map((losesAcknowledgement) => ({ kind: 'journal', losesAcknowledgement }) as const),
  },
  { weight: 1, arbitrary: someAnnounces.map((during) => ({ kind: 'snapshot', during }) as const) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('nothing' as const, 'a save' as const)
      .map((during) => ({ kind: 'restart', during }) as const),
  },
);

describe('a tracker that is killed once its journal is stored', () => {
  it('comes back exactly as it was, whatever happened before', async () => {
    const happened = { restarts: 0, interrupted: 0, replayed: 0, stoppedInWalk: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 10, maxLength: 60 }), async (steps) => {
        const shared = new MemoryStore();
        let now = NOW;
        let boots = 0;
        const boot = async (): Promise<SimulatedTracker> => {
          boots += 1;
          const behindSeconds = (boots * 37) % 60;
          const tracker = new SimulatedTracker({
            boot: `boot${String(boots).padStart(4, '0')}`,
            shared,
            trueSeconds: () => now,
            behindSeconds,
          });
          await tracker.start();
          return tracker;
        };
        const say = (announces: readonly PeerAnnounce[]): void => {
          for (const one of announces) announceTo(tracker.tracker, one, tracker.nowSeconds());
        };
        /** By the true time, whatever the clock of the tracker. */
        const contentsNow = (one: SimulatedTracker): string[] =>
          contents(one.table, one.nowSeconds()).map((line) =>
            line.replace(/ (\d{10}) /, (_, seen) => ` ${now + Number(seen) - one.nowSeconds()} `),
          );
        let tracker = await boot();
        for (let peer = 0; peer < FIRST_PEERS; peer++) {
          const swarm = peer < 400 ? 0 : peer % SWARMS;
          const event = peer % 7 === 0 ? 'completed' : 'none';
          const left = peer % 3 === 0 || event === 'completed' ? 'zero' : 'some';
          say([{ swarm, peer: 1_000 + peer, isIpv6: peer % 5 === 0, event, left, hasOtherId: false }]);
        }
        for (const step of [...steps, { kind: 'restart', during: 'nothing' } as const]) {
          if (step.kind === 'announce') say(step.announces);
          else if (step.kind === 'second') now += 1;
          else if (step.kind === 'journal') {
            tracker.view.losesNextAcknowledgement = step.losesAcknowledgement;
            await tracker.writeJournal();
          } else if (step.kind === 'snapshot') {
            let isFirst = true;
            shared.hook = ({ verb, key }) => {
              if (verb !== 'put' || !key.includes('part-') || !isFirst) return;
              isFirst = false;
              happened.interrupted += 1;
              happened.stoppedInWalk += Number(step.during.some(({ event }) => event === 'stopped'));
              now += 1;
              say(step.during);
            };
            await tracker.saver.save('signal');
            shared.hook = undefined;
          } else {
            let saving: Promise<unknown> = Promise.resolve();
            let kill = (): void => {};
            const killed = new Promise<void>((resolve) => {
              kill = resolve;
            });
            if (step.during === 'a save') {
              const part = new Promise<void>((resolve) => {
                shared.hook = async ({ verb, key }) => {
                  if (verb !== 'put' || !key.startsWith('snapshots/')) return;
                  resolve();
                  await killed;
                  throw new StoreError('aborted', 'the process is dead');
                };
              });
              saving = tracker.saver.save('signal');
              await Promise.race([part, new Promise((resolve) => setTimeout(resolve, 20))]);
            }
            await tracker.writeJournal();
            tracker.kill();
            kill();
            await saving;
            shared.hook = undefined;
            const before = contentsNow(tracker);
            const completedBefore = tracker.table.totals.completed;
            tracker = await boot();
            happened.restarts += 1;
            happened.replayed += Number(tracker.restorer.progress.segments > 0);
            assert.deepEqual(contentsNow(tracker), before);
            assert.equal(tracker.table.totals.completed, completedBefore);
          }
        }
        tracker.kill();
      }),
      { numRuns: 40, includeErrorInReport: true, endOnFailure: true },
    );
    for (const [what, times] of Object.entries(happened)) assert.ok(times > 5, `${what}: ${times}`);
  });
});
