import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTracker } from '../builders/tracker-process.ts';
import { announce, ask } from './tracker-requests.ts';

describe('EXPRESS_LANE', () => {
  for (const [value, laneAnnounces] of [
    [undefined, 2],
    ['on', 2],
    ['off', 0],
  ] as const) {
    it(`${value ?? 'unset'}: the lane answers ${laneAnnounces} of two announces, and the statistics say so`, async (context) => {
      const environment = value === undefined ? {} : { EXPRESS_LANE: value };
      const tracker = await startTracker(context, { environment });
      assert.equal((await announce(tracker)).complete, 1);
      assert.equal((await announce(tracker, { port: 6882 })).complete, 2);
      const { requests } = JSON.parse((await ask(tracker, '/stats.json')).body.toString());
      assert.equal(requests.announces, 2);
      assert.equal(requests.laneAnnounces, laneAnnounces);
      assert.equal(requests.laneScrapes, 0);
      assert.equal(requests.laneHandovers, value === 'off' ? 0 : 1);
      await tracker.stop();
    });
  }
});
