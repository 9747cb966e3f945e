import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { trakx } from '../../builders/command.ts';
import { startTracker, type TrackerProcess, temporaryFolder } from '../../builders/tracker-process.ts';

const TOKEN = 'a-token-of-more-than-24-characters';
const A = 'aa'.repeat(20);
const B = 'bb'.repeat(20);
const C = 'cc'.repeat(20);

function thousands(count: number): readonly string[] {
  return Array.from({ length: count }, (_, number) => number.toString(16).padStart(40, '0'));
}

describe('trakx bans, through a running tracker', () => {
  const endings: (() => unknown)[] = [];
  const context = { after: (ending: () => unknown) => void endings.push(ending) } as Parameters<
    typeof startTracker
  >[0];
  let tracker: TrackerProcess;
  let folder = '';
  before(async () => {
    folder = temporaryFolder(context);
    tracker = await startTracker(context, {
      environment: { ADMIN_TOKEN: TOKEN, BANNED_HASHES: 'ee'.repeat(20), STORE_URL: `file:${folder}/data` },
    });
  });
  after(async () => {
    for (const ending of endings.reverse()) await ending();
  });
  const run = (words: readonly string[], input?: string, token = TOKEN) =>
    trakx(words, { ADMIN_TOKEN: token, PORT: String(tracker.port), STORE_URL: `file:${folder}/data` }, input);

  test('adds hashes and magnet links, lists, finds and removes them', async () => {
    const added = await run(['bans', 'add', '--reason', 'letter of May', A, `magnet:?xt=urn:btih:${B}`]);
    assert.equal(added.status, 0, added.stderr);
    assert.equal(added.stdout, '2 bans added; in force and stored\n');
    const refusal = await fetch(
      `${tracker.origin}/announce?info_hash=${'%aa'.repeat(20)}&peer_id=-XX0001-000000000001&port=6881&left=0`,
    );
    assert.match(await refusal.text(), /failure reason/);

    const listed = await run(['bans', 'list']);
    assert.equal(listed.status, 0);
    assert.match(listed.stdout, new RegExp(`^${A}  \\d{4}-[^ ]+Z  letter of May$`, 'm'));
    assert.match(listed.stdout, new RegExp(`^${'ee'.repeat(20)}  \\(in BANNED_HASHES\\)$`, 'm'));
    const found = await run(['bans', 'list', '--search', B.slice(0, 9), '--json']);
    const { count, bans, byEnvironment } = JSON.parse(found.stdout);
    assert.equal(count, 2);
    assert.deepEqual(
      bans.map(({ infoHash }: { infoHash: string }) => infoHash),
      [B],
    );
    assert.deepEqual(byEnvironment, []);

    const removed = await run(['bans', 'remove', A, C]);
    assert.equal(removed.status, 0);
    assert.equal(removed.stdout, 'removed 1 ban; stored\n');
    assert.equal(removed.stderr, `${C} was not on the list\n`);
    const again = await run(['bans', 'remove', A]);
    assert.equal(again.status, 1);
    assert.equal(again.stdout, 'removed 0 bans\n');
    assert.equal(again.stderr, `${A} was not on the list\n`);
    const byVariable = await run(['bans', 'remove', 'ee'.repeat(20)]);
    assert.equal(byVariable.status, 1);
    assert.match(byVariable.stderr, /BANNED_HASHES/);
  });

  test('imports thousands from standard input and exports what import reads, with reasons', async () => {
    const hashes = thousands(25_000);
    const imported = await run(
      ['allowed', 'import', '-', '--reason', 'many', '--json'],
      `# list\n${hashes.join('\n')}\n`,
    );
    assert.equal(imported.status, 0, imported.stderr);
    const outcome = JSON.parse(imported.stdout);
    assert.deepEqual([outcome.hashes, outcome.added, outcome.alreadyListed], [25_000, 25_000, 0]);
    const output = join(folder, 'allowed.jsonl');
    const exported = await run(['allowed', 'export', '--json', '--output', output]);
    assert.equal(exported.status, 0, exported.stderr);
    assert.equal(statSync(output).mode & 0o777, 0o600);
    const lines = readFileSync(output, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ infoHash }) => infoHash).sort(), [...hashes]);
    assert.ok(
      lines.every(({ reason, changedAt }) => reason === 'many' && !Number.isNaN(Date.parse(changedAt))),
    );
    const again = JSON.parse((await run(['allowed', 'import', output, '--json'])).stdout);
    assert.deepEqual([again.added, again.alreadyListed], [0, 25_000]);
  });

  test('an export that fails leaves the file of the one before', async () => {
    const output = join(folder, 'earlier.txt');
    writeFileSync(output, `${A}\n`);
    const { status } = await run(['bans', 'export', '--output', output], undefined, `${TOKEN}-not`);
    assert.equal(status, 1);
    assert.equal(readFileSync(output, 'utf8'), `${A}\n`);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('earlier')),
      ['earlier.txt'],
    );
  });

  test('tells the numbers of wrong lines and changes nothing, unless told to leave them out', async () => {
    const file = join(folder, 'bad.txt');
    writeFileSync(file, `${C}\nnonsense\n# fine\nmagnet:?xt=none\n`);
    const refused = await run(['bans', 'import', file]);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /stands in lines 2 and 4 of .*bad\.txt\. Nothing was changed/);
    assert.doesNotMatch((await run(['bans', 'list'])).stdout, new RegExp(C));
    const skipped = await run(['bans', 'import', file, '--skip-invalid']);
    assert.equal(skipped.status, 0);
    assert.match((await run(['bans', 'list'])).stdout, new RegExp(C));
  });

  test('says what is wrong: the token, the address, the hash', async () => {
    const wrong = await run(['bans', 'list'], undefined, 'another-token-of-24-characters');
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /refuses the token/);
    const none = await trakx(['bans', 'list'], { PORT: String(tracker.port) });
    assert.match(none.stderr, /^Set ADMIN_TOKEN/);
    const nobody = await run(['bans', 'list', '--url', 'http://127.0.0.1:1']);
    assert.equal(nobody.status, 1);
    assert.match(nobody.stderr, /^No answer from http:\/\/127\.0\.0\.1:1: /);
    const plain = await run(['bans', 'list', '--url', 'http://tracker.example.org']);
    assert.equal(plain.status, 2);
    assert.match(plain.stderr, /unencrypted/);
    const hash = await run(['bans', 'add', 'nonsense']);
    assert.equal(hash.status, 2);
    assert.match(hash.stderr, /^nonsense is no info hash/);
  });

  test('a tracker without the admin API is not taken for one whose list lacks the hash', async (context) => {
    const without = await startTracker(context);
    for (const words of [['remove', A], ['list']]) {
      const { status, stdout, stderr } = await run(['bans', ...words, '--url', without.origin]);
      assert.equal(status, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /^http:\/\/127\.0\.0\.1:\d+ has no admin API: .* without ADMIN_TOKEN\.$/m);
    }
  });

  test('--store is refused while a tracker answers here', async () => {
    const { status, stderr } = await run(['bans', 'add', '--store', C]);
    assert.equal(status, 1);
    assert.match(stderr, /^A tracker runs at http:\/\/127\.0\.0\.1:\d+: leave --store away/);
  });
});

describe('trakx bans --store', () => {
  test('changes the store when no tracker runs, and the next tracker finds it', async (context) => {
    const STORE_URL = `file:${temporaryFolder(context)}/data`;
    const env = { STORE_URL, PORT: '1', STORE_KEY: 'ab'.repeat(32) };
    const added = await trakx(['bans', 'add', '--store', '--reason', 'by hand', A, B], env);
    assert.equal(added.status, 0, added.stderr);
    assert.match(added.stdout, /^2 bans added/);
    const removed = await trakx(['bans', 'remove', '--store', B, C], env);
    assert.equal(removed.status, 0);
    assert.equal(removed.stderr, `${C} was not on the list\n`);
    assert.match(
      (await trakx(['bans', 'list', '--store'], env)).stdout,
      new RegExp(`^${A}  [^ ]+  by hand\n$`),
    );
    const tracker = await startTracker(context, { environment: { STORE_URL, STORE_KEY: env.STORE_KEY } });
    const stats = (await (await fetch(`${tracker.origin}/stats.json`)).json()) as {
      access: { banned: number };
    };
    assert.equal(stats.access.banned, 1);
  });

  test('is refused while another machine’s tracker writes a journal, and after a kill unless forced', async (context) => {
    const STORE_URL = `file:${temporaryFolder(context)}/data`;
    const tracker = await startTracker(context, { environment: { STORE_URL, JOURNAL_SECONDS: '1' } });
    await fetch(
      `${tracker.origin}/announce?info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=-XX0001-000000000001&port=6881&left=0`,
    );
    for (let written = 0; written === 0; ) {
      const stats = (await (await fetch(`${tracker.origin}/stats.json`)).json()) as {
        journal: { segmentsWritten: number };
      };
      written = stats.journal.segmentsWritten;
    }
    // It is not at the port that this environment names, as one on another machine is not.
    const env = { STORE_URL, PORT: '1', JOURNAL_SECONDS: '20' };
    const refused = await trakx(['bans', 'add', '--store', A], env);
    assert.equal(refused.status, 1, refused.stdout);
    assert.equal((await trakx(['bans', 'list', '--store'], env)).status, 0, 'looking disturbs nobody');
    assert.match(refused.stderr, /^A tracker seems to run on file:.*wrote a journal segment \d+ s ago/);
    await tracker.kill();
    assert.equal((await trakx(['bans', 'add', '--store', '--force', A], env)).status, 0);
  });

  test('is not refused after a tracker was stopped', async (context) => {
    const STORE_URL = `file:${temporaryFolder(context)}/data`;
    const tracker = await startTracker(context, { environment: { STORE_URL, JOURNAL_SECONDS: '1' } });
    await fetch(
      `${tracker.origin}/announce?info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=-XX0001-000000000001&port=6881&left=0`,
    );
    await tracker.stop();
    const { status, stderr } = await trakx(['bans', 'add', '--store', A], { STORE_URL, PORT: '1' });
    assert.equal(status, 0, stderr);
  });

  test('says why a store cannot be read', async (context) => {
    const file = join(temporaryFolder(context), 'plain-file');
    writeFileSync(file, '');
    const { status, stderr } = await trakx(['bans', 'list', '--store'], {
      STORE_URL: `file:${file}`,
      PORT: '1',
    });
    assert.equal(status, 1);
    assert.match(stderr, /^list of snapshots\/ in file:.* failed: /);
  });
});
