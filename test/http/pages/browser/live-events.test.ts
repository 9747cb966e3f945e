import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { LiveEvents } from '../../../../src/http/pages/browser/live-events.js';

/** The browser's class of that name, as far as it is used. */
class FakeEventSource extends EventTarget {
  static opened: FakeEventSource[] = [];
  onerror: (() => void) | undefined;
  isClosed = false;

  constructor() {
    super();
    FakeEventSource.opened.push(this);
  }

  close(): void {
    this.isClosed = true;
  }

  send(name: string, data: object): void {
    this.dispatchEvent(Object.assign(new Event(name), { data: JSON.stringify(data) }));
  }
}

describe('live events of a page', () => {
  const states: string[] = [];
  const heard: unknown[] = [];
  const newest = () => FakeEventSource.opened.at(-1)!;
  const opened = () => FakeEventSource.opened.length;

  beforeEach(() => {
    FakeEventSource.opened = [];
    states.length = 0;
    heard.length = 0;
    Object.assign(globalThis, { EventSource: FakeEventSource });
    // In the middle of what pauses are spread over.
    mock.method(Math, 'random', () => 0.5);
    mock.timers.enable({ apis: ['setTimeout'] });
    new LiveEvents('/events', { stats: (data) => heard.push(data) }, (state) => states.push(state)).open();
  });
  afterEach(() => {
    mock.timers.reset();
    mock.restoreAll();
    Reflect.deleteProperty(globalThis, 'EventSource');
  });

  it('are live with the first event, and handed on', () => {
    assert.deepEqual(states, []);
    newest().send('stats', { peers: 3 });
    assert.deepEqual(states, ['live']);
    assert.deepEqual(heard, [{ peers: 3 }]);
  });

  it('are tried again after pauses that double, up to half a minute', () => {
    for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      const before = opened();
      newest().onerror!();
      assert.ok(newest().isClosed);
      assert.equal(states.at(-1), 'reconnecting');
      mock.timers.tick(pauseMs - 1);
      assert.equal(opened(), before, `before ${pauseMs} ms`);
      mock.timers.tick(1);
      assert.equal(opened(), before + 1, `after ${pauseMs} ms`);
    }
  });

  it('begin with the short pause again once something was heard', () => {
    newest().onerror!();
    mock.timers.tick(1_000);
    newest().onerror!();
    mock.timers.tick(2_000);
    newest().send('stats', {});
    newest().onerror!();
    const before = opened();
    mock.timers.tick(1_000);
    assert.equal(opened(), before + 1);
  });

  it('give up a line that is silent', () => {
    newest().send('stats', {});
    const silent = newest();
    mock.timers.tick(14_999);
    assert.ok(!silent.isClosed);
    mock.timers.tick(1);
    assert.ok(silent.isClosed);
    assert.equal(states.at(-1), 'reconnecting');
  });
});
