import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { formatAddress } from '../../src/protocol/address.ts';
import { announceQuery, hashOf, rawRequest, scrapeQuery } from '../builders/requests.ts';
import { type RunningServer, startServer } from '../builders/server.ts';
import { type Need, needing } from '../needs.ts';
import { announce, ask, failureReason, success } from './ask.ts';
import { Connection } from './connection.ts';

const ipv6: Need = {
  what: 'an IPv6 loopback',
  isMet: () =>
    Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1')),
  debianPackages: [],
  isRootNeeded: false,
};

const behind = (trustProxy: number | undefined) => startServer({ settings: { trustProxy } });

/** The address the server sees in a request with these header lines. */
async function seen(server: RunningServer, ...headerLines: string[]): Promise<string> {
  const response = await ask(server, `/announce?${announceQuery()}`, { headerLines });
  return formatAddress(success(response)['external ip']);
}

async function assertUnknown(server: RunningServer, ...headerLines: string[]): Promise<void> {
  const response = await ask(server, `/announce?${announceQuery()}`, { headerLines });
  assert.match(failureReason(response), /^cannot determine client address: /, headerLines.join());
}

const xff = (value: string): string => `X-Forwarded-For: ${value}`;

describe('E. client address', () => {
  it('E1: without a proxy the header is ignored', async () => {
    await using server = await behind(0);
    assert.equal(await seen(server, xff('9.9.9.9')), '127.0.0.1');
  });

  it('E1: with TRUST_PROXY unset, the header from a private address is refused and the log says what to set', async () => {
    await using server = await behind(undefined);
    await assertUnknown(server, xff('9.9.9.9, 8.8.8.8'));
    assert.equal(await seen(server), '127.0.0.1');
    const [line, ...others] = server.log.lines;
    assert.deepEqual(others, []);
    assert.equal(line?.level, 'warn');
    assert.match(line.message, /TRUST_PROXY is not set.*had 2 entries: set TRUST_PROXY=2/);
    assert.equal(server.table.totals.peers, 1);
    assert.equal(server.counters.refusedAddress, 1);
  });

  it('E2 to E5: the entry at the place of the trusted proxies counts, whatever stands left of it', async () => {
    const lists: readonly (readonly [number, string, string])[] = [
      [1, '203.0.113.7', '203.0.113.7'],
      [1, '9.9.9.9, 203.0.113.7', '203.0.113.7'],
      [1, '9.9.9.9,8.8.8.8 ,  203.0.113.7', '203.0.113.7'],
      [1, 'nonsense, , 203.0.113.7', '203.0.113.7'],
      [1, `${'9.9.9.9,'.repeat(500)}203.0.113.7`, '203.0.113.7'],
      [2, '6.6.6.6, 203.0.113.7, 198.51.100.1', '203.0.113.7'],
      [2, '203.0.113.7, 198.51.100.1', '203.0.113.7'],
      [3, '1.1.1.1, 203.0.113.7, 198.51.100.1, 198.51.100.2', '203.0.113.7'],
    ];
    for (const [hops, list, client] of lists) {
      await using server = await behind(hops);
      assert.equal(await seen(server, xff(list)), client, list);
    }
  });

  it('E6, E7: too few entries, or no header, is no address, and never the proxy', async () => {
    await using one = await behind(1);
    await assertUnknown(one);
    await using two = await behind(2);
    await assertUnknown(two);
    await assertUnknown(two, xff('203.0.113.7'));
    assert.equal(two.table.totals.peers, 0);
  });

  it('E8, E10: an entry that is no address', async () => {
    await using server = await behind(1);
    const wrong = ['unknown', '', '_hidden', '999.1.1.1', '01.2.3.4', 'fe80::1%eth0', '[fe80::1%eth0]:80'];
    for (const entry of [...wrong, '203.0.113.7:', '203.0.113.7:123456', '[203.0.113.7]', '203.0.113.7 x']) {
      await assertUnknown(server, xff(`203.0.113.7, ${entry}`));
    }
  });

  it('E9, E11: ports and brackets are taken off, mapped addresses are IPv4', async () => {
    await using server = await behind(1);
    const forms: readonly (readonly [string, string])[] = [
      ['203.0.113.7:51234', '203.0.113.7'],
      ['[2001:db8::1]:443', '2001:db8::1'],
      ['[2001:db8::1]', '2001:db8::1'],
      ['2001:db8::1', '2001:db8::1'],
      ['::ffff:203.0.113.7', '203.0.113.7'],
      ['::FFFF:CB00:7107', '203.0.113.7'],
      ['[::ffff:203.0.113.7]:80', '203.0.113.7'],
    ];
    for (const [entry, client] of forms) assert.equal(await seen(server, xff(entry)), client, entry);
  });

  it('E12, E13: several lines are one list in their order', async () => {
    await using server = await behind(1);
    assert.equal(await seen(server, xff('9.9.9.9'), xff('8.8.8.8, 203.0.113.7')), '203.0.113.7');
    assert.equal(
      await seen(server, xff('9.9.9.9, 8.8.8.8'), 'X-Other: 1', xff('203.0.113.7')),
      '203.0.113.7',
    );
  });

  it('E14: no other header is believed', async () => {
    const others = ['Forwarded: for=9.9.9.9', 'X-Real-IP: 9.9.9.9', 'CF-Connecting-IP: 9.9.9.9'];
    await using direct = await behind(0);
    assert.equal(await seen(direct, ...others), '127.0.0.1');
    await using server = await behind(1);
    await assertUnknown(server, ...others);
    assert.equal(await seen(server, ...others, xff('203.0.113.7')), '203.0.113.7');
  });

  it(
    'E15: an IPv4 client of a listener for both families is IPv4',
    needing(import.meta.url, [ipv6]),
    async () => {
      await using server = await startServer({ host: '::' });
      assert.equal(await seen(server), '127.0.0.1');
    },
  );

  it('E16: the address is looked at anew in each request of a connection', async () => {
    await using server = await behind(1);
    using connection = await Connection.open(server.port);
    for (const client of ['203.0.113.7', '2001:db8::1', '203.0.113.8']) {
      connection.send(rawRequest(`/announce?${announceQuery()}`, [xff(client)]));
      assert.equal(formatAddress(success((await connection.response())!)['external ip']), client);
    }
    assert.equal(server.table.totals.peers, 3);
  });

  const refused = ['0.1.2.3', '10.0.0.1', '100.64.0.1', '127.0.0.1', '169.254.1.1', '172.31.255.255'];
  refused.push('192.168.1.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255');
  refused.push('::', '::1', 'fc00::1', 'fdff::1', 'fe80::1', 'febf::1', 'ff02::1', '::ffff:10.0.0.1');
  const taken = [
    '1.0.0.1',
    '100.128.0.1',
    '172.32.0.1',
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '223.1.1.1',
  ];
  taken.push('::2', '2001:db8::1', 'fec0::1', '64:ff9b::1');

  it('E17: private and reserved addresses are no peers behind a proxy', async () => {
    await using server = await behind(1);
    for (const address of refused) await assertUnknown(server, xff(address));
    for (const address of taken) assert.equal(await seen(server, xff(address)), address);
    assert.equal(server.table.totals.peers, taken.length);
  });

  it('E17: unless ALLOW_PRIVATE_PEERS says so, or the tracker is reached directly', async () => {
    await using allowed = await startServer({ settings: { trustProxy: 1, allowPrivatePeers: true } });
    assert.equal(await seen(allowed, xff('10.0.0.1')), '10.0.0.1');
    for (const trustProxy of [0, undefined]) {
      await using direct = await behind(trustProxy);
      assert.equal(await seen(direct), '127.0.0.1');
      await using strict = await startServer({ settings: { trustProxy, allowPrivatePeers: false } });
      await assertUnknown(strict);
    }
  });

  it('only announces need an address', async () => {
    for (const [trustProxy, headerLines] of [
      [1, []],
      [undefined, [xff('9.9.9.9')]],
    ] as const) {
      await using server = await behind(trustProxy);
      const { body } = await ask(server, `/scrape?${scrapeQuery(hashOf(1))}`, { headerLines });
      assert.match(body.toString('latin1'), /^d5:files/);
    }
  });

  it('the request is looked at before the address, and the address before access', async () => {
    await using server = await startServer({
      settings: { trustProxy: 1 },
      access: { verdict: () => 1 },
    });
    const wrongPort = await ask(server, `/announce?${announceQuery({ port: 0 })}`);
    assert.match(failureReason(wrongPort), /^invalid port/);
    await assertUnknown(server);
    await assertUnknown(server, xff('10.0.0.1'));
    const banned = await ask(server, `/announce?${announceQuery()}`, { via: '203.0.113.7' });
    assert.match(failureReason(banned), /^torrent not allowed/);
  });

  it('no address is ever logged', async () => {
    await using server = await behind(undefined);
    await assertUnknown(server, xff('9.9.9.9'), 'CF-Ray: 1-AMS', 'CF-Connecting-IP: 9.9.9.9');
    await announce(server, {}, { from: '127.0.0.9' });
    assert.ok(server.log.lines.length > 0);
    assert.doesNotMatch(JSON.stringify([server.log.lines, server.warnings.warnings]), /9\.9\.9\.9|127\.0\./);
  });
});
