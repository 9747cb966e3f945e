import assert from 'node:assert/strict';
import { once } from 'node:events';
import test, { describe } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { timeLimit } from '../src/time-limit.ts';

describe('a time limit', () => {
  test('fires when time is up though nobody else holds it and garbage was collected', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const fired = once(timeLimit(50, new AbortController().signal).signal, 'abort');
    collect();
    const [event] = (await fired) as [Event];
    assert.equal((event.target as AbortSignal).reason.name, 'TimeoutError');
  });

  test('fires with the first of the others, for its reason, also when that had fired before', () => {
    const other = new AbortController();
    const limit = timeLimit(60_000, undefined, other.signal);
    assert.equal(limit.signal.aborted, false);
    other.abort('enough');
    assert.equal(limit.signal.reason, 'enough');
    assert.equal(timeLimit(60_000, other.signal).signal.reason, 'enough');
  });

  test('that has ended fires no more', () => {
    const other = new AbortController();
    const limit = timeLimit(60_000, other.signal);
    limit.end();
    other.abort();
    assert.equal(limit.signal.aborted, false);
  });
});
