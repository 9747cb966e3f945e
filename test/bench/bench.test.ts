import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import test, { describe } from 'node:test';
import { median } from '../../bench/announce-cost.ts';
import { announceRequest, type Crowd, escapedHash, infoHash, mixedAddressOf } from '../../bench/mix.ts';
import { hasProgram, missingMachinery } from '../../bench/processes.ts';
import { parseAddress } from '../../src/protocol/address.ts';
import { parseAnnounceRequest } from '../../src/protocol/announce-request.ts';
import { ClientError } from '../../src/protocol/client-error.ts';
import { temporaryFolder } from '../builders/tracker-process.ts';
import { waitUntil } from '../end-to-end/wait-until.ts';

const crowd: Crowd = { name: 'test', swarms: 3, peersPerSwarm: 400 };

describe('the announces of the benchmarks', () => {
  test('are whole ones that the tracker understands, of peers that differ in each swarm', () => {
    for (let swarm = 0; swarm < crowd.swarms; swarm++) {
      const endpoints = new Set<string>();
      let seeders = 0;
      for (let place = 0; place < crowd.peersPerSwarm; place++) {
        const peer = swarm * crowd.peersPerSwarm + place;
        const request = announceRequest(escapedHash(infoHash(crowd, swarm)), peer, { isForwarded: true });
        assert.ok(request.endsWith('\r\n\r\n'));
        const query = Buffer.from(/^GET \/announce\?(\S+) HTTP\/1\.1\r\n/.exec(request)![1]!, 'latin1');
        const parsed = parseAnnounceRequest(query, 0, query.length);
        assert.ok(!(parsed instanceof ClientError), request);
        assert.deepEqual(Buffer.from(parsed.infoHash), infoHash(crowd, swarm));
        const address = /\r\nX-Forwarded-For: (\S+)\r\n/.exec(request)![1]!;
        assert.ok(parseAddress(address));
        endpoints.add(`${address} ${parsed.port}`);
        if (parsed.left === 'zero') seeders += 1;
      }
      assert.equal(endpoints.size, crowd.peersPerSwarm);
      assert.equal(seeders, crowd.peersPerSwarm / 2);
    }
  });

  test('differ by port alone where no address can be named, and ask for one answer where they should', () => {
    const request = announceRequest('x'.repeat(20), 61_000, { isForwarded: false, isFresh: true });
    assert.match(request, /&port=2024&/);
    assert.doesNotMatch(request, /X-Forwarded-For/);
    assert.match(request, /\r\nConnection: close\r\n\r\n$/);
  });
});

test('with mixed addresses half of the seeders and half of the leechers come over IPv6, and all differ', () => {
  const addresses = Array.from({ length: 40_000 }, (_, peer) => mixedAddressOf(peer));
  assert.equal(new Set(addresses).size, addresses.length);
  for (const role of [0, 1]) {
    const ofRole = addresses.filter((_, peer) => peer % 2 === role);
    const overIpv6 = ofRole.filter((address) => parseAddress(address)?.length === 16);
    const overIpv4 = ofRole.filter((address) => parseAddress(address)?.length === 4);
    assert.equal(overIpv6.length, ofRole.length / 2);
    assert.equal(overIpv4.length, ofRole.length / 2);
  }
});

test('the median of an even number of rounds lies between the two in the middle', () => {
  assert.equal(median([9, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 100]), 3);
});

describe('the processes of the benchmarks', () => {
  for (const ending of [
    'process.exit(3)',
    "throw new Error('planted')",
    "process.kill(process.pid, 'SIGTERM')",
    "process.kill(process.pid, 'SIGINT')",
    "child.signal('SIGSTOP'); process.kill(process.pid, 'SIGINT')",
    ...(hasProgram('setpriv') ? ["process.kill(process.pid, 'SIGKILL')"] : []),
  ]) {
    test(`end with it: ${ending}`, { skip: missingMachinery() ?? false }, async () => {
      const source = `
        import { settleHere, startProcess } from ${JSON.stringify(new URL('../../bench/processes.ts', import.meta.url).href)};
        settleHere();
        const child = startProcess(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { core: 0 });
        process.stdout.write(String(child.pid), () => { ${ending} });
        setInterval(() => {}, 1000);`;
      const bench = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let pid = '';
      bench.stdout.setEncoding('utf8').on('data', (text) => {
        pid += text;
      });
      const [code] = await once(bench, 'close');
      assert.notEqual(code, 0);
      assert.ok(Number(pid) > 1, pid);
      await waitUntil('the child is gone', () => !existsSync(`/proc/${pid}`));
    });
  }
});

test('a small run restores what it saved, writes what it found, and leaves nothing behind', {
  skip: missingMachinery() ?? false,
}, async (context) => {
  const folder = temporaryFolder(context);
  const words = ['--quick', '--sections', 'restore', '--scale', '0.02', '--results', join(folder, 'results')];
  const bench = spawn(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...words], {
    env: { ...process.env, TRACKER_MAIN: 'src/main.ts', TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [bench.stdout, bench.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const [code] = await once(bench, 'close');
  assert.equal(code, 0, output);
  const results = readdirSync(join(folder, 'results'));
  assert.deepEqual(results.map((name) => extname(name)).sort(), ['.html', '.json', '.md']);
  const json = results.find((name) => name.endsWith('.json'))!;
  const { restore } = JSON.parse(readFileSync(join(folder, 'results', json), 'utf8'));
  assert.equal(restore.rows[0].peers, 800);
  assert.ok(restore.rows[0].restarts[0].readyMs > 0);
  assert.ok(restore.mainToListeningMs[0] > 0);
  const left = readdirSync(folder).filter((name) => name.startsWith('trakx-'));
  assert.deepEqual(left, []);
});
