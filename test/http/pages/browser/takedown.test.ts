import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AdminClient, Answer } from '../../../../src/http/pages/browser/admin-client.js';
import { LINES_AT_ONCE, reasonProblem, takeDown } from '../../../../src/http/pages/browser/takedown.js';

interface Asked {
  readonly path: string;
  readonly lines: readonly string[];
}

/** A client whose answers the test makes up; a line that begins with `bad` holds no hash. */
function clientOf(answer: (lines: readonly string[], asked: readonly Asked[]) => Partial<Answer>) {
  const asked: Asked[] = [];
  const client = {
    async ask(_method: string, path: string, body = ''): Promise<Answer> {
      const lines = body.split('\n');
      asked.push({ path, lines });
      return { status: 200, body: {}, retrySeconds: 0, ...answer(lines, asked) };
    },
  };
  return { client: client as unknown as AdminClient, asked };
}

function banned(lines: readonly string[], state = 'added'): Partial<Answer> {
  const invalid = lines.flatMap((line, index) => (line.startsWith('bad') ? [index + 1] : []));
  const good = lines.filter((line) => !line.startsWith('bad'));
  return good.length === 0
    ? { status: 400, body: { error: 'none', invalid } }
    : { body: { invalid, results: good.map((infoHash) => ({ infoHash, state })) } };
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, n) => `hash${n}`);

describe('a takedown of what was pasted', () => {
  it('goes out a thousand lines at a time, and tells how far it is', async () => {
    const { client, asked } = clientOf((lines) => banned(lines));
    const lines = numbered(2_500);
    lines[1_499] = 'bad';
    const progress: number[] = [];
    const takedown = await takeDown(client, `${lines.join('\n')}\n`, 'why & when', ({ linesDone }) =>
      progress.push(linesDone),
    );
    assert.deepEqual(
      asked.map((one) => one.lines.length),
      [LINES_AT_ONCE, LINES_AT_ONCE, 500],
    );
    assert.ok(asked.every(({ path }) => path === 'bans?results=yes&reason=why%20%26%20when'));
    assert.deepEqual(progress, [0, 1_000, 2_000]);
    assert.deepEqual([takedown.states.size, takedown.invalidLines], [2_499, [1_500]]);
    assert.deepEqual([takedown.linesDone, takedown.linesTotal, takedown.error], [2_500, 2_500, undefined]);
  });

  it('goes on after a thousand lines of which none holds a hash', async () => {
    const { client } = clientOf((lines) => banned(lines));
    const lines = [...Array.from({ length: 1_000 }, () => 'bad'), 'hash'];
    const { states, invalidLines, error } = await takeDown(client, lines.join('\n'), '', () => {});
    assert.deepEqual([[...states.keys()], invalidLines.length, error], [['hash'], 1_000, undefined]);
  });

  it('keeps what was done when the tracker fails, and says from where it was not', async () => {
    const { client } = clientOf((lines, { length }) =>
      length === 1 ? banned(lines) : { status: 0, body: { error: 'No answer.' } },
    );
    const lines = numbered(1_500);
    const { states, linesDone, remainder, error } = await takeDown(client, lines.join('\n'), '', () => {});
    assert.deepEqual([states.size, linesDone, error], [1_000, 1_000, 'No answer.']);
    assert.equal(remainder, lines.slice(1_000).join('\n'));
  });

  it('goes on with one that failed while its rest is there: one receipt, whose lines go on counting', async () => {
    const lines = numbered(2_500);
    lines[3] = 'bad';
    lines[1_200] = 'bad';
    const failing = clientOf((some, { length }) =>
      length === 1 ? banned(some) : { status: 0, body: { error: 'No answer.' } },
    );
    const first = await takeDown(failing.client, lines.join('\n'), 'letter', () => {});
    const { client, asked } = clientOf((some) => banned(some));
    const text = `${first.remainder}\nlater\n`;
    const second = await takeDown(client, text, 'another letter', () => {}, first);
    assert.deepEqual(asked[0]?.lines[0], 'hash1000');
    assert.deepEqual(
      [...second.states.keys()],
      [...lines, 'later'].filter((line) => line !== 'bad'),
    );
    assert.deepEqual(second.invalidLines, [4, 1_201]);
    assert.deepEqual([second.linesDone, second.linesTotal, second.remainder], [2_501, 2_501, '']);
    assert.deepEqual([second.reason, second.error], ['letter; another letter', undefined]);
    assert.equal(first.states.size, 999, 'what was told before stays as it was told');
    const third = await takeDown(client, first.remainder, 'letter', () => {}, first);
    assert.equal(third.reason, 'letter');
  });

  it('begins anew with other lines, and when nothing was left', async () => {
    const { client } = clientOf((lines, { length }) =>
      length === 2 ? { status: 0, body: { error: 'No answer.' } } : banned(lines),
    );
    const done = await takeDown(client, 'hash1', '', () => {});
    const failed = await takeDown(client, 'hash2', '', () => {}, done);
    assert.deepEqual([failed.states.size, failed.remainder], [0, 'hash2']);
    const other = await takeDown(client, 'hash23', '', () => {}, { ...failed, states: done.states });
    assert.deepEqual([[...other.states.keys()], other.linesTotal], [['hash23'], 1]);
  });

  it('tells what is in force but not stored, and what was banned before', async () => {
    const { client } = clientOf((lines) => ({ ...banned(lines), status: 503 }));
    const unstored = clientOf((lines) => {
      const { body } = banned(lines);
      return { status: 503, body: { ...body, enforced: true } };
    });
    assert.equal((await takeDown(client, 'hash', '', () => {})).states.size, 0);
    assert.deepEqual(
      [...(await takeDown(unstored.client, 'hash', '', () => {})).states],
      [['hash', 'not-stored']],
    );
    const before = clientOf((lines) => banned(lines, 'already-listed'));
    assert.deepEqual(
      [...(await takeDown(before.client, 'hash', '', () => {})).states],
      [['hash', 'banned-before']],
    );
  });

  it('may have a reason of so many bytes, not characters', () => {
    assert.equal(reasonProblem('x'.repeat(200), 200), '');
    assert.equal(reasonProblem(` ${'ü'.repeat(100)} `, 200), '');
    assert.match(reasonProblem('ü'.repeat(101), 200), /up to 200 bytes, and has 202/);
  });

  it('waits as long as it is told to, and tries again', async () => {
    const notes: string[] = [];
    const { client, asked } = clientOf((lines, { length }) =>
      length < 3 ? { status: 429, body: { error: 'wait' }, retrySeconds: 0.001 } : banned(lines),
    );
    const { states } = await takeDown(client, 'hash', '', (_takedown, note) => notes.push(note));
    assert.deepEqual([states.size, asked.length], [1, 3]);
    assert.ok(notes.some((note) => note.includes('wait')));
  });
});
