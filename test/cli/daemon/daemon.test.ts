import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import test, { describe, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { identityOf } from '../../../src/cli/daemon/process-identity.ts';
import { trakx } from '../../builders/command.ts';
import { temporaryFolder } from '../../builders/tracker-process.ts';

interface Daemon {
  readonly pidFile: string;
  readonly logFile: string;
  readonly port: number;
  readonly url: string;
  run(...words: string[]): ReturnType<typeof trakx>;
  /** The JSON that the command prints, beside its exit code. */
  json(...words: string[]): Promise<{ status: number | null; told: Record<string, unknown>; stderr: string }>;
  pid(): number;
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function daemon(context: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Daemon> {
  let pidFile = '';
  // Before the folder's own: hooks run in the order in which they were given, and the file must still be there.
  context.after(() => {
    if (!existsSync(pidFile)) return;
    const [, record = '{}'] = readFileSync(pidFile, 'utf8').split('\n');
    if (identityOf(pid()) === JSON.parse(record).identity) process.kill(pid(), 'SIGKILL');
  });
  const folder = temporaryFolder(context);
  pidFile = join(folder, 'run', 'trakx.pid');
  const logFile = join(folder, 'log', 'trakx.log');
  const port = await freePort();
  const environment = {
    HOME: folder,
    HOST: '127.0.0.1',
    PORT: String(port),
    STORE_URL: `file:${join(folder, 'data')}`,
    ...env,
  };
  const files = (word = ''): string[] => [
    '--pid-file',
    pidFile,
    ...(word === 'start' || word === 'restart' ? ['--log-file', logFile] : []),
  ];
  const run = (...words: string[]) => trakx([...words, ...files(words[0])], environment);
  const pid = (): number => Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  const json = async (...words: string[]) => {
    const { status, stdout, stderr } = await run(...words, '--json');
    return { status, stderr, told: stdout === '' ? {} : JSON.parse(stdout) };
  };
  return { pidFile, logFile, port, url: `http://127.0.0.1:${port}`, run, json, pid };
}

const announce = 'announce?info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=-XX0001-000000000001&port=6881&left=0';

describe('trakx start, status, restart and stop', () => {
  test('a life: started once, seen, restarted without a refused connection, stopped with everything saved', async (context) => {
    const { run, json, pid, pidFile, logFile, url } = await daemon(context);
    const nobody = await run('status');
    assert.equal(nobody.status, 3);
    assert.equal(nobody.stdout, 'not running\n');

    const started = await json('start');
    assert.equal(started.status, 0, started.stderr);
    assert.deepEqual(started.told, { state: 'started', pid: pid(), url, pidFile, logFile });
    assert.equal((await fetch(`${url}/${announce}`)).status, 200);

    const again = await run('start');
    assert.equal(again.status, 1);
    assert.match(again.stderr, new RegExp(`^A tracker runs already: pid ${pid()}, ${url}\\.`));

    const seen = await json('status');
    assert.equal(seen.status, 0, seen.stderr);
    const { state, peers, pid: seenPid, isOurs } = seen.told;
    assert.deepEqual(
      { state, peers, seenPid, isOurs },
      { state: 'running', peers: 1, seenPid: pid(), isOurs: true },
    );
    for (const key of ['uptimeSeconds', 'secondsAtRisk', 'bytesAtRisk'])
      assert.equal(typeof seen.told[key], 'number', key);
    assert.match(
      (await run('status')).stdout,
      /^running +pid \d+.*\naddress .*\npeers +1 in 1 swarms\nstore .* a crash now would lose/,
    );

    const before = pid();
    const restarting = json('restart');
    let isDone = false;
    void restarting.finally(() => {
      isDone = true;
    });
    let refused = 0;
    let refusedInARow = 0;
    let longest = 0;
    for (; !isDone; await pause(20)) {
      const isRefused = await fetch(`${url}/healthz`, { headers: { Connection: 'close' } }).then(
        () => false,
        () => true,
      );
      refused += isRefused ? 1 : 0;
      refusedInARow = isRefused ? refusedInARow + 1 : 0;
      longest = Math.max(longest, refusedInARow);
    }
    const restarted = await restarting;
    assert.equal(restarted.status, 0, restarted.stderr);
    assert.notEqual(pid(), before);
    assert.equal(restarted.told.pid, pid());
    assert.equal(identityOf(before), undefined);
    assert.equal((restarted.told.predecessor as { isSaved: boolean }).isSaved, true);
    // The port is closed between two tries of the successor: one request in flight may meet that, a row of them not.
    assert.ok(longest <= 1, `${refused} refused, ${longest} in a row`);

    const now = pid();
    const stopped = await json('stop');
    assert.equal(stopped.status, 0, stopped.stderr);
    assert.equal(stopped.told.state, 'stopped');
    assert.equal(stopped.told.isSaved, true);
    assert.equal(identityOf(now), undefined);
    assert.ok(!existsSync(pidFile));
    assert.equal((await run('status')).status, 3);
    const stoppedAgain = await run('stop');
    assert.equal(stoppedAgain.status, 0);
    assert.equal(stoppedAgain.stdout, 'not running\n');
  });

  test('a start that fails shows the end of the log and leaves no pid file', async (context) => {
    const { run, pidFile, port, logFile } = await daemon(context);
    const squatter = createServer().listen(port, '127.0.0.1');
    await once(squatter, 'listening');
    context.after(() => squatter.close());
    const { status, stdout, stderr } = await run('start');
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^The tracker did not start: it ended with code 1\. The end of its log/);
    assert.ok(stderr.includes(logFile));
    assert.match(stderr, new RegExp(`error: cannot listen on port ${port}`));
    assert.ok(!existsSync(pidFile));
  });

  test('a wrong variable is told before anything is started', async (context) => {
    const { run, pidFile, logFile } = await daemon(context, { PEER_TTL: '0' });
    const { status, stderr } = await run('start');
    assert.equal(status, 1);
    assert.match(stderr, /^PEER_TTL=0: /);
    assert.ok(!existsSync(pidFile) && !existsSync(logFile));
    assert.equal((await run('status')).status, 3, 'how it is can be asked all the same');
  });

  test('a restart that fails leaves the old tracker as it was', async (context) => {
    const { run, pid, url, pidFile, logFile } = await daemon(context);
    assert.equal((await run('start')).status, 0);
    const before = pid();
    // A documentation address is none of this machine's, which only the new process finds out.
    const env = { HOST: '192.0.2.1', PORT: new URL(url).port };
    const failed = await trakx(['restart', '--pid-file', pidFile, '--log-file', logFile], env);
    assert.equal(failed.status, 1);
    assert.match(failed.stderr, new RegExp(`cannot listen.*The old one runs on: process ${before}`, 's'));
    assert.equal(pid(), before);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    assert.equal((await run('stop')).status, 0);
  });

  test('a tracker that logs errors only is started and stopped all the same', async (context) => {
    const { json, logFile } = await daemon(context, { LOG_LEVEL: 'error' });
    assert.equal((await json('start')).told.state, 'started');
    const stopped = await json('stop');
    assert.equal(stopped.status, 0);
    assert.equal(stopped.told.state, 'stopped');
    assert.equal(readFileSync(logFile, 'utf8'), '');
  });

  test('a stop that takes too long is told, and ends it only when asked to', async (context) => {
    // A store that takes connections and says nothing: the tracker tries to save for 25 s.
    const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    context.after(() => silent.close());
    const { port: storePort } = silent.address() as { port: number };
    const { run, json, pid, url } = await daemon(context, {
      STORE_URL: 's3://bucket/prefix',
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${storePort}`,
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'y',
    });
    assert.equal((await run('start')).status, 0);
    assert.equal((await fetch(`${url}/${announce}`)).status, 200);
    const running = pid();
    const slow = await run('stop', '--timeout', '1');
    assert.equal(slow.status, 1);
    assert.match(slow.stderr, /still runs after 1 s\. .*stopping.*--kill/s);
    assert.notEqual(identityOf(running), undefined);
    const killed = await json('stop', '--timeout', '1', '--kill');
    assert.equal(killed.status, 0);
    assert.equal(killed.told.isKilled, true);
    assert.equal(identityOf(running), undefined);
  });

  test('a killed tracker is known to be dead, and the next start takes its place', async (context) => {
    const { run, json, pid } = await daemon(context);
    assert.equal((await run('start')).status, 0);
    const killed = pid();
    process.kill(killed, 'SIGKILL');
    while (identityOf(killed) !== undefined) await pause(10);
    const dead = await json('status');
    assert.equal(dead.status, 1);
    assert.equal(dead.told.state, 'dead');
    assert.equal(dead.told.stalePid, killed);
    const { status, stderr } = await run('start');
    assert.equal(status, 0, stderr);
    assert.match(stderr, /is a left-over: it names process \d+/);
    assert.notEqual(pid(), killed);
    assert.equal((await run('stop')).status, 0);
  });

  test('a number that another program has by now is never sent a signal', async (context) => {
    const { run, pidFile, logFile } = await daemon(context);
    const stranger = spawn(
      process.execPath,
      [
        '--eval',
        "process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1e3); console.log('up')",
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    await once(stranger.stdout, 'data');
    context.after(() => stranger.kill('SIGKILL'));
    const record = {
      identity: 'linux 0 1',
      state: 'running',
      url: 'http://127.0.0.1:1',
      logFile,
      startedAt: 1,
    };
    mkdirSync(dirname(pidFile), { recursive: true });
    for (const content of [
      `${stranger.pid}\n${JSON.stringify(record)}\n`,
      `${stranger.pid}\n`,
      'nonsense\n',
    ]) {
      writeFileSync(pidFile, content);
      assert.equal((await run('status')).status, 1);
      const { status, stdout } = await run('stop');
      assert.equal(status, 0);
      assert.equal(stdout, 'not running\n');
      assert.ok(!existsSync(pidFile));
    }
    assert.equal(stranger.exitCode, null);
    assert.notEqual(identityOf(stranger.pid!), undefined);
  });

  test('of several starts at once one starts a tracker', async (context) => {
    const { run, json } = await daemon(context);
    const outcomes = await Promise.all([run('start'), run('start'), run('start')]);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), [0, 1, 1]);
    assert.equal((await json('status')).told.state, 'running');
    assert.equal((await run('stop')).status, 0);
  });

  test('a tracker that was started otherwise is seen by status, and left alone by stop', async (context) => {
    const first = await daemon(context);
    assert.equal((await first.run('start')).status, 0);
    const elsewhere = join(temporaryFolder(context), 'other.pid');
    const env = { PORT: String(first.port), HOST: '127.0.0.1' };
    const seen = await trakx(['status', '--pid-file', elsewhere, '--json'], env);
    assert.equal(seen.status, 0);
    assert.equal(JSON.parse(seen.stdout).isOurs, false);
    const stop = await trakx(['stop', '--pid-file', elsewhere], env);
    assert.equal(stop.status, 1);
    assert.match(stop.stderr, /stop it where it was started/);
    assert.equal((await first.run('stop')).status, 0);
  });
});
