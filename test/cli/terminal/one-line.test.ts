import assert from 'node:assert/strict';
import test from 'node:test';
import { oneLine } from '../../../src/cli/terminal/one-line.ts';

test('a text of others stays on its line and tells the terminal nothing', () => {
  assert.equal(oneLine('a\r\nb\u2028c\u2029d\u0085e'), 'a b c d e');
  assert.equal(oneLine('\u001b[31mred\u009b31m \u007f'), ' [31mred 31m  ');
  assert.equal(oneLine('Fälle #3 — “so”'), 'Fälle #3 — “so”');
});
