import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { needing, program } from './needs.ts';

/** A test run of its own in a folder with one test file that needs a program which no machine has. */
describe('a test that needs what the machine lacks', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'trakx-needs-'));
    mkdirSync(join(folder, 'test'));
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(
      join(folder, 'test', 'wanting.test.ts'),
      `import test from 'node:test';
       import { needing, program } from ${JSON.stringify(resolve('test/needs.ts'))};
       test('wants', needing(import.meta.url, [program('no-such-program', 'no-such-package')]), () => {});`,
    );
  });
  after(() => rmSync(folder, { recursive: true }));

  function run(environment: NodeJS.ProcessEnv) {
    const env: NodeJS.ProcessEnv = { ...process.env, CI: '', ...environment };
    delete env.NODE_TEST_CONTEXT; // else the inner runner reports to ours instead of running by itself
    const args = [resolve('test/run.mjs'), 'wanting'];
    return spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
  }

  it('is skipped, and the run ends with the command that would run it', () => {
    const { status, stderr } = run({});
    assert.equal(status, 0, stderr);
    assert.match(stderr, /SKIPPED test\/wanting\.test\.ts: needs no-such-program\n/);
    assert.match(
      stderr,
      /apt-get install --yes no-such-package && node test\/run\.mjs test\/wanting\.test\.ts\n/,
    );
  });

  it('fails the run under CI=true', () => {
    const { status, stderr } = run({ CI: 'true' });
    assert.equal(status, 1);
    assert.match(stderr, /SKIPPED test\/wanting\.test\.ts/);
  });
});

describe('a test whose needs are met', () => {
  it('is not skipped', () => {
    assert.deepEqual(needing(import.meta.url, [program('sh', 'dash')]), {});
  });
});
