import assert from 'node:assert/strict';
import test from 'node:test';
import { healthRoutes } from '../../../src/http/stats/health-routes.ts';
import { serve } from '../page-server.ts';

test('/healthz and /heartbeat are green while the restore is still waiting', async (context) => {
  const ask = await serve(
    context,
    healthRoutes(() => ({ isSettled: false, explanation: 'the store is down' })),
  );
  for (const path of ['/healthz', '/heartbeat']) {
    const { status, text } = await ask(path);
    assert.equal(status, 200, path);
    assert.ok(text.length > 0 && text.length < 20);
  }
});

test('/readyz is 503 and says why until the restore has settled, then 200', async (context) => {
  let isSettled = false;
  const ask = await serve(
    context,
    healthRoutes(() => ({ isSettled, explanation: 'the store refused the key' })),
  );
  const before = await ask('/readyz');
  assert.equal(before.status, 503);
  assert.match(before.text, /the store refused the key/);
  isSettled = true;
  assert.equal((await ask('/readyz')).status, 200);
});

test('health answers HEAD and refuses POST', async (context) => {
  const ask = await serve(
    context,
    healthRoutes(() => ({ isSettled: true, explanation: '' })),
  );
  assert.equal((await ask('/healthz', {}, 'HEAD')).status, 200);
  assert.equal((await ask('/healthz', {}, 'POST')).status, 405);
});
