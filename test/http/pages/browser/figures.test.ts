import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { figureLists } from '../../../../src/http/pages/browser/figures.js';
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
});
