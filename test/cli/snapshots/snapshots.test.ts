import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before, describe, type TestContext } from 'node:test';
import type { StoreAddress } from '../../../src/config/store-address.ts';
import { AccessObjectReader, AccessObjectWriter } from '../../../src/persistence/format/access-object.ts';
import { ObjectKind } from '../../../src/persistence/format/object-format.ts';
import { openStore } from '../../../src/persistence/store/open-store.ts';
import type { Store } from '../../../src/persistence/store/store.ts';
import type { SwarmTable } from '../../../src/swarm/swarm-table.ts';
import { environmentOf, type Ran, trakx } from '../../builders/command.ts';
import { asVersion, flipBit } from '../../builders/damage.ts';
import { noKeys, storeKey, storeKeys } from '../../builders/keys.ts';
import { type S3Server, startS3Server } from '../../builders/s3-server.ts';
import { contents, fillTable } from '../../builders/saved-swarms.ts';
import { makeSaver, restore } from '../../builders/snapshots.ts';
import { nowSeconds } from '../../builders/store.ts';
import { swarmTable } from '../../builders/swarm.ts';

/** The second at which each snapshot of a test's store was taken: a minute apart, the last a minute ago. */
const START = nowSeconds();
const takenAt = (number: number, of: number): number => START - 60 * (of + 1 - number);

interface Kept {
  readonly store: Store;
  readonly address: StoreAddress;
  /** What each snapshot holds, from number 1 on. */
  readonly saved: readonly string[][];
  readonly env: Readonly<Record<string, string>>;
  run(...words: string[]): Promise<Ran>;
}

/** STORE_KEY with the keys of these numbers. */
function keyText(...numbers: number[]): string {
  return numbers.map((number) => Buffer.from(storeKey(number)).toString('hex')).join(',');
}

function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'trakx-snapshots-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A store with snapshots 1 to `count`, each of a table with more in it than the one before. */
async function kept(
  context: TestContext,
  count: number,
  { address, keys = [] }: { address?: StoreAddress; keys?: number[] } = {},
): Promise<Kept> {
  const where = address ?? { kind: 'directory', path: temporaryFolder(context) };
  const store = await openStore(where, { nowSeconds });
  const table = swarmTable();
  const saved: string[][] = [];
  for (let number = 1; number <= count; number++) {
    const now = takenAt(number, count);
    fillTable(table, { peers: 600, nowSeconds: now, seed: number });
    const saver = makeSaver(store, table, {
      boot: `boot000${number}`,
      nowSeconds: () => now,
      partBytesMax: 16_000,
      keys: storeKeys(...keys),
      keep: 100,
    });
    assert.equal((await saver.save('admin')).kind, 'saved');
    saved.push(contents(table, now));
  }
  const env = { ...environmentOf(where), STORE_KEY: keyText(...keys) };
  return { store, address: where, saved, env, run: (...words) => trakx(['snapshots', ...words], env) };
}

/** The one key that ends so. */
async function keyOf(store: Store, end: string): Promise<string> {
  const keys = (await store.list('snapshots/')).map(({ key }) => key).filter((key) => key.endsWith(end));
  assert.equal(keys.length, 1, `${end}: ${keys}`);
  return keys[0]!;
}

async function change(store: Store, end: string, by: (bytes: Uint8Array) => Uint8Array): Promise<string> {
  const key = await keyOf(store, end);
  await store.put(key, by(await store.get(key)));
  return key;
}

/** A table that a tracker restores from the store at this second, as text. */
async function restored(store: Store, now: number, keys = noKeys()): Promise<string[]> {
  const table: SwarmTable = swarmTable();
  await restore(store, table, { nowSeconds: () => now, keys });
  return contents(table, now);
}

describe('trakx snapshots', () => {
  test('lists its commands, and each has help with its options', async () => {
    const { status, stdout } = await trakx(['snapshots', '--help']);
    assert.equal(status, 0);
    for (const word of ['list', 'show', 'verify', 'export', 'restore', 'prune', 'STORE_URL', 'Exit codes'])
      assert.match(stdout, new RegExp(word));
    const help = await trakx(['snapshots', 'export', '--help']);
    assert.match(help.stdout, /addresses of people/);
  });

  for (const words of [
    [],
    ['nonsense'],
    ['list', '--nonsense'],
    ['show'],
    ['verify', '1', '--all'],
    ['restore'],
    ['restore', '--to', 'file:x', '--at', 'yesterday'],
    ['prune', '--keep', '0'],
  ]) {
    test(`"trakx snapshots ${words.join(' ')}" is wrong use`, async () => {
      const { status, stderr } = await trakx(['snapshots', ...words], { STORE_URL: 'file:/nonexistent' });
      assert.equal(status, 2, stderr);
    });
  }

  test('tells every problem of the configuration and fails', async () => {
    const { status, stderr } = await trakx(['snapshots', 'list'], { STORE_URL: 'ftp://x' });
    assert.equal(status, 1);
    assert.match(stderr, /^STORE_URL=ftp:/);
  });

  test('says in a sentence why the store cannot be read', async () => {
    const { status, stderr, stdout } = await trakx(['snapshots', 'list'], {
      STORE_URL: 's3://bucket/prefix',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'y',
    });
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^list of snapshots\/ in s3:\/\/bucket\/prefix\/ failed: the store cannot be reached.*\n$/m,
    );
  });
});

describe('trakx snapshots list', () => {
  test('shows number, boot, time, age, size and state, newest first', async (context) => {
    const { run } = await kept(context, 2);
    const { status, stdout } = await run('list');
    assert.equal(status, 0);
    const lines = stdout.trimEnd().split('\n');
    assert.match(lines[0]!, /^NUMBER +BOOT +TAKEN AT +AGE +PARTS +BYTES +SWARMS +PEERS +SEALED +STATE$/);
    assert.match(
      lines[1]!,
      /^ +2 +boot0002 +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +\d+ (?:s|min) +\d+ +[\d.]+ kB +\d+ +1200 +no +whole$/,
    );
    assert.match(lines[2]!, /^ +1 +boot0001 .* 600 +no +whole$/);
    assert.equal(lines.length, 3);
  });

  test('tells damaged, unfinished and newer ones apart, and why', async (context) => {
    const { run, store } = await kept(context, 5);
    await change(store, 'boot0002/manifest', (bytes) => flipBit(bytes, 60));
    await store.delete(await keyOf(store, 'boot0003/manifest'));
    await store.delete(await keyOf(store, 'boot0004/part-00001'));
    await change(store, 'boot0005/manifest', (bytes) => asVersion(bytes, ObjectKind.manifest, 9));
    const { status, stdout } = await run('list', '--json');
    assert.equal(status, 0);
    const document = JSON.parse(stdout);
    assert.equal(document.store, store.address);
    assert.deepEqual(
      document.snapshots.map(({ number, state, peers }: { number: number; state: string; peers: number }) => [
        number,
        state,
        peers,
      ]),
      [
        [5, 'newer', null],
        [4, 'damaged', 2_400],
        [3, 'unfinished', null],
        [2, 'damaged', null],
        [1, 'whole', 600],
      ],
    );
    assert.equal(
      document.snapshots[4].takenAt,
      new Date(takenAt(1, 5) * 1_000).toISOString().replace('.000', ''),
    );
    assert.match(document.snapshots[1].what, /parts are missing/);
    assert.match(document.snapshots[3].what, /manifest cannot be read/);
  });

  test('says that an empty store is empty', async (context) => {
    const { run, store } = await kept(context, 0);
    const { status, stdout } = await run('list');
    assert.equal(status, 0);
    assert.equal(stdout, `There is no snapshot in ${store.address}\n`);
  });
});

describe('trakx snapshots show', () => {
  test('shows the manifest, and each part beside what the manifest says of it', async (context) => {
    const { run, store } = await kept(context, 2);
    const part = await change(store, 'boot0002/part-00001', (bytes) => bytes.subarray(1));
    const { status, stdout } = await run('show', '2');
    assert.equal(status, 0);
    assert.match(stdout, /^state +damaged: parts are missing or have another size/m);
    assert.match(stdout, /^peers +1200$/m);
    assert.match(stdout, /^part 0 +\d+ bytes$/m);
    assert.match(stdout, /^part 1 +(\d+) bytes; the manifest says \d+$/m);
    const shown = JSON.parse((await run('show', '2', '--json')).stdout);
    const { bytes, bytesExpected } = shown.partsListed.find(({ key }: { key: string }) => key === part);
    assert.equal(bytes, bytesExpected - 1);
    assert.deepEqual([shown.cutSequence, shown.vector], [0, {}]);
  });

  test('takes a number, and number and boot where two processes wrote the same', async (context) => {
    const { run, store } = await kept(context, 1);
    const key = await keyOf(store, 'boot0001/part-00000');
    await store.put(key.replace('boot0001', 'boot000b'), await store.get(key));
    const two = await run('show', '1');
    assert.equal(two.status, 1);
    assert.match(two.stderr, /1-boot000b or 1-boot0001/);
    assert.match((await run('show', '1-boot0001')).stdout, /^state +whole$/m);
    const none = await run('show', '7');
    assert.equal(none.status, 1);
    assert.match(none.stderr, /no snapshot 7/);
  });
});

describe('trakx snapshots verify', () => {
  test('reads the newest, or the one that is named, and is content', async (context) => {
    const { run } = await kept(context, 2);
    const newest = await run('verify');
    assert.equal(newest.status, 0, newest.stderr);
    assert.match(newest.stdout, /^snapshot 2-boot0002: whole, [\d.]+ kB, \d+ swarms, 1200 peers\n$/);
    assert.match((await run('verify', '1')).stdout, /^snapshot 1-boot0001: whole/);
  });

  test('names the object and the byte at which it is damaged, and fails', async (context) => {
    const { run, store } = await kept(context, 2);
    const key = await change(store, 'boot0001/part-00000', (bytes) => flipBit(bytes, 500));
    assert.equal((await run('verify')).status, 0, 'the newest is well');
    const all = await run('verify', '--all');
    assert.equal(all.status, 1);
    assert.match(all.stdout, /^snapshot 1-boot0001: damaged/m);
    assert.ok(all.stdout.includes(`  ${key}: it is damaged at byte 32\n`), all.stdout);
    assert.match(all.stdout, /^snapshot 2-boot0002: whole/m);
    const json = await run('verify', '1', '--json');
    assert.equal(json.status, 1);
    const { isWell, verified } = JSON.parse(json.stdout);
    assert.equal(isWell, false);
    assert.deepEqual(verified[0].problems, [{ key, what: 'it is damaged at byte 32' }]);
  });

  test('finds a part that is missing, one of another size, and bans that are damaged', async (context) => {
    const { run, store } = await kept(context, 1);
    const missing = await keyOf(store, 'part-00000');
    await store.delete(missing);
    const longer = await change(store, 'part-00001', (bytes) => Buffer.concat([bytes, Buffer.from('x')]));
    const golden = readFileSync(
      new URL('../../golden/version-1/access/golden0001/0000000001', import.meta.url),
    );
    await store.put('access/golden0001/0000000001', golden);
    await store.put('access/golden0001/0000000002', flipBit(golden, 100));
    const { status, stdout } = await run('verify', '--all');
    assert.equal(status, 1);
    assert.ok(stdout.includes(`  ${missing}: it is missing\n`), stdout);
    assert.match(stdout, new RegExp(`  ${longer}: it has \\d+ bytes, the manifest says \\d+\n`));
    assert.ok(stdout.includes(`  ${longer}: bytes follow its end\n`), stdout);
    assert.ok(stdout.includes('  access/golden0001/0000000002: it is damaged at byte 32\n'), stdout);
    assert.match(stdout, /^2 objects of bans and allowed hashes: damaged/m);
  });

  test('does not mind one that is being written, unless it is asked about that one', async (context) => {
    const { run, store } = await kept(context, 2);
    await store.delete(await keyOf(store, 'boot0002/manifest'));
    const all = await run('verify', '--all');
    assert.equal(all.status, 0, all.stdout);
    assert.match(all.stdout, /^snapshot 2-boot0002: unfinished/m);
    assert.match((await run('verify')).stdout, /^snapshot 1-boot0001: whole/);
    const named = await run('verify', '2');
    assert.equal(named.status, 1);
    assert.match(named.stdout, /it has no manifest/);
  });

  test('cannot vouch for what a later version wrote, nor for a store without snapshots', async (context) => {
    const { run, store } = await kept(context, 1);
    await change(store, 'manifest', (bytes) => asVersion(bytes, ObjectKind.manifest, 9));
    const newer = await run('verify', '1');
    assert.equal(newer.status, 1);
    assert.match(newer.stdout, /^snapshot 1-boot0001: newer/);
    const { run: runEmpty } = await kept(context, 0);
    assert.equal((await runEmpty('verify')).status, 1);
    assert.equal((await runEmpty('verify', '--all')).status, 0);
  });
});

describe('trakx snapshots export', () => {
  /** The lines as `contents` has them. */
  function asContents(stdout: string): string[] {
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    return lines
      .flatMap((line) => {
        if (line.kind === 'swarm')
          return line.completed > 0 ? [`${line.infoHash} completed ${line.completed}`] : [];
        const flags = (line.isPartialSeed ? 2 : 0) + (line.isCompletionCounted ? 1 : 0);
        const endpoint = Buffer.concat([
          addressBytes(line.address),
          Buffer.of(line.port >> 8, line.port & 255),
        ]);
        const role = line.isSeeder ? 'seeder' : 'leecher';
        const seen = Date.parse(line.lastSeen) / 1_000;
        return [`${line.infoHash} ${role} ${flags} ${seen} ${endpoint.toString('hex')} ${line.peerId}`];
      })
      .sort();
  }

  function addressBytes(text: string): Buffer {
    if (!text.includes(':')) return Buffer.from(text.split('.').map(Number));
    const [head = '', tail = ''] = text.split('::');
    const groups = (side: string): string[] => (side === '' ? [] : side.split(':'));
    const [first, last] = [groups(head), groups(tail)];
    const middle = text.includes('::') ? new Array(8 - first.length - last.length).fill('0') : [];
    const hex = [...first, ...middle, ...last].map((group) => group.padStart(4, '0')).join('');
    return Buffer.from(hex, 'hex');
  }

  /** `contents` with the record as the export has it: flags, endpoint and peer id. */
  function withoutSecondsByte(lines: readonly string[]): string[] {
    return lines
      .map((line) =>
        line.replace(
          /^(\S+ (?:seeder|leecher)) (\d) (\d+) (\S+) [0-9a-f]{4}([0-9a-f]{40})$/,
          '$1 $2 $3 $4 $5',
        ),
      )
      .sort();
  }

  test('prints every swarm and every peer of the newest whole snapshot', async (context) => {
    const { run, saved } = await kept(context, 2);
    const { status, stdout, stderr } = await run('export');
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^wrote \d+ swarms and 1200 peers of snapshot 2-boot0002\n$/);
    assert.deepEqual(asContents(stdout), withoutSecondsByte(saved[1]!));
    const first = await run('export', '1');
    assert.deepEqual(asContents(first.stdout), withoutSecondsByte(saved[0]!));
  });

  test('writes to a file that only its owner reads', async (context) => {
    const { run } = await kept(context, 1);
    const path = join(temporaryFolder(context), 'peers.jsonl');
    writeFileSync(path, 'of an earlier export', { mode: 0o644 });
    const { status, stdout } = await run('export', '--output', path);
    assert.equal(status, 0);
    assert.equal(stdout, '');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(readFileSync(path, 'utf8'), (await run('export')).stdout);
    const nowhere = await run('export', '--output', '/nonexistent/file');
    assert.equal(nowhere.status, 1);
    assert.match(nowhere.stderr, /^\/nonexistent\/file cannot be written/);
  });

  test('leaves people out when told to', async (context) => {
    const { run } = await kept(context, 1);
    const { stdout } = await run('export', '--without-peers');
    assert.match(stdout, /"kind":"swarm"/);
    assert.doesNotMatch(stdout, /address|peerId|"kind":"peer"/);
  });

  test('gives what can be read of a damaged one, says what is wrong, and fails', async (context) => {
    const { run, store, saved } = await kept(context, 1);
    const key = await change(store, 'part-00000', (bytes) => flipBit(bytes, 500));
    const { status, stdout, stderr } = await run('export', '1');
    assert.equal(status, 1);
    assert.ok(stderr.includes(`not whole: ${key}: it is damaged at byte 32`), stderr);
    const lines = asContents(stdout);
    const whole = new Set(withoutSecondsByte(saved[0]!));
    assert.ok(lines.length > 100 && lines.length < whole.size);
    for (const line of lines) assert.ok(whole.has(line), line);
  });
});

describe('trakx snapshots restore', () => {
  let server: S3Server;
  before(async () => {
    server = await startS3Server();
  });
  after(() => server.close());

  test('writes one whole snapshot of the newest state into an empty store', async (context) => {
    const { run, saved } = await kept(context, 2);
    const path = temporaryFolder(context);
    const { status, stdout, stderr } = await run('restore', '--to', `file:${path}`);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^read snapshot 2-boot0002/);
    const to = await openStore({ kind: 'directory', path }, { nowSeconds });
    const manifests = (await to.list('snapshots/')).filter(({ key }) => key.endsWith('/manifest'));
    assert.equal(manifests.length, 1);
    assert.deepEqual(await restored(to, takenAt(2, 2)), saved[1]);
    assert.equal((await trakx(['snapshots', 'verify', '--all'], { STORE_URL: `file:${path}` })).status, 0);
  });

  for (const [text, number] of [
    [() => String(takenAt(2, 3)), 2],
    [() => String(takenAt(2, 3) + 59), 2],
    [() => new Date(takenAt(1, 3) * 1_000).toISOString(), 1],
    [() => new Date(takenAt(3, 3) * 1_000).toISOString().replace('.000Z', '+00:00'), 3],
  ] as const) {
    test(`takes the newest that is as old as --at ${text()}`, async (context) => {
      const { run, saved } = await kept(context, 3);
      const path = temporaryFolder(context);
      const { status, stdout, stderr } = await run(
        'restore',
        '--at',
        text(),
        '--to',
        `file:${path}`,
        '--json',
      );
      assert.equal(status, 0, stderr);
      assert.equal(JSON.parse(stdout).snapshot, `${number}-boot000${number}`);
      const to = await openStore({ kind: 'directory', path }, { nowSeconds });
      assert.deepEqual(await restored(to, takenAt(number, 3)), saved[number - 1]);
    });
  }

  test('passes over a damaged one, and says so', async (context) => {
    const { run, store, saved } = await kept(context, 2);
    const key = await change(store, 'boot0002/part-00001', (bytes) => flipBit(bytes, 300));
    const path = temporaryFolder(context);
    const { status, stderr } = await run('restore', '--to', `file:${path}`);
    assert.equal(status, 0);
    assert.ok(stderr.includes(`passed over ${key}: it is damaged`), stderr);
    const to = await openStore({ kind: 'directory', path }, { nowSeconds });
    assert.deepEqual(await restored(to, takenAt(1, 2)), saved[0]);
  });

  test('fails when nothing is that old', async (context) => {
    const { run } = await kept(context, 1);
    const path = temporaryFolder(context);
    const { status, stderr } = await run('restore', '--at', '2001-01-01', '--to', `file:${path}`);
    assert.equal(status, 1);
    assert.match(stderr, /taken at or before 2001-01-01T00:00:00Z/);
  });

  test('refuses a store that is not empty, and leaves it as it is', async (context) => {
    const { run } = await kept(context, 1);
    const other = await kept(context, 1);
    const before = await other.store.list('');
    const { status, stderr } = await run(
      'restore',
      '--to',
      `file:${(other.address as { path: string }).path}`,
    );
    assert.equal(status, 1);
    assert.match(stderr, /is not empty: it holds \d+ objects of snapshots/);
    assert.deepEqual(await other.store.list(''), before);
    const journal = await kept(context, 0);
    await journal.store.put('journal/boot0001/0000000001', new Uint8Array(40));
    const refused = await run('restore', '--to', `file:${(journal.address as { path: string }).path}`);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /1 segments of a journal/);
  });

  test('copies from a directory to a bucket and back, bans included', async (context) => {
    const { run, store, saved } = await kept(context, 1);
    const ban = readFileSync(new URL('../../golden/version-1/access/golden0001/0000000001', import.meta.url));
    await store.put('access/golden0001/0000000001', ban);
    const bucket = server.address();
    const bucketEnv = environmentOf(bucket);
    const { STORE_URL: bucketUrl = '', ...credentials } = bucketEnv;
    const up = await trakx(['snapshots', 'restore', '--to', bucketUrl], {
      ...environmentOf((await kept(context, 0)).address),
      ...environmentOf({ kind: 'directory', path: store.address.slice('file:'.length) }),
      ...Object.fromEntries(Object.entries(credentials).map(([name, value]) => [`TO_${name}`, value])),
    });
    assert.equal(up.status, 0, up.stderr);
    const inBucket = await openStore(bucket, { nowSeconds });
    assert.deepEqual(await restored(inBucket, takenAt(1, 1)), saved[0]);
    assert.deepEqual(Buffer.from(await inBucket.get('access/golden0001/0000000001')), ban);

    const path = temporaryFolder(context);
    const down = await trakx(['snapshots', 'restore', '--to', `file:${path}`], bucketEnv);
    assert.equal(down.status, 0, down.stderr);
    const back = await openStore({ kind: 'directory', path }, { nowSeconds });
    assert.deepEqual(await restored(back, takenAt(1, 1)), saved[0]);
    assert.deepEqual(Buffer.from(await back.get('access/golden0001/0000000001')), ban);
    assert.equal((await run('verify')).status, 0, 'the first store is as it was');
  });

  test('lists, verifies and prunes in a bucket', async (context) => {
    const { run } = await kept(context, 3, { address: server.address() });
    assert.match((await run('list')).stdout, / 3 +boot0003 .* whole\n/);
    assert.equal((await run('verify', '--all')).status, 0);
    assert.equal((await run('prune', '--keep', '1', '--yes')).status, 0);
    const { snapshots } = JSON.parse((await run('list', '--json')).stdout);
    assert.deepEqual(
      snapshots.map(({ number }: { number: number }) => number),
      [3],
    );
  });
});

describe('trakx snapshots prune', () => {
  async function numbers(store: Store): Promise<number[]> {
    const keys = (await store.list('snapshots/')).map(({ key }) => Number(key.slice(10, 20)));
    return [...new Set(keys)];
  }

  test('deletes what the retention would without asking', async (context) => {
    const { run, store } = await kept(context, 7);
    const { status, stdout, stderr } = await run('prune');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^delete snapshot 2-boot0002 \(\d+ objects\): there are enough newer whole ones$/m);
    assert.match(stdout, /^7-boot0007 was read in full, is whole, and stays$/m);
    assert.deepEqual(await numbers(store), [3, 4, 5, 6, 7]);
    assert.match((await run('prune')).stdout, /^There is nothing to delete/);
  });

  test('only says what it would delete when told so', async (context) => {
    const { run, store } = await kept(context, 6);
    const { status, stdout } = await run('prune', '--dry-run');
    assert.equal(status, 0);
    assert.match(stdout, /^would delete snapshot 1-boot0001/);
    assert.deepEqual(await numbers(store), [1, 2, 3, 4, 5, 6]);
  });

  test('deletes what a tracker would have kept only after a yes', async (context) => {
    const { run, store } = await kept(context, 3);
    const refused = await run('prune', '--keep', '1');
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /say --yes/);
    assert.deepEqual(await numbers(store), [1, 2, 3]);
    assert.equal((await run('prune', '--keep', '1', '--yes')).status, 0);
    assert.deepEqual(await numbers(store), [3]);
  });

  test('leaves damaged ones until asked, and then says so as JSON', async (context) => {
    const { run, store } = await kept(context, 3);
    await change(store, 'boot0002/manifest', (bytes) => flipBit(bytes, 60));
    assert.match((await run('prune')).stdout, /nothing to delete/);
    const { status, stdout } = await run('prune', '--damaged', '--yes', '--json');
    assert.equal(status, 0);
    const { pruned, kept: stays, isDeleted } = JSON.parse(stdout);
    assert.deepEqual(
      [pruned[0].snapshot, pruned[0].reason, stays, isDeleted],
      ['2-boot0002', 'damaged', '3-boot0003', true],
    );
    assert.deepEqual(await numbers(store), [1, 3]);
  });

  test('never deletes the last one that is whole to its last byte', async (context) => {
    const { run, store } = await kept(context, 3);
    await change(store, 'boot0003/part-00001', (bytes) => flipBit(bytes, 300));
    await change(store, 'boot0002/part-00001', (bytes) => flipBit(bytes, 300));
    const { stdout } = await run('prune', '--keep', '1', '--yes', '--damaged');
    assert.match(stdout, /^1-boot0001 was read in full, is whole, and stays$/m);
    assert.deepEqual(await numbers(store), [1]);
    const last = await run('prune', '1', '--yes');
    assert.equal(last.status, 1);
    assert.match(last.stderr, /newest whole snapshot: it stays/);
    await change(store, 'boot0001/part-00000', (bytes) => flipBit(bytes, 300));
    const allDamaged = await run('prune', '--damaged', '--yes', '--keep', '1');
    assert.deepEqual(await numbers(store), [1], allDamaged.stdout);
  });

  test('leaves one that may still be being written, and deletes one by name that is damaged', async (context) => {
    const { run, store } = await kept(context, 3);
    await store.delete(await keyOf(store, 'boot0002/manifest'));
    const refused = await run('prune', '2', '--yes');
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /may still be being written/);
    await store.delete(await keyOf(store, 'boot0001/part-00000'));
    assert.equal((await run('prune', '1', '--yes')).status, 0);
    assert.deepEqual(await numbers(store), [2, 3]);
  });

  test('deletes nothing beside an object of a later version', async (context) => {
    const { run, store } = await kept(context, 7);
    const ban = readFileSync(new URL('../../golden/version-1/access/golden0001/0000000001', import.meta.url));
    await store.put('access/golden0001/0000000001', asVersion(ban, ObjectKind.accessChange, 9));
    const { status, stderr } = await run('prune', '--yes');
    assert.equal(status, 1);
    assert.match(stderr, /later version/);
    assert.equal((await numbers(store)).length, 7);
  });
});

describe('a sealed store', () => {
  test('is listed, verified and exported with its key', async (context) => {
    const { run, saved } = await kept(context, 1, { keys: [1] });
    assert.match((await run('list')).stdout, / 600 +yes +whole$/m);
    assert.match((await run('verify')).stdout, /: whole, .* 600 peers$/m);
    const { status, stdout } = await run('export');
    assert.equal(status, 0);
    const peers = saved[0]!.filter((line) => !line.includes('completed'));
    assert.equal(stdout.split('\n').filter((line) => line.includes('"kind":"peer"')).length, peers.length);
  });

  for (const [name, STORE_KEY] of [
    ['without its key', ''],
    ['with another key', keyText(2)],
  ] as const) {
    test(`is called locked ${name}, gives nothing out, and loses nothing`, async (context) => {
      const { store, env } = await kept(context, 7, { keys: [1] });
      const before = await store.list('');
      const run = (...words: string[]) => trakx(['snapshots', ...words], { ...env, STORE_KEY });
      assert.match((await run('list')).stdout, / yes +locked$/m);
      for (const words of [['verify'], ['export'], ['export', '7'], ['prune'], ['prune', '1', '--yes']]) {
        const { status, stdout, stderr } = await run(...words);
        assert.equal(status, 1, `${words}: ${stdout}${stderr}`);
        assert.doesNotMatch(stdout, /infoHash/);
      }
      assert.match((await run('verify')).stdout, /it is sealed, and no key in STORE_KEY opens it/);
      const path = temporaryFolder(context);
      const restoring = await run('restore', '--to', `file:${path}`);
      assert.equal(restoring.status, 1);
      assert.match(restoring.stderr, /sealed/);
      assert.deepEqual(await store.list(''), before);
    });
  }

  for (const [name, TO_STORE_KEY, keys] of [
    ['another key', keyText(2), storeKeys(2)],
    ['the same key', undefined, storeKeys(1)],
    ['none', '', noKeys()],
  ] as const) {
    test(`is copied to one with ${name}, bans included`, async (context) => {
      const { store, env, saved } = await kept(context, 1, { keys: [1] });
      const accessKey = 'access/boot0001/0000000001';
      const writer = new AccessObjectWriter(accessKey, storeKeys(1));
      const infoHash = new Uint8Array(20).fill(7);
      writer.add('bans', { infoHash, isListed: true, atSeconds: START, reason: 'letter of 1 May' });
      await store.put(accessKey, writer.finish());
      const path = temporaryFolder(context);
      const { status, stderr } = await trakx(
        ['snapshots', 'restore', '--to', `file:${path}`],
        TO_STORE_KEY === undefined ? env : { ...env, TO_STORE_KEY },
      );
      assert.equal(status, 0, stderr);
      const to = await openStore({ kind: 'directory', path }, { nowSeconds });
      assert.deepEqual(await restored(to, takenAt(1, 1), keys), saved[0]);
      const reader = new AccessObjectReader(accessKey, await to.get(accessKey), keys);
      const ban = reader.next()!;
      assert.deepEqual([ban.list, ban.isListed, ban.reason, ban.count], ['bans', true, 'letter of 1 May', 1]);
      assert.equal(reader.isSealedAsNew, true);
    });
  }
});
