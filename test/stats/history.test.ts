import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { History, type HistoryPoints } from '../../src/stats/history.ts';
import { HISTORY_SERIES } from '../../src/stats/history-series.ts';
import { addMinutes, knownMinutes, MINUTE, peersAt, pointAt } from '../builders/history-points.ts';

/** A whole number of ten minutes. */
const START = 1_700_000_400;
const HOUR = 3_600;
const DAY = 24 * HOUR;

function saved(history: History): readonly HistoryPoints[] {
  return history.points;
}

describe('the history of an hour, a day and a week', () => {
  it('has a series of one length for each name, oldest first, null where nothing is known', () => {
    const history = new History();
    addMinutes(history, START, 3);
    const { series, ...rest } = history.document('hour', START + 5);
    assert.deepEqual(rest, { statsVersion: 1, span: 'hour', stepSeconds: 60, endSeconds: START });
    assert.deepEqual(
      Object.keys(series),
      HISTORY_SERIES.map(({ name }) => name),
    );
    for (const values of Object.values(series)) assert.equal(values.length, 60);
    const expected = [null, peersAt(START - 120), peersAt(START - 60), peersAt(START)];
    assert.deepEqual(series.peers.slice(-4), expected);
    assert.deepEqual(series.saveAgeSeconds.slice(-2), [null, null]);
    assert.equal(history.document('day', START).series.peers.length, 1_440);
    const week = history.document('week', START);
    assert.deepEqual([week.stepSeconds, week.series.peers.length], [600, 1_008]);
  });

  it('keeps a day of minutes and a week of ten minutes, and forgets what is older', () => {
    const history = new History();
    addMinutes(history, START, (8 * DAY) / MINUTE);
    const day = knownMinutes(history.document('day', START));
    assert.deepEqual([day.length, day[0]], [1_440, START - DAY + MINUTE]);
    const week = history.document('week', START);
    assert.deepEqual([knownMinutes(week).length, knownMinutes(week)[0]], [1_008, START - 7 * DAY + 600]);
    assert.ok(!week.series.peers.includes(null));
  });

  it('leaves a hole where the tracker was down, also once it is up again', () => {
    const history = new History();
    addMinutes(history, START, 5);
    addMinutes(history, START + 15 * MINUTE, 3);
    const { peers } = history.document('hour', START + 15 * MINUTE).series;
    const isKnown = peers.slice(-20).map((value) => value !== null);
    const expected = [5, 12, 3].flatMap((minutes, index) => new Array(minutes).fill(index !== 1));
    assert.deepEqual(isKnown, expected);
  });

  it('shows a hole at its end when the last point is long past', () => {
    const history = new History();
    addMinutes(history, START, 5);
    const { endSeconds, series } = history.document('hour', START + 10 * MINUTE);
    assert.equal(endSeconds, START + 10 * MINUTE);
    assert.deepEqual(series.peers.slice(-10), new Array(10).fill(null));
  });

  it('forgets everything after a silence of more than a day', () => {
    const history = new History();
    addMinutes(history, START, 100);
    addMinutes(history, START + 3 * DAY, 1);
    assert.deepEqual(knownMinutes(history.document('day', START + 3 * DAY)), [START + 3 * DAY]);
  });

  it('makes ten minutes of the mean of their values, and of the worst of what is to be watched', () => {
    const history = new History();
    for (let minute = 1; minute <= 10; minute++) {
      const { values } = pointAt(START + minute * MINUTE, minute);
      values[HISTORY_SERIES.findIndex(({ name }) => name === 'latencyP99Ms')] = minute;
      history.add({ endSeconds: START + minute * MINUTE, values });
    }
    const { series, endSeconds } = history.document('week', START + 600);
    assert.equal(endSeconds, START + 600);
    assert.equal(series.announcesPerSecond.at(-1), 5.5);
    assert.equal(series.latencyP99Ms.at(-1), 10);
    assert.equal(series.announcesPerSecond.at(-2), null);
  });
});

describe('a history that was saved', () => {
  it('comes back with every value, hole and step of the week', () => {
    const history = new History();
    addMinutes(history, START - 4 * DAY, 30);
    addMinutes(history, START, 2_000);
    const restored = new History();
    for (const points of saved(history)) restored.restore(points, START + 90);
    for (const span of ['hour', 'day', 'week'] as const) {
      assert.deepEqual(restored.document(span, START + 90), history.document(span, START + 90));
    }
  });

  it('comes back in any order, the minutes of the busier tracker winning', () => {
    const [quiet, busy] = [new History(), new History()];
    addMinutes(quiet, START, 20, 5);
    addMinutes(busy, START - 10 * MINUTE, 20, 500);
    const merged = [
      [quiet, busy],
      [busy, quiet],
    ].map((order) => {
      const history = new History();
      for (const points of order.flatMap(saved))
        if (points.stepSeconds === 60) history.restore(points, START);
      return history.document('hour', START).series.announcesPerSecond.slice(-30);
    });
    assert.deepEqual(merged[0], [...new Array(20).fill(500), ...new Array(10).fill(5)]);
    assert.deepEqual(merged[1], merged[0]);
  });

  it('never takes the place of a minute that this process has seen', () => {
    const [before, history] = [new History(), new History()];
    addMinutes(before, START, 10, 1_000);
    addMinutes(history, START, 3, 1);
    for (const points of saved(before)) history.restore(points, START);
    assert.deepEqual(history.document('hour', START).series.announcesPerSecond.slice(-10), [
      ...new Array(7).fill(1_000),
      1,
      1,
      1,
    ]);
  });

  it('is not believed where it tells of the future, or in steps that nobody keeps', () => {
    const [before, history] = [new History(), new History()];
    addMinutes(before, START + 10 * DAY, 10);
    for (const points of saved(before)) history.restore(points, START);
    for (const points of saved(before)) history.restore({ ...points, stepSeconds: 7 }, START + 10 * DAY);
    assert.deepEqual(history.points, []);
    assert.equal(history.endSeconds, 0);
  });

  it('gives out for the journal only minutes of this process, each once', () => {
    const [before, history] = [new History(), new History()];
    addMinutes(before, START - 5 * MINUTE, 10);
    for (const points of saved(before)) history.restore(points, START);
    assert.equal(history.ownMinutesAfter(0), undefined);
    addMinutes(history, START, 3);
    const own = history.ownMinutesAfter(0);
    assert.deepEqual([own?.count, own?.endSeconds], [3, START]);
    assert.equal(history.ownMinutesAfter(START), undefined);
    assert.equal(history.ownMinutesAfter(START - MINUTE)?.count, 1);
  });

  it('counts the starts of trackers on a store', () => {
    const history = new History();
    assert.equal(history.restarts, 0);
    history.noteEarlierStarts(0);
    assert.equal(history.restarts, 1);
    history.noteEarlierStarts(6);
    history.noteEarlierStarts(2);
    assert.equal(history.restarts, 7);
  });
});
