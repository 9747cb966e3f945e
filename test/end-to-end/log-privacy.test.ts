import assert from 'node:assert/strict';
import { it } from 'node:test';
import { announceQuery, escaped, hashOf } from '../builders/requests.ts';
import { startTracker, temporaryFolder } from '../builders/tracker-process.ts';
import { startGatedStore } from './gated-store.ts';
import { announce, ask, isReady } from './tracker-requests.ts';
import { waitUntil } from './wait-until.ts';

const TOKEN = 'a-secret-token-for-this-test-alone';

/** Every way in which one might print the addresses: as text, as bytes in hex, as a list of numbers. */
const FORBIDDEN = [
  /127\.77\.0\.\d/, // clients that come directly
  /203\.0\.113\.\d/, // clients named by a proxy
  /2001:0?db8/i,
  /7f4d000|cb00710|20010db8/i,
  /127,\s*77,\s*0,|203,\s*0,\s*113,|32,\s*1,\s*13,\s*184/,
];

it('at LOG_LEVEL=debug neither an address of a peer nor a secret is in the log', async (context) => {
  const store = await startGatedStore(context);
  const folder = temporaryFolder(context);
  const output: string[] = [];
  for (const environment of [{}, { TRUST_PROXY: '1' }, {}, { TRUST_PROXY: '0', ...store.environment }]) {
    const tracker = await startTracker(context, {
      environment: { STORE_URL: `file:${folder}`, LOG_LEVEL: 'debug', ADMIN_TOKEN: TOKEN, ...environment },
    });
    await waitUntil(
      'the tracker is ready',
      () => isReady(tracker),
      () => JSON.stringify(tracker.log),
    );
    for (const from of ['127.77.0.1', '127.77.0.2']) {
      for (const forwarded of [
        undefined,
        '203.0.113.7',
        '2001:db8::7',
        '9.9.9.9, 203.0.113.8',
        '203.0.113.7:1,x',
      ]) {
        const headers: Record<string, string> =
          forwarded === undefined ? {} : { 'X-Forwarded-For': forwarded };
        const options = { from, headers };
        await announce(tracker, {}, options);
        await announce(tracker, { left: 5, event: 'completed', ip: '203.0.113.9' }, options);
        await announce(tracker, { port: 'none' }, options);
        await announce(tracker, { event: 'stopped' }, options);
        await announce(tracker, {}, options);
        for (const path of [
          '/',
          '/stats',
          '/stats.json',
          '/nowhere',
          `/scrape?info_hash=${escaped(hashOf(1))}`,
        ]) {
          await ask(tracker, path, options);
        }
        await ask(tracker, '/admin/bans', {
          ...options,
          headers: { ...headers, Authorization: 'Bearer wrong' },
        });
        await ask(tracker, `/announce?${announceQuery()}`, { ...options, method: 'POST' });
        const authorized = {
          ...headers,
          Authorization: `Bearer ${TOKEN}`,
          'Content-Type': 'application/json',
        };
        const hash = Buffer.from(hashOf(0xba)).toString('hex');
        await ask(tracker, `/admin/bans/${hash}`, {
          ...options,
          method: 'PUT',
          headers: authorized,
          body: '{"reason":"a test"}',
        });
      }
    }
    await tracker.save();
    assert.deepEqual(await tracker.stop(), { code: 0, signal: null });
    output.push(...tracker.log.map((line) => JSON.stringify(line)));
  }

  assert.ok(output.length > 0);
  for (const line of output) {
    for (const pattern of FORBIDDEN) assert.doesNotMatch(line, pattern);
    assert.ok(!line.includes(TOKEN), line);
    assert.ok(!line.includes(store.environment.AWS_SECRET_ACCESS_KEY!), line);
  }
});
