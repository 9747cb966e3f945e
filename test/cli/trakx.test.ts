import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { describe, type TestContext } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { trakxProgram, withSubcommands, wordsOf } from '../../src/cli/program.ts';
import { noSurroundings } from '../../src/cli/surroundings.ts';

const COMMAND = fileURLToPath(new URL('../../src/cli/trakx.ts', import.meta.url));

function trakx(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { PATH = '' } = process.env;
  return spawnSync(process.execPath, ['--import', 'tsx', COMMAND, ...words], {
    encoding: 'utf8',
    env: { PATH, ...env },
  });
}

describe('trakx', () => {
  test('lists its commands and exit codes', () => {
    const { status, stdout } = trakx(['--help']);
    assert.equal(status, 0);
    for (const word of ['config', 'run', 'start', 'doctor', 'bans', 'stress', 'Exit codes'])
      assert.match(stdout, new RegExp(word));
  });

  for (const words of [['nonsense'], ['config', '--nonsense'], ['config', 'too', 'many'], []]) {
    test(`"trakx ${words.join(' ')}" is wrong use: exit code 2, and a word on what is right`, () => {
      const { status, stderr } = trakx(words);
      assert.equal(status, 2, stderr);
      assert.match(stderr, /trakx/);
    });
  }
});

describe('every command', () => {
  const all = withSubcommands([trakxProgram(noSurroundings())]);
  const leaves = all.filter((command) => command.commands.length === 0);
  /** What they print is for a shell, or the tracker's own log, which is JSON. */
  const withoutJson = ['trakx completion', 'trakx run'];

  test('takes --json', () => {
    const without = leaves.filter(({ options }) => !options.some(({ long }) => long === '--json'));
    assert.deepEqual(without.map((command) => wordsOf(command).join(' ')).sort(), withoutJson);
  });

  for (const command of all) {
    const words = wordsOf(command).join(' ');
    test(`${words} --help says what it is for and what its exit codes mean`, () => {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      assert.ok(help.includes('Exit codes: 0 ') || help.includes('Exit codes: the tracker’s'), help);
      assert.notEqual(command.description(), '');
      for (const { description, long } of command.options) assert.notEqual(description, '', `${long}`);
      const longest = Math.max(...help.split('\n').map((line) => line.length));
      assert.ok(longest <= 132, `${longest} characters in a line`);
    });
  }
});

describe('trakx config', () => {
  test('prints the effective values, secrets masked', () => {
    const { status, stdout } = trakx(['config'], {
      PORT: '8080',
      ADMIN_TOKEN: 'correct-horse-battery-staple',
      STORE_KEY: `${'ab'.repeat(32)},${'cd'.repeat(32)}`,
    });
    assert.equal(status, 0);
    assert.match(stdout, /^PORT +8080$/m);
    assert.match(stdout, /^ADMIN_TOKEN +\(hidden\)$/m);
    assert.match(stdout, /^STORE_KEY +\(hidden\),\(hidden\)$/m);
    assert.doesNotMatch(stdout, /abab|cdcd/);
    assert.match(stdout, /^PUBLIC_URL +\(not set\)$/m);
    assert.doesNotMatch(stdout, /correct-horse/);
  });

  test('prints them as one JSON object', () => {
    const { status, stdout } = trakx(['config', '--json'], { TRUST_PROXY: '1' });
    assert.equal(status, 0);
    const values = JSON.parse(stdout);
    assert.equal(values.TRUST_PROXY, 1);
    assert.equal(values.ADMIN_TOKEN, null);
  });

  test('prints every problem and fails', () => {
    const { status, stdout, stderr } = trakx(['config'], { PORT: 'x', PEER_TTL: '0' });
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^PORT=x: /m);
    assert.match(stderr, /^PEER_TTL=0: /m);
  });

  test('points at a name that is nearly right', () => {
    assert.match(trakx(['config'], { BANNED_HASH: 'x' }).stderr, /BANNED_HASHES does/);
  });
});

describe('trakx run', () => {
  /** A tracker for tests: says what it was started with and what reached it. */
  function standIn(context: TestContext, body: string): URL {
    const directory = mkdtempSync(join(tmpdir(), 'trakx-run-'));
    context.after(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'main.mjs');
    writeFileSync(path, body);
    return pathToFileURL(path);
  }

  /** Runs `runCommand` in a process of its own, as the command does. */
  function run(program: URL) {
    const source = `
      import { runCommand } from ${JSON.stringify(new URL('../../src/cli/daemon/run-command.ts', import.meta.url).href)};
      process.exitCode = await runCommand({ execPath: process.execPath, execArgv: [], main: new URL(${JSON.stringify(program.href)}) }, process);`;
    return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  test('gives Node the flags that every start uses, and exits with the tracker’s code', async (context) => {
    const child = run(standIn(context, 'console.log(JSON.stringify(process.execArgv)); process.exit(7);'));
    const [output] = await once(child.stdout, 'data');
    const [code] = await once(child, 'exit');
    assert.match(String(output), /--max-old-space-size=\d+/);
    assert.equal(code, 7);
  });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGUSR1', 'SIGHUP'] as const) {
    test(`passes ${signal} on once`, async (context) => {
      const program = standIn(
        context,
        `let count = 0;
         process.on('${signal}', () => { count += 1; setTimeout(() => { console.log(count); process.exit(0); }, 50); });
         setInterval(() => {}, 1000);
         console.log('up');`,
      );
      const child = run(program);
      await once(child.stdout, 'data');
      child.kill(signal);
      const [output] = await once(child.stdout, 'data');
      const [code] = await once(child, 'exit');
      assert.equal(String(output).trim(), '1');
      assert.equal(code, 0);
    });
  }

  test('exits with 128 and the signal’s number when the tracker was killed', async (context) => {
    const child = run(standIn(context, "process.kill(process.pid, 'SIGKILL');"));
    const [code] = await once(child, 'exit');
    assert.equal(code, 137);
  });
});
