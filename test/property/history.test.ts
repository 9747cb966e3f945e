/**
 * The history over any life of a tracker: minutes, announces, segments, snapshots, kills and stops (rule D-N5). What was
 * stored of it comes back, minute by minute, and nothing else does.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { History } from '../../src/stats/history.ts';
import { announceTo } from '../builders/announces.ts';
import { addMinutes, knownMinutes, MINUTE } from '../builders/history-points.ts';
import { SimulatedTracker } from '../builders/simulated-tracker.ts';
import { MemoryStore } from '../builders/store.ts';
import { NOW } from '../builders/swarm.ts';

const STEPS = [
  'minute',
  'minute',
  'minute',
  'announce',
  'journal',
  'snapshot',
  'kill',
  'stop',
  'outage',
] as const;
const START = Math.ceil(NOW / MINUTE) * MINUTE;

describe('the history of a tracker that lives any life', () => {
  it('has after each restart the minutes that were stored, and no others', async () => {
    const happened = { kills: 0, stops: 0, snapshots: 0, lost: 0, idle: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...STEPS), { minLength: 10, maxLength: 50 }),
        async (steps) => {
          const shared = new MemoryStore();
          let now = START;
          shared.nowSeconds = () => now;
          let boots = 0;
          /** Minutes that are in the store; those of this process, stored or not. */
          let stored = new Set<number>();
          let own: number[] = [];
          let history = new History();
          const boot = async (): Promise<SimulatedTracker> => {
            boots += 1;
            own = [];
            history = new History();
            const name = `boot${String(boots).padStart(4, '0')}`;
            const tracker = new SimulatedTracker({ boot: name, shared, trueSeconds: () => now, history });
            await tracker.start();
            return tracker;
          };
          const store = (): void => {
            stored = new Set([...stored, ...own]);
          };
          let tracker = await boot();
          let peer = 0;
          for (const step of [...steps, 'kill', 'stop'] as const) {
            if (step === 'minute') {
              now += MINUTE;
              addMinutes(history, now, 1);
              own.push(now);
            } else if (step === 'announce') {
              const one = { swarm: 1, peer: peer++, isIpv6: false, event: 'none', left: 'some' } as const;
              announceTo(tracker.tracker, { ...one, hasOtherId: false }, now);
            } else if (step === 'journal') {
              const isHeard = tracker.journal.status.bytesAtRisk > 0;
              const before = shared.keys('journal/').length;
              await tracker.writeJournal();
              if (isHeard) store();
              else {
                assert.equal(shared.keys('journal/').length, before);
                happened.idle += 1;
              }
            } else if (step === 'snapshot') {
              const isHeard = tracker.journal.status.bytesAtRisk > 0;
              const { kind } = await tracker.saver.save('signal');
              if (kind === 'saved' || isHeard) store();
              happened.snapshots += Number(kind === 'saved');
            } else if (step === 'outage') {
              now += 3 * MINUTE;
            } else {
              if (step === 'stop') {
                await tracker.stop();
                store();
                happened.stops += 1;
              } else {
                tracker.kill();
                happened.kills += 1;
                happened.lost += Number(own.some((minute) => !stored.has(minute)));
              }
              tracker = await boot();
              assert.deepEqual(
                knownMinutes(history.document('day', now)),
                [...stored].sort((a, b) => a - b),
              );
            }
          }
          tracker.kill();
        },
      ),
      { numRuns: 60, includeErrorInReport: true, endOnFailure: true },
    );
    for (const [what, times] of Object.entries(happened)) assert.ok(times > 5, `${what}: ${times}`);
  });
});
