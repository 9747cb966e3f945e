import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import { NODE_FLAGS } from '../../src/cli/daemon/node-flags.ts';
import { loadConfig } from '../../src/config/config.ts';
import { temporaryFolder } from '../builders/tracker-process.ts';
import { machine } from '../config/system.ts';
import { needingOnce, program } from '../needs.ts';

const unit = readFileSync('deploy/trakx.service', 'utf8');
const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

describe('the systemd unit', () => {
  test('starts node itself with the flags that all use', () => {
    assert.equal(value('ExecStart'), `/usr/bin/node ${NODE_FLAGS.join(' ')} dist/main.js`);
  });

  test('gives a stop the 30 seconds that it may take, and comes back after a crash', () => {
    assert.ok(Number(value('TimeoutStopSec')) > 30);
    assert.equal(value('Restart'), 'always');
  });

  test('keeps the store where systemd lets the tracker write', () => {
    const environment = Object.fromEntries(
      value('Environment')
        .split(' ')
        .map((pair) => pair.split('=', 2)),
    );
    assert.equal(environment.STORE_URL, `file:/var/lib/${value('StateDirectory')}`);
    assert.ok(!Array.isArray(loadConfig(environment, machine())));
  });

  test('allows more open files than connections need', () => {
    assert.ok(Number(value('LimitNOFILE')) >= 10_000 + 200);
  });

  test('does not forbid what Node does: compiling as it runs, and looking at its interfaces', () => {
    assert.doesNotMatch(unit, /^MemoryDenyWriteExecute=/m);
    for (const family of ['AF_INET', 'AF_INET6', 'AF_UNIX', 'AF_NETLINK']) {
      assert.ok(value('RestrictAddressFamilies').split(' ').includes(family), family);
    }
  });

  const needs = needingOnce(import.meta.url, [program('systemd-analyze', 'systemd')]);

  test('is understood by systemd, down to the last line', needs, (context) => {
    const { status, stderr } = analyze(context, unit, 'verify', '--man=no', '--recursive-errors=no');
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
  });

  test('with a misspelt line would not be', needs, (context) => {
    const { stderr } = analyze(context, unit.replace('PrivateTmp', 'PrivatTmp'), 'verify', '--man=no');
    assert.match(stderr, /PrivatTmp/);
  });

  test(
    'leaves the tracker little to do harm with: at most 2 of systemd’s 10 points of exposure',
    needs,
    (context) => {
      const { status, stdout } = analyze(
        context,
        unit,
        'security',
        '--offline=true',
        '--threshold=20',
        '--no-pager',
      );
      assert.equal(status, 0, stdout);
    },
  );
});

/** systemd-analyze on a unit whose program is the Node at hand, wherever that is installed. */
function analyze(context: Parameters<typeof temporaryFolder>[0], text: string, ...words: readonly string[]) {
  const path = join(temporaryFolder(context), 'trakx.service');
  writeFileSync(path, text.replace('/usr/bin/node', process.execPath));
  return spawnSync('systemd-analyze', [...words, path], { encoding: 'utf8' });
}
