import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { before, describe } from 'node:test';
import { trakx } from '../../builders/command.ts';
import { temporaryFolder } from '../../builders/tracker-process.ts';
import { needingOnce, program } from '../../needs.ts';

const scripts = new Map<string, string>();
before(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { status, stdout, stderr } = await trakx(['completion', shell]);
    assert.equal(status, 0, stderr);
    scripts.set(shell, stdout);
  }
});

describe('trakx completion bash, in a real bash', () => {
  /** What a press of Tab offers after these words, the last of them being completed. */
  function offered(words: readonly string[], folder = '/'): readonly string[] {
    const ask = `COMP_WORDS=(trakx "$@"); COMP_CWORD=$#; _trakx; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['--norc', '-c', `set -u; ${scripts.get('bash')}\n${ask}`, 'bash', ...words],
      {
        encoding: 'utf8',
        cwd: folder,
      },
    );
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
    return stdout.split('\n').filter((line) => line !== '');
  }

  test('completes commands, and those below them', () => {
    assert.deepEqual(offered(['sta']), ['start', 'status']);
    assert.ok(offered(['']).includes('doctor'));
    assert.deepEqual(offered(['bans', 'ex']), ['export']);
    assert.deepEqual(offered(['snapshots', 'r']), ['restore']);
    assert.deepEqual(offered(['allowed', 'import', '--skip']), ['--skip-invalid']);
  });

  test('completes options of the command that was named, whatever stands between', () => {
    assert.deepEqual(offered(['stop', '--timeout', '60', '--k']), ['--kill']);
    assert.deepEqual(offered(['start', '--k']), []);
    assert.deepEqual(offered(['config', '--']), ['--json', '--help']);
  });

  test('completes files where a file is wanted, spaces in their names included, and nothing where only the user knows', (context) => {
    const folder = temporaryFolder(context);
    writeFileSync(join(folder, 'a list.txt'), '');
    mkdirSync(join(folder, 'other'));
    assert.deepEqual(offered(['bans', 'import', 'a'], folder), ['a list.txt']);
    assert.deepEqual(offered(['start', '--pid-file', 'o'], folder), ['other']);
    assert.deepEqual(offered(['stop', '--timeout', ''], folder), []);
  });
});

for (const [shell, debianPackage] of [
  ['zsh', 'zsh'],
  ['fish', 'fish'],
] as const) {
  const needs = needingOnce(import.meta.url, [program(shell, debianPackage)]);
  test(`${shell} takes the script that trakx completion ${shell} prints`, needs, (context) => {
    const file = join(temporaryFolder(context), `trakx.${shell}`);
    writeFileSync(file, scripts.get(shell) ?? '');
    const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
  });
}

test(
  'fish completes commands and options',
  needingOnce(import.meta.url, [program('fish', 'fish')]),
  (context) => {
    const folder = temporaryFolder(context);
    const file = join(folder, 'trakx.fish');
    writeFileSync(file, scripts.get('fish') ?? '');
    const offered = (line: string): readonly string[] => {
      const { stdout } = spawnSync(
        'fish',
        ['--no-config', '-c', `source ${file}; complete --do-complete '${line}'`],
        { encoding: 'utf8', env: { PATH: process.env.PATH, HOME: folder } },
      );
      return stdout
        .split('\n')
        .map((entry) => entry.split('\t')[0]!)
        .filter((word) => word !== '');
    };
    assert.deepEqual(offered('trakx sta'), ['start', 'status']);
    assert.deepEqual(offered('trakx bans ex'), ['export']);
    assert.deepEqual(offered('trakx stop --timeout 60 --k'), ['--kill']);
  },
);

test('another shell is wrong use, and says which there are', async () => {
  const { status, stderr } = await trakx(['completion', 'tcsh']);
  assert.equal(status, 2);
  assert.match(stderr, /bash, zsh, fish/);
});
