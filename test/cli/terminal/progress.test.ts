import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { Progress } from '../../../src/cli/terminal/progress.ts';

function observed(isTTY: boolean) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const output = { isTTY, write: (text: string) => written.push(text) };
  return { written, clock, progress: new Progress(output, () => clock.ms) };
}

describe('progress', () => {
  test('is one line that is written over in a terminal, and gone at the end', () => {
    const { written, clock, progress } = observed(true);
    for (clock.ms = 0; clock.ms <= 250; clock.ms += 50) progress.show(() => `at ${clock.ms}`);
    progress.clear();
    progress.clear();
    assert.deepEqual(written, ['\r\x1b[Kat 100', '\r\x1b[Kat 200', '\r\x1b[K']);
  });

  test('is a line now and then elsewhere, and nothing for short work', () => {
    const { written, clock, progress } = observed(false);
    for (clock.ms = 0; clock.ms <= 25_000; clock.ms += 1_000) progress.show(() => `at ${clock.ms}`);
    progress.clear();
    assert.deepEqual(written, ['at 10000\n', 'at 20000\n']);
  });

  test('makes no text when none is due', () => {
    const { progress } = observed(true);
    progress.show(() => assert.fail('too early'));
  });
});
