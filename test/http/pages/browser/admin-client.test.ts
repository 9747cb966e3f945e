import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { AdminClient, tokenProblem } from '../../../../src/http/pages/browser/admin-client.js';

/** The browser's storage of a tab, with a token in it. */
function keepInTab(context: TestContext, token: string): void {
  const kept = new Map([['trakx-admin-token', token]]);
  const sessionStorage = { getItem: (name: string) => kept.get(name) ?? null };
  Object.defineProperty(globalThis, 'sessionStorage', { value: sessionStorage, configurable: true });
  context.after(() => Reflect.deleteProperty(globalThis, 'sessionStorage'));
}

describe('the admin page’s client', () => {
  it('tells a token that may be right from one that cannot be', () => {
    assert.equal(tokenProblem('a-token.of~24_characters!'), '');
    for (const wrong of ['', 'two words', 'tok\u200ben', '“token”', 'tökentökentökentökentöken', 'to\nken'])
      assert.match(tokenProblem(wrong), /cannot be the token: .* Allowed are/, JSON.stringify(wrong));
  });

  it('gives an answer even where a kept token cannot be sent', async (context) => {
    keepInTab(context, '“token”');
    const { status, body } = await new AdminClient().ask('GET', 'status');
    assert.deepEqual([status, body], [0, { error: 'The tracker did not answer.' }]);
  });

  it('sends the token, and gives what was answered', async (context) => {
    keepInTab(context, 'a-token');
    const sent: (string | null)[] = [];
    context.mock.method(globalThis, 'fetch', async (path: string, { headers }: { headers: Headers }) => {
      sent.push(path, headers.get('authorization'));
      return Response.json({ error: 'later' }, { status: 429, headers: { 'Retry-After': '7' } });
    });
    const answer = await new AdminClient().ask('GET', 'status');
    assert.deepEqual(sent, ['/admin/status', 'Bearer a-token']);
    assert.deepEqual(answer, { status: 429, body: { error: 'later' }, retrySeconds: 7 });
  });
});
