import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientAddresses } from '../../src/http/client-address.ts';
import { ProxyWarnings, WINDOW_ANNOUNCES } from '../../src/http/proxy-warnings.ts';
import { memoryLog } from '../builders/log.ts';
import { seededRandom } from '../builders/random.ts';
import { announceQuery } from '../builders/requests.ts';
import { type RunningServer, startServer } from '../builders/server.ts';
import { ask } from '../wire/ask.ts';

async function announceWith(server: RunningServer, ...headerLines: string[]): Promise<void> {
  await ask(server, `/announce?${announceQuery()}`, { headerLines });
}

const behind = (trustProxy: number | undefined): Promise<RunningServer> =>
  startServer({ settings: { trustProxy } });

/** The one warning there is, logged once. */
function onlyWarning(server: RunningServer): string {
  assert.equal(server.warnings.warnings.length, 1);
  assert.deepEqual(
    server.log.lines.map(({ level, message }) => [level, message]),
    [['warn', server.warnings.warnings[0]]],
  );
  return server.warnings.warnings[0]!;
}

describe('a warning about the proxy', () => {
  it('is not given where there is nothing to warn of', async () => {
    await using direct = await behind(0);
    await announceWith(direct);
    await using proxied = await behind(1);
    await announceWith(proxied, 'X-Forwarded-For: 9.9.9.9, 203.0.113.7');
    for (const server of [direct, proxied]) {
      assert.deepEqual(server.warnings.warnings, []);
      assert.deepEqual(server.log.lines, []);
    }
  });

  it('is given once for X-Forwarded-For from a private address while TRUST_PROXY=0', async () => {
    await using server = await behind(0);
    for (let time = 0; time < 3; time++) await announceWith(server, 'X-Forwarded-For: 203.0.113.7');
    assert.match(onlyWarning(server), /TRUST_PROXY=0 .* had 1 entry: set TRUST_PROXY=1 /);
    assert.deepEqual(server.log.lines[0]?.fields, { forwardedEntries: 1 });
  });

  it('is given while TRUST_PROXY is unset, and again for fewer entries, which clients cannot bring about', async () => {
    await using server = await behind(undefined);
    await announceWith(server, 'X-Forwarded-For: 1.1.1.1, 2.2.2.2, 203.0.113.7');
    await announceWith(server, 'X-Forwarded-For: 203.0.113.7');
    await announceWith(server, 'X-Forwarded-For: 1.1.1.1, 203.0.113.7');
    assert.deepEqual(
      server.log.lines.map(({ fields }) => fields?.forwardedEntries),
      [3, 1],
    );
    assert.equal(server.warnings.warnings.length, 1);
    assert.match(server.warnings.warnings[0]!, /had 1 entry: set TRUST_PROXY=1 /);
  });

  it('comes of announces alone: who looks at a page announces nothing', () => {
    for (const trustProxy of [undefined, 0]) {
      const log = memoryLog();
      const warnings = new ProxyWarnings({ trustProxy, log });
      const addresses = new ClientAddresses({ trustProxy, warnings });
      const request = [
        { address: Uint8Array.of(127, 0, 0, 1) },
        {
          forwardedFor: () => '203.0.113.7',
          forwardedIpv4: () => undefined,
          hasCfRay: true,
          cfConnectingIp: () => undefined,
        },
      ] as const;
      addresses.addressOf(...request);
      assert.deepEqual([warnings.warnings, log.lines], [[], []]);
      addresses.of(...request);
      assert.equal(warnings.warnings.length, 2);
    }
  });

  describe('for CF-Ray with too few hops', () => {
    const cloudflare = ['CF-Ray: 8f0-AMS', 'CF-Connecting-IP: 203.0.113.7'];

    it('is given when the address found is not the one Cloudflare names', async () => {
      await using server = await behind(1);
      for (let time = 0; time < 2; time++) {
        await announceWith(server, ...cloudflare, 'X-Forwarded-For: 203.0.113.7, 198.51.100.1');
      }
      assert.match(onlyWarning(server), /TRUST_PROXY=1 is too few .*set TRUST_PROXY=2 if Cloudflare/);
    });

    it('is given when no proxy is counted at all', async () => {
      await using server = await behind(0);
      await announceWith(server, ...cloudflare);
      assert.match(onlyWarning(server), /TRUST_PROXY=0 is too few .*set TRUST_PROXY=1 if Cloudflare/);
    });

    it('is given without the header that names the client, by the number of entries', async () => {
      await using server = await behind(1);
      await announceWith(server, cloudflare[0]!, 'X-Forwarded-For: 203.0.113.7, 198.51.100.1');
      assert.match(onlyWarning(server), /set TRUST_PROXY=2 if Cloudflare/);
    });

    it('is not given when the hops are right, whatever the client put in front', async () => {
      await using two = await behind(2);
      await announceWith(two, ...cloudflare, 'X-Forwarded-For: 203.0.113.7, 198.51.100.1');
      await using one = await behind(1);
      await announceWith(one, ...cloudflare, 'X-Forwarded-For: 9.9.9.9, 203.0.113.7');
      await announceWith(one, cloudflare[0]!, 'X-Forwarded-For: 203.0.113.7');
      assert.deepEqual([...two.log.lines, ...one.log.lines], []);
    });
  });

  describe('for nearly all announces from one address', () => {
    /** Warnings after a window in which `share` announces came from one address, mixed with all others. */
    function warningsAfter(share: number): readonly string[] {
      const log = memoryLog();
      const warnings = new ProxyWarnings({ trustProxy: undefined, log });
      const random = seededRandom(share + 1);
      const others = Array.from({ length: WINDOW_ANNOUNCES - share }, (_, index) =>
        Uint8Array.of(203, 0, index >> 8, index & 255),
      );
      let same = share;
      while (same + others.length > 0) {
        const takesSame = random() % (same + others.length) < same;
        if (takesSame) same -= 1;
        warnings.heardFrom(takesSame ? Uint8Array.of(172, 17, 0, 1) : others.pop()!);
      }
      assert.equal(log.lines.length, warnings.warnings.length);
      return warnings.warnings;
    }

    it('is given from 950 in a thousand on, and not below', () => {
      assert.match(warningsAfter(1_000)[0]!, /^Nearly all of the last 1000 announces came from one address/);
      for (const share of [999, 970, 950]) assert.equal(warningsAfter(share).length, 1, String(share));
      for (const share of [0, 10, 500, 800, 940]) assert.deepEqual(warningsAfter(share), [], String(share));
    });

    it('is given once, however long it goes on, and not before the thousandth', () => {
      const log = memoryLog();
      const warnings = new ProxyWarnings({ trustProxy: 1, log });
      for (let count = 1; count < WINDOW_ANNOUNCES; count++) warnings.heardFrom(Uint8Array.of(172, 17, 0, 1));
      assert.equal(log.lines.length, 0);
      for (let count = 0; count < 5_000; count++) warnings.heardFrom(Uint8Array.of(172, 17, 0, 1));
      assert.equal(log.lines.length, 1);
      assert.doesNotMatch(log.lines[0]!.message, /172/);
    });

    it('is given for what comes over the wire', async () => {
      await using server = await behind(0);
      for (let count = 0; count < WINDOW_ANNOUNCES; count++) {
        await announceWith(server);
      }
      assert.match(onlyWarning(server), /^Nearly all/);
    });
  });
});
