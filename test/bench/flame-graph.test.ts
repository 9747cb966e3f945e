import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { type CpuProfile, flameGraph, framesOf, hottest, selfOf, within } from '../../bench/flame-graph.ts';

const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 4 });

/** announce 2 ms, of which write 1; the collector 1; idle 10. */
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 4, 5] },
    { id: 2, callFrame: frame('announce', 'file:///app/dist/tracker/tracker.js'), children: [3] },
    { id: 3, callFrame: frame('writeBuffer') },
    { id: 4, callFrame: frame('(garbage collector)') },
    { id: 5, callFrame: frame('(idle)') },
  ],
  samples: [2, 3, 5, 4, 2],
  timeDeltas: [0, 1_000, 1_000, 10_000, 1_000],
};

describe('a flame graph', () => {
  test('counts to each function the time until the next sample, to its callers too, and leaves out waiting', () => {
    const root = framesOf(profile);
    assert.equal(root.totalMicroseconds, 3_000);
    const [announce, collector] = [...root.callees.values()];
    assert.equal(announce?.name, 'announce');
    assert.equal(announce?.selfMicroseconds, 1_000);
    assert.equal(announce?.totalMicroseconds, 2_000);
    assert.equal(announce?.place, 'tracker/tracker.js:5');
    assert.equal(collector?.totalMicroseconds, 1_000);
    assert.equal(selfOf(root, 'native'), 1_000);
    assert.equal(selfOf(root, 'ours'), 1_000);
    assert.equal(selfOf(root, 'collector'), 1_000);
    assert.equal(within(root, /^tracker\//), 2_000, 'with what it called');
    assert.equal(within(root, /^persistence\//), 0);
  });

  test('is one SVG that loads nothing, with a bar for each function as wide as its share', () => {
    const picture = flameGraph(profile, 'A <title>');
    assert.match(picture, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    assert.doesNotMatch(picture, /<script|href=|url\(/);
    assert.match(picture, /A &#60;title&#62;/);
    assert.match(picture, /announce, tracker\/tracker\.js:5: 66\.7 %, 33\.3 % itself/);
    const widths = [...picture.matchAll(/<rect x="[\d.]+" y="\d+" width="([\d.]+)" height="17"/g)];
    assert.deepEqual(
      widths.map(([, width]) => Number(width)),
      [786.4, 393, 393],
    );
  });

  test('tells the hottest functions, wherever they were called from', () => {
    const twice: CpuProfile = {
      nodes: [
        { id: 1, callFrame: frame('(root)'), children: [2, 3] },
        { id: 2, callFrame: frame('a', 'node:net'), children: [4] },
        { id: 3, callFrame: frame('b', 'node:net'), children: [5] },
        { id: 4, callFrame: frame('c', 'node:net') },
        { id: 5, callFrame: frame('c', 'node:net') },
      ],
      samples: [4, 5, 2, 2],
      timeDeltas: [0, 1_000, 1_000, 1_000],
    };
    const [first, second] = hottest(framesOf(twice), 2);
    assert.equal(first?.name, 'c');
    assert.ok(Math.abs(first!.share - 2 / 3) < 1e-9);
    assert.equal(second?.name, 'a');
  });

  test('holds nothing for a profile in which nothing ran', () => {
    const nothing: CpuProfile = {
      nodes: [{ id: 1, callFrame: frame('(root)') }],
      samples: [],
      timeDeltas: [],
    };
    assert.match(flameGraph(nothing, 'idle'), /<\/svg>\n$/);
  });
});
