import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { describe, type TestContext } from 'node:test';

/** A clone with one source file, whose compiled form prints a word; with or without the compiler. */
function clone(context: TestContext, hasCompiler = true): string {
  const root = mkdtempSync(join(tmpdir(), 'trakx-start-'));
  context.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'src/inner'), { recursive: true });
  for (const path of ['deploy/start.mjs', 'tsconfig.json', 'src/tsconfig.json', 'package.json']) {
    cpSync(path, join(root, path));
  }
  writeFileSync(join(root, 'src/inner/word.ts'), "export const word: string = 'first';\n");
  writeFileSync(
    join(root, 'src/main.ts'),
    "import { word } from './inner/word.ts';\nconsole.log(word, process.pid);\n",
  );
  if (hasCompiler) symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  return root;
}

function start(root: string) {
  const run = spawnSync(process.execPath, ['deploy/start.mjs'], { cwd: root, encoding: 'utf8' });
  return { ...run, hasBuilt: run.stderr.includes('building') };
}

function setTime(path: string, seconds: number): void {
  utimesSync(path, seconds, seconds);
}

describe('npm start', () => {
  test('builds in a fresh clone and becomes the tracker, in the process that was started', (context) => {
    const root = clone(context);
    const { stdout, hasBuilt, pid } = start(root);
    assert.ok(hasBuilt);
    assert.equal(stdout, `first ${pid}\n`);
  });

  test('does not run what came of a build that failed, however often it is started', (context) => {
    const root = clone(context);
    writeFileSync(join(root, 'src/inner/word.ts'), 'export const word: string = 1;\n');
    for (const run of [start(root), start(root)]) {
      assert.ok(run.hasBuilt);
      assert.match(run.stdout, /TS2322/);
      assert.notEqual(run.status, 0);
      assert.doesNotMatch(run.stdout, /^1 /m);
    }
  });

  test('builds only when a source is newer than what was built', (context) => {
    const root = clone(context);
    start(root);
    assert.equal(start(root).hasBuilt, false);
    const word = join(root, 'src/inner/word.ts');
    writeFileSync(word, "export const word: string = 'second';\n");
    setTime(word, Date.now() / 1_000 + 60);
    const { stdout, hasBuilt } = start(root);
    assert.ok(hasBuilt);
    assert.match(stdout, /^second /);
  });

  test('runs without development packages what was built elsewhere, whatever the times say', (context) => {
    const root = clone(context, false);
    mkdirSync(join(root, 'dist'));
    writeFileSync(join(root, 'dist/main.js'), "console.log('copied');\n");
    setTime(join(root, 'dist/main.js'), 1_000_000_000);
    const { stdout, status } = start(root);
    assert.equal(status, 0);
    assert.equal(stdout, 'copied\n');
  });

  test('says what to run when there is nothing to start and nothing to build with', (context) => {
    const { status, stderr } = start(clone(context, false));
    assert.equal(status, 1);
    assert.match(stderr, /npm ci && npm run build/);
  });

  test('fails and starts nothing when the sources do not compile', (context) => {
    const root = clone(context);
    writeFileSync(join(root, 'src/main.ts'), "const wrong: number = 'text';\nconsole.log(wrong);\n");
    const { status, stdout } = start(root);
    assert.notEqual(status, 0);
    assert.match(stdout, /error TS2322/);
    assert.equal(existsSync(join(root, 'dist/started')), false);
  });

  test('takes one Ctrl-C for one, though npm passes on what the terminal has sent already', async (context) => {
    const root = clone(context, false);
    mkdirSync(join(root, 'dist'));
    writeFileSync(
      join(root, 'dist/main.js'),
      `process.on('SIGINT', () => process.stdout.write(performance.now() + '\\n'));
       setInterval(() => {}, 1000);
       process.stdout.write('up\\n');`,
    );
    const env = { ...process.env, npm_lifecycle_event: 'start' };
    const child = spawn(process.execPath, ['deploy/start.mjs'], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    context.after(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    const first = Number((await once(child.stdout, 'data'))[0]);
    // The echoes come now; whoever goes on pressing is heard in the end.
    const pressing = setInterval(() => child.kill('SIGINT'), 20);
    const second = Number((await once(child.stdout, 'data'))[0]);
    clearInterval(pressing);
    assert.ok(second - first >= 500, `heard again after ${second - first} ms`);
  });
});
