/**
 * The check of the imports' law is itself checked: in a copy of the sources a violation of each kind is planted, and
 * the check must find it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { describe, type TestContext } from 'node:test';

/** A directory with a small house in it: a file in each room that the plants need. */
function copyOfTheHouse(context: TestContext, plants: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'trakx-layering-'));
  context.after(() => rmSync(directory, { recursive: true }));
  cpSync('src', join(directory, 'src'), { recursive: true });
  cpSync('package.json', join(directory, 'package.json'));
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  for (const [path, text] of Object.entries(plants)) writeFileSync(join(directory, path), text);
  return directory;
}

function check(directory: string): { status: number | null; said: string } {
  const { status, stderr } = spawnSync(process.execPath, ['test/layering.mjs', directory], {
    encoding: 'utf8',
  });
  return { status, said: stderr };
}

describe('the check of the layering', () => {
  test('is content with the sources as they are', () => {
    const { status, said } = check('.');
    assert.equal(status, 0, said);
    assert.match(said, /^[1-9]\d* modules, 0 violations$/m);
  });

  for (const [what, plants, rule] of [
    [
      'an import upward',
      { 'src/swarm/planted.ts': "import '../http/pages/page.ts';\n" },
      'swarm-imports-downward',
    ],
    [
      'an import upward at run time only',
      { 'src/access/planted.ts': "export const planted = () => import('../http/pages/page.ts');\n" },
      'access-imports-downward',
    ],
    [
      'an import upward of a type only',
      {
        'src/stats/planted.ts':
          "import type { Page } from '../http/pages/page.ts';\nexport type Planted = Page;\n",
      },
      'stats-imports-downward',
    ],
    [
      'an import of main by the command',
      { 'src/main.ts': 'export {};\n', 'src/cli/planted.ts': "import '../main.ts';\n" },
      'cli-imports-downward',
    ],
    [
      'an import from a lower storey of persistence to a higher one',
      { 'src/persistence/format/planted.ts': "import '../snapshot/saver.ts';\n" },
      'persistence-format-imports-downward',
    ],
    [
      'a file of persistence outside its storeys',
      { 'src/persistence/planted.ts': "import './store/store.ts';\n" },
      'nothing-outside-the-plan',
    ],
    [
      'a package behind another’s door',
      { 'src/config/planted.ts': "import express from 'express';\nexport const planted = express;\n" },
      'express-behind-its-door',
    ],
    [
      'a scoped package behind another’s door',
      {
        'src/http/planted.ts':
          "import { S3Client } from '@aws-sdk/client-s3';\nexport const planted = S3Client;\n",
      },
      '@aws-sdk/client-s3-behind-its-door',
    ],
    [
      'a circle',
      {
        'src/swarm/planted.ts': "import './planted-too.ts';\n",
        'src/swarm/planted-too.ts': "import './planted.ts';\n",
      },
      'no-circles',
    ],
    ['a file outside the plan', { 'src/helpers.ts': "import './log.ts';\n" }, 'nothing-outside-the-plan'],
    ['an import of nothing', { 'src/swarm/planted.ts': "import './missing.ts';\n" }, 'nothing-unresolved'],
    [
      'a development package',
      { 'src/http/planted.ts': "import fc from 'fast-check';\nexport const planted = fc;\n" },
      'no-development-packages',
    ],
  ] as const) {
    test(`finds ${what}`, (context) => {
      const { status, said } = check(copyOfTheHouse(context, plants));
      assert.equal(status, 1, said);
      assert.ok(said.includes(`${rule}: `), said);
    });
  }

  test('fails when it cruised nothing', (context) => {
    const directory = copyOfTheHouse(context, {});
    rmSync(join(directory, 'src'), { recursive: true });
    cpSync('src/tsconfig.json', join(directory, 'src/tsconfig.json'));
    const { status, said } = check(directory);
    assert.equal(status, 1);
    assert.match(said, /^0 modules/m);
  });
});
