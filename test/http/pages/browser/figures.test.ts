import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { figureLists, figureTexts } from '../../../../src/http/pages/browser/figures.js';
import { liveReport } from '../../../../src/stats/stats-report.ts';
import { wellGauges } from '../../../stats/gauges.ts';

/** The rows of a list: what each is called, its amount, the width of its bar, and whether it is a part. */
function rowsOf(html: string): unknown[] {
  const row = /<li( class="part")?><span>(.+?)<\/span> <b>(.+?)<\/b>.*?bar-part" width="(.+?)"/g;
  return [...html.matchAll(row)].map(([, part, ...rest]) => [...rest, part !== undefined]);
}

describe('the figures of the statistics', () => {
  it('have the answers as wholes and their parts, and what announces told under no other figure’s name', () => {
    const gauges = wellGauges();
    Object.assign(gauges.counters, {
      announces: 1_100,
      announcesIpv4: 750,
      announcesIpv6: 250,
      announcesCompleted: 50,
      announcesStopped: 100,
      announcesPaused: 10,
      scrapes: 20,
    });
    assert.deepEqual(rowsOf(figureLists(liveReport(gauges)).replies ?? ''), [
      ['Announces', '1,000', '100.00', false],
      ['of these over IPv4', '750', '75.00', true],
      ['of these over IPv6', '250', '25.00', true],
      ['of these telling of a completed download', '50', '5.00', true],
      ['of these telling of a stop', '100', '10.00', true],
      ['of these by partial seeds', '10', '1.00', true],
      ['Scrapes', '20', '2.00', false],
    ]);
  });

  for (const [swarms, windowsEnded, text] of [
    [0, 0, 'No swarm'],
    [0, 5, 'No swarm'],
    [1_000_000, 0, 'Known after the first minute'],
    [1_000_000, 5, 'None served, as of a minute ago at most'],
  ] as const) {
    it(`say of the busiest of ${swarms} swarms, when none is named after ${windowsEnded} minutes: ${text}`, () => {
      const report = liveReport(wellGauges({ busiestSwarms: [] }));
      const { eventLoop } = report;
      const lists = figureLists({ ...report, swarms, eventLoop: { ...eventLoop, windowsEnded } });
      assert.equal(lists.busiestSwarms, `<tr><td class="empty" colspan="4">${text}</td></tr>`);
    });
  }

  it('say whether the time to answer an announce is not known yet, or there was none', () => {
    const report = liveReport(wellGauges());
    const noteAfter = (windowsEnded: number, announceMs: typeof report.latency.announceMs) =>
      figureTexts({
        ...report,
        latency: { ...report.latency, announceMs },
        eventLoop: { ...report.eventLoop, windowsEnded },
      }).latencyNote?.replaceAll('\u202f', ' ');
    assert.equal(noteAfter(0, null), 'known after the first minute');
    assert.equal(noteAfter(3, null), 'no announce in the last minute');
    assert.equal(noteAfter(3, { p50: 1, p90: 2, p99: 3, p999: 4 }), 'over the last 1 min');
  });
});
