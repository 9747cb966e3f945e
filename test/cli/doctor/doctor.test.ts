import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { after, before, describe, type TestContext } from 'node:test';
import { FORGED_ADDRESS } from '../../../src/cli/doctor/announce-probe.ts';
import type { Finding } from '../../../src/cli/doctor/finding.ts';
import {
  checkMachine,
  NODE_MAJOR_END,
  NODE_MIN,
  nodeFinding,
} from '../../../src/cli/doctor/machine-checks.ts';
import { isConfig, loadConfig } from '../../../src/config/config.ts';
import type { System } from '../../../src/config/system.ts';
import { openStore } from '../../../src/persistence/store/open-store.ts';
import { environmentOf, trakx } from '../../builders/command.ts';
import { type S3Server, startHttpServer, startS3Server } from '../../builders/s3-server.ts';
import { nowSeconds } from '../../builders/store.ts';
import { startTracker, temporaryFolder } from '../../builders/tracker-process.ts';

interface Told {
  readonly status: number | null;
  readonly findings: readonly Finding[];
  /** "state: says" of each finding of this check. */
  of(check: string): readonly string[];
  fix(check: string): string | undefined;
}

/** Nobody listens at PORT 1, so no tracker is found unless the test has one. */
async function doctor(env: Readonly<Record<string, string>>): Promise<Told> {
  const { status, stdout } = await trakx(['doctor', '--json'], { PORT: '1', ...env });
  const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
  for (const { state, fix, check } of findings)
    assert.equal(fix !== undefined, state === 'warning' || state === 'problem', `${check} says what to do`);
  return {
    status,
    findings,
    of: (check) =>
      findings.filter((finding) => finding.check === check).map(({ state, says }) => `${state}: ${says}`),
    fix: (check) => findings.find((finding) => finding.check === check && finding.fix !== undefined)?.fix,
  };
}

const STORE_CHECKS = [
  'store list',
  'STORE_KEY',
  'store put',
  'store get',
  'store look',
  'store delete',
  'store clock',
];

describe('trakx doctor: the store', () => {
  let server: S3Server;
  before(async () => {
    server = await startS3Server();
  });
  after(() => server.close());

  test('a bucket is put to, read, listed and deleted from, and nothing stays in it', async () => {
    const address = server.address();
    const told = await doctor(environmentOf(address));
    assert.equal(told.status, 0);
    for (const check of STORE_CHECKS) assert.match(told.of(check).join(), /^ok: [^,]*$/, check);
    const store = await openStore(address, { nowSeconds });
    assert.deepEqual(await store.list(''), []);
  });

  test('wrong credentials, a missing bucket and an endpoint that nobody listens at: each is told once, with what to do', async () => {
    const env = environmentOf(server.address());
    const wrong = await doctor({ ...env, AWS_ACCESS_KEY_ID: 'NOBODY' });
    assert.equal(wrong.status, 1);
    assert.match(wrong.of('store list').join(), /^problem: .*refuses these credentials/);
    assert.match(wrong.fix('store list') ?? '', /put, get, list and delete/);
    assert.equal(wrong.findings.filter(({ state }) => state === 'problem').length, 1);

    const missing = await doctor({ ...env, STORE_URL: 's3://no-such-bucket/x' });
    assert.match(missing.of('store list').join(), /^problem: .*bucket/);
    assert.match(missing.fix('store list') ?? '', /create the bucket/);

    const nobody = await doctor({ ...env, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' });
    assert.match(nobody.of('store list').join(), /^problem: .*cannot be reached/);
    assert.match(nobody.fix('store list') ?? '', /AWS_ENDPOINT_URL_S3/);
  });

  test('credentials that only read are found out by the put', async (context) => {
    const { endpoint = '' } = server.address();
    const readOnly = await startHttpServer((incoming, outgoing) => {
      if (incoming.method === 'PUT' || incoming.method === 'DELETE') {
        incoming.resume();
        outgoing.writeHead(403, { 'Content-Type': 'application/xml' });
        outgoing.end('<Error><Code>AccessDenied</Code><Message>no</Message></Error>');
        return;
      }
      const { method, headers, url: path } = incoming;
      const url = new URL(endpoint);
      const forwarded = request({ host: url.hostname, port: url.port, method, path, headers }, (reply) => {
        outgoing.writeHead(reply.statusCode ?? 500, reply.headers);
        reply.pipe(outgoing);
      });
      incoming.pipe(forwarded);
    });
    context.after(() => readOnly.close());
    const told = await doctor({
      ...environmentOf(server.address()),
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${readOnly.port}`,
    });
    assert.match(told.of('store list').join(), /^ok/);
    assert.match(told.of('store put').join(), /^problem: .*refuses these credentials/);
    assert.deepEqual(told.of('store get'), []);
  });

  test('a directory that cannot be written is told', async (context) => {
    const file = join(temporaryFolder(context), 'plain-file');
    writeFileSync(file, '');
    const told = await doctor({ STORE_URL: `file:${file}` });
    assert.equal(told.status, 1);
    assert.match(told.of('store list').join(), /^problem: .*plain-file failed/);
  });

  test('a STORE_KEY that does not fit is told, and no object of ours is overwritten', async (context) => {
    const STORE_URL = `file:${temporaryFolder(context)}/data`;
    const added = await trakx(['bans', 'add', '--store', 'aa'.repeat(20)], {
      STORE_URL,
      STORE_KEY: 'ab'.repeat(32),
      PORT: '1',
    });
    assert.equal(added.status, 0, added.stderr);
    const told = await doctor({ STORE_URL, STORE_KEY: 'cd'.repeat(32) });
    assert.equal(told.status, 1);
    assert.match(told.of('STORE_KEY').join(), /^problem: /);
    assert.match(told.fix('STORE_KEY') ?? '', /set STORE_KEY to the key that it was written with/);
    assert.match(
      (await doctor({ STORE_URL, STORE_KEY: 'ab'.repeat(32) })).of('STORE_KEY').join(),
      /^ok: it opens/,
    );
  });
});

describe('trakx doctor: the environment', () => {
  test('every problem of the configuration, and names that are nearly right', async () => {
    const told = await doctor({ PEER_TTL: '0', JOURNAL_SECONDS: 'x', TRUST_PROXI: '1' });
    assert.equal(told.status, 1);
    const lines = told.of('variables').join('\n');
    for (const part of [
      /^problem: PEER_TTL=0: /m,
      /^problem: JOURNAL_SECONDS=x: /m,
      /^warning: TRUST_PROXI .*TRUST_PROXY does/m,
    ])
      assert.match(lines, part);
    assert.match(told.of('the rest').join(), /^skipped/);
  });

  test('a dyno without S3, and https without TRUST_PROXY', async (context) => {
    const STORE_URL = `file:${temporaryFolder(context)}`;
    const dyno = await doctor({ DYNO: 'web.1', STORE_URL });
    assert.equal(dyno.status, 1);
    assert.match(dyno.of('disk').join(), /^problem: .*empties its disk/);
    const unset = await doctor({ PUBLIC_URL: 'https://127.0.0.1:1', STORE_URL });
    assert.match(unset.of('proxies').join(), /^problem: PUBLIC_URL is https.*TRUST_PROXY is not set/);
  });

  test('warnings alone are no failure', async (context) => {
    const told = await doctor({
      STORE_URL: `file:${temporaryFolder(context)}`,
      TRUST_PROXY: '1',
      HOST: '0.0.0.0',
    });
    assert.match(told.of('proxies').join(), /^warning: .*past the proxy/);
    assert.equal(told.status, 0);
  });

  test('one line each for people', async (context) => {
    const { stdout, status } = await trakx(['doctor'], {
      PORT: '1',
      DYNO: 'web.1',
      STORE_URL: `file:${temporaryFolder(context)}`,
    });
    assert.equal(status, 1);
    assert.match(stdout, /^ok {6}node {10}Node v\d+/m);
    assert.match(stdout, /^PROBLEM disk .*\. To do: add an S3 add-on/m);
    assert.match(stdout, /\n\n1 problem, \d+ warnings?\.\n$/);
  });
});

describe('trakx doctor: the machine', () => {
  const system: System = {
    readFile: () => undefined,
    memoryBytes: 512 * 1024 * 1024,
    hasIpv6: true,
    isTerminal: false,
  };
  function findings(
    env: Readonly<Record<string, string>>,
    machine: Partial<System> = {},
  ): Map<string, Finding> {
    const config = loadConfig(env, { ...system, ...machine });
    assert.ok(isConfig(config));
    const checked = {
      config,
      system: { ...system, ...machine },
      nodeVersion: 'v22.1.0',
      nowSeconds: nowSeconds(),
    };
    return new Map(checkMachine(checked).map((finding) => [finding.check, finding]));
  }

  test('knows the versions of Node that package.json names', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.equal(engines.node, `>=${NODE_MIN.join('.')} <${NODE_MAJOR_END}`);
    assert.equal(nodeFinding('v20.18.9').state, 'problem');
    assert.equal(nodeFinding('v20.19.0').state, 'ok');
    assert.equal(nodeFinding('v25.0.0').state, 'warning');
  });

  test('holds MAX_PEERS against the memory limit and names a number that fits', () => {
    assert.equal(findings({}).get('memory')?.state, 'ok');
    const { state, fix = '' } = findings({ MAX_PEERS: '20000000' }).get('memory')!;
    assert.equal(state, 'warning');
    const fitting = /MAX_PEERS=(\d+)/.exec(fix)?.[1] ?? '';
    assert.equal(findings({ MAX_PEERS: fitting }).get('memory')?.state, 'ok');
  });

  test('sees a limit of open files that takes connections away', () => {
    const limits = (files: number) => ({
      readFile: (path: string) =>
        path === '/proc/self/limits' ? `Max open files  ${files}  ${files}  files` : undefined,
    });
    assert.equal(findings({}, limits(1_024)).get('open files')?.state, 'warning');
    assert.equal(findings({}, limits(65_536)).get('open files')?.state, 'ok');
  });

  test('sees a clock that was never set', () => {
    const config = loadConfig({}, system);
    assert.ok(isConfig(config));
    const checked = checkMachine({ config, system, nodeVersion: 'v22.1.0', nowSeconds: 86_400 });
    assert.equal(checked.find(({ check }) => check === 'clock')?.state, 'problem');
  });
});

describe('trakx doctor: the public announce URL', () => {
  /** A proxy on both families that does with X-Forwarded-For what `forwarded` says. */
  async function proxy(
    context: TestContext,
    to: number,
    forwarded: (own: string | undefined, address: string) => string | undefined,
  ): Promise<number> {
    const server = createServer((incoming, outgoing) => {
      const own = incoming.headers['x-forwarded-for'] as string | undefined;
      const value = forwarded(own, incoming.socket.remoteAddress?.replace('::ffff:', '') ?? '');
      const { 'x-forwarded-for': _own, ...headers } = incoming.headers;
      const sent = value === undefined ? headers : { ...headers, 'x-forwarded-for': value };
      const asked = request({ host: '127.0.0.1', port: to, path: incoming.url, headers: sent }, (reply) => {
        outgoing.writeHead(reply.statusCode ?? 500, reply.headers);
        reply.pipe(outgoing);
      });
      incoming.pipe(asked);
    });
    await new Promise<void>((resolve) => server.listen(0, '::', resolve));
    context.after(() => server.closeAllConnections());
    context.after(() => server.close());
    return (server.address() as AddressInfo).port;
  }

  async function tracker(context: TestContext, environment: Readonly<Record<string, string>>) {
    return startTracker(context, { environment: { ALLOW_PRIVATE_PEERS: 'true', ...environment } });
  }

  test('is announced to over IPv4 and over IPv6, and no peer stays', async (context) => {
    const { port, origin } = await tracker(context, { TRUST_PROXY: '0' });
    const env = { PORT: String(port), TRUST_PROXY: '0', STORE_URL: `file:${temporaryFolder(context)}` };
    const four = await doctor({ ...env, PUBLIC_URL: `http://127.0.0.1:${port}` });
    assert.match(
      four.of('public IPv4').join(),
      /^warning: http:\/\/127\.0\.0\.1:\d+\/announce at 127\.0\.0\.1 answers, and takes this machine for 127\.0\.0\.1/,
    );
    assert.match(four.of('public IPv6').join(), /^skipped/);
    assert.match(four.of('proxies IPv4').join(), /^ok/);
    assert.match(four.of('tracker').join(), /^ok: version .* 0 peers in 0 swarms/);
    const six = await doctor({ ...env, PUBLIC_URL: `http://[::1]:${port}` });
    assert.match(six.of('public IPv6').join(), /at ::1 answers, and takes this machine for ::1/);
    assert.match(six.of('public IPv4').join(), /^problem: .*no IPv4 address/);
    const stats = (await (await fetch(`${origin}/stats.json`)).json()) as { peers: number; swarms: number };
    assert.deepEqual([stats.peers, stats.swarms], [0, 0]);
  });

  test('a proxy that hands on what clients claim is found out', async (context) => {
    const { port } = await tracker(context, { TRUST_PROXY: '1' });
    const STORE_URL = `file:${temporaryFolder(context)}`;
    const careless = await proxy(context, port, (own, address) => own ?? address);
    const told = await doctor({ PUBLIC_URL: `http://127.0.0.1:${careless}`, TRUST_PROXY: '1', STORE_URL });
    assert.equal(told.status, 1);
    assert.match(told.of('proxies IPv4').join(), /^problem: clients can announce any address/);
    const careful = await proxy(context, port, (own, address) =>
      own === undefined ? address : `${own}, ${address}`,
    );
    const well = await doctor({ PUBLIC_URL: `http://127.0.0.1:${careful}`, TRUST_PROXY: '1', STORE_URL });
    assert.match(well.of('proxies IPv4').join(), /^ok: /);
    assert.notEqual(FORGED_ADDRESS, '127.0.0.1');
  });

  test('a tracker that was not told of its proxy, and one that was told of too many', async (context) => {
    const STORE_URL = `file:${temporaryFolder(context)}`;
    const untold = await tracker(context, {});
    const before = await proxy(context, untold.port, (own, address) =>
      own === undefined ? address : `${own}, ${address}`,
    );
    const unset = await doctor({
      PUBLIC_URL: `http://127.0.0.1:${before}`,
      PORT: String(untold.port),
      STORE_URL,
    });
    assert.match(unset.of('public IPv4').join(), /^problem: .*TRUST_PROXY/);
    assert.match(
      (await doctor({ PORT: String(untold.port), STORE_URL })).of('tracker').join('\n'),
      /^warning: Announces are refused: .*set TRUST_PROXY=1/m,
    );
    const tooMany = await tracker(context, { TRUST_PROXY: '3' });
    const one = await proxy(context, tooMany.port, (own, address) =>
      own === undefined ? address : `${own}, ${address}`,
    );
    const many = await doctor({ PUBLIC_URL: `http://127.0.0.1:${one}`, TRUST_PROXY: '3', STORE_URL });
    assert.match(many.of('public IPv4').join(), /^problem: .*X-Forwarded-For/);
  });

  test('a tracker that refuses the private address it sees', async (context) => {
    const { port } = await tracker(context, { TRUST_PROXY: '1', ALLOW_PRIVATE_PEERS: 'false' });
    const near = await proxy(context, port, (_own, address) => address);
    const told = await doctor({
      PUBLIC_URL: `http://127.0.0.1:${near}`,
      TRUST_PROXY: '1',
      STORE_URL: `file:${temporaryFolder(context)}`,
    });
    assert.equal(told.status, 1);
    assert.match(told.of('public IPv4').join(), /^problem: .* refuses: ".*private or reserved"$/);
    assert.match(told.fix('public IPv4') ?? '', /set TRUST_PROXY .*\(now 1\)/);
    assert.match(told.of('proxies IPv4').join(), /^skipped: not tried/);
  });

  test('an allow list refuses the announce, so whom the tracker believes is not tried', async (context) => {
    const { port } = await tracker(context, { TRUST_PROXY: '0', ACCESS_MODE: 'allowlist' });
    const told = await doctor({
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      TRUST_PROXY: '0',
      STORE_URL: `file:${temporaryFolder(context)}`,
    });
    assert.match(told.of('public IPv4').join(), /^ok: .* answers: "torrent not allowed/);
    assert.match(told.of('proxies IPv4').join(), /^skipped: not tried/);
  });

  test('every address that no peer on the internet has is told when the tracker sees it', async (context) => {
    const STORE_URL = `file:${temporaryFolder(context)}`;
    for (const [text, bytes] of [
      ['240.0.0.1', [240, 0, 0, 1]],
      ['ff02::1', [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ] as const) {
      const seenAs = Buffer.concat([Buffer.from(`d11:external ip${bytes.length}:`), Buffer.from(bytes)]);
      const reply = Buffer.concat([seenAs, Buffer.from('8:intervali1800e5:peers0:e')]);
      const server = await startHttpServer((_incoming, outgoing) => outgoing.end(reply));
      context.after(() => server.close());
      const told = await doctor({ PUBLIC_URL: `http://127.0.0.1:${server.port}`, STORE_URL });
      assert.ok(told.of('public IPv4').join().endsWith(`takes this machine for ${text}`), text);
      assert.match(told.of('public IPv4').join(), /^warning: /);
    }
  });

  test('what is no tracker, and what is nobody, is told', async (context) => {
    const STORE_URL = `file:${temporaryFolder(context)}`;
    const other = await startHttpServer((_incoming, outgoing) => outgoing.end('<html>'));
    context.after(() => other.close());
    const page = await doctor({
      PUBLIC_URL: `http://127.0.0.1:${other.port}`,
      PORT: String(other.port),
      STORE_URL,
    });
    assert.match(page.of('public IPv4').join(), /^problem: .*no tracker/);
    assert.match(page.of('tracker').join(), /^problem: something else answers/);
    const nobody = await doctor({ PUBLIC_URL: 'http://127.0.0.1:1', STORE_URL });
    assert.match(nobody.of('public IPv4').join(), /^problem: .*nothing listens there/);
  });
});
