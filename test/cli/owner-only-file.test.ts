import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { describe, type TestContext } from 'node:test';
import { CommandError } from '../../src/cli/command-error.ts';
import { writeOwnerOnly } from '../../src/cli/owner-only-file.ts';
import { temporaryFolder } from '../builders/tracker-process.ts';

const never = new AbortController().signal;

async function* texts(...some: readonly string[]): AsyncGenerator<string> {
  yield* some;
}

/** A file of an earlier command, which everybody can read. */
function earlier(context: TestContext): { readonly folder: string; readonly path: string } {
  const folder = temporaryFolder(context);
  const path = join(folder, 'export');
  writeFileSync(path, 'earlier');
  chmodSync(path, 0o644);
  return { folder, path };
}

describe('the file that a command writes', () => {
  test('can be read by its owner only, whoever could read the one before', async (context) => {
    const { folder, path } = earlier(context);
    for (const name of [path, join(folder, 'new')]) {
      await writeOwnerOnly(name, texts('one\n', 'two\n'), never);
      assert.equal(readFileSync(name, 'utf8'), 'one\ntwo\n');
      assert.equal(statSync(name).mode & 0o777, 0o600);
    }
    assert.deepEqual(readdirSync(folder).sort(), ['export', 'new']);
  });

  test('is the one before as long as not all is written, and after a failure', async (context) => {
    const { folder, path } = earlier(context);
    async function* broken(): AsyncGenerator<string> {
      yield 'half';
      assert.equal(readFileSync(path, 'utf8'), 'earlier');
      throw new CommandError('the other half is gone');
    }
    await assert.rejects(writeOwnerOnly(path, broken(), never), /^CommandError: the other half is gone$/);
    assert.equal(readFileSync(path, 'utf8'), 'earlier');
    assert.deepEqual(readdirSync(folder), ['export']);
  });

  test('is the one before when the command is interrupted', async (context) => {
    const { folder, path } = earlier(context);
    const interrupt = new AbortController();
    async function* interrupted(): AsyncGenerator<string> {
      yield 'half';
      interrupt.abort();
      yield 'other half';
    }
    await assert.rejects(writeOwnerOnly(path, interrupted(), interrupt.signal), { name: 'AbortError' });
    assert.equal(readFileSync(path, 'utf8'), 'earlier');
    assert.deepEqual(readdirSync(folder), ['export']);
  });

  test('is where a link leads, and the link stays', async (context) => {
    const { folder, path } = earlier(context);
    const link = join(folder, 'link');
    symlinkSync(path, link);
    await writeOwnerOnly(link, texts('new'), never);
    assert.ok(lstatSync(link).isSymbolicLink());
    assert.equal(readFileSync(path, 'utf8'), 'new');
  });

  test('does not take the place of a pipe, which is written to', async (context) => {
    const path = join(temporaryFolder(context), 'pipe');
    execFileSync('mkfifo', [path]);
    const [read] = await Promise.all([readFile(path, 'utf8'), writeOwnerOnly(path, texts('a', 'b'), never)]);
    assert.equal(read, 'ab');
    assert.ok(statSync(path).isFIFO());
  });

  test('that cannot be written is told, and what another one writes just now stays', async (context) => {
    const { folder, path } = earlier(context);
    const others = `${path}.${process.pid}.tmp`;
    writeFileSync(others, 'of another');
    mkdirSync(join(folder, 'directory'));
    for (const wrong of [join(folder, 'nowhere', 'file'), join(folder, 'directory'), path])
      await assert.rejects(writeOwnerOnly(wrong, texts('x'), never), (error) => {
        assert.ok(error instanceof CommandError);
        return error.message.startsWith(`${wrong} cannot be written: `);
      });
    assert.equal(readFileSync(others, 'utf8'), 'of another');
    assert.equal(readFileSync(path, 'utf8'), 'earlier');
  });
});
