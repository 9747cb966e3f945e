import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { fullyEscaped } from '../builders/requests.ts';
import { startTracker, type TrackerProcess, temporaryFolder } from '../builders/tracker-process.ts';
import { type Answer, announce, ask, isReady } from './tracker-requests.ts';
import { waitUntil } from './wait-until.ts';

const ADMIN_TOKEN = 'a-token-of-twenty-four-characters';
const HASH = '0123456789abcdef0123456789abcdef01234567';
const OTHER = 'fedcba9876543210fedcba9876543210fedcba98';

const ESCAPED = fullyEscaped(Buffer.from(HASH, 'hex'));

interface Media {
  readonly schema: object;
}
interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<string, { readonly $ref?: string; readonly content?: Record<string, Media> }>
  >;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly responses: Readonly<Record<string, { content: Record<string, Media> }>> };
}

async function administered(
  context: TestContext,
  environment: Record<string, string> = {},
): Promise<TrackerProcess> {
  const tracker = await startTracker(context, { environment: { ADMIN_TOKEN, ...environment } });
  await waitUntil('the tracker is ready', () => isReady(tracker));
  return tracker;
}

function askAdmin(
  tracker: TrackerProcess,
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return ask(tracker, path, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, ...headers },
    ...(body === undefined ? {} : { body }),
  });
}

describe('the admin API of a running tracker', () => {
  it('answers every operation as its OpenAPI document says', async (context) => {
    const tracker = await administered(context, { BANNED_HASHES: OTHER });
    await announce(tracker, { info_hash: ESCAPED });
    const document = JSON.parse((await ask(tracker, '/admin/openapi.json')).body.toString()) as Document;
    const ajv = new Ajv2020({
      allowUnionTypes: true,
      formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ },
    }).addKeyword('components');
    const heard = new Map<string, Set<number>>();

    const check = async (
      method: string,
      path: string,
      parameter: string,
      options: { body?: string; headers?: Record<string, string>; query?: string } = {},
    ): Promise<number> => {
      const real = `${path.replace('{infoHash}', parameter)}${options.query ?? ''}`;
      const { status, headers, body } = await askAdmin(tracker, method, real, options.body, options.headers);
      const name = `${method} ${path} ${status}`;
      const operation = document.paths[path]?.[method.toLowerCase()];
      const response = operation?.responses[status];
      assert.ok(operation !== undefined && response !== undefined, `${name} is in the document`);
      const named = response.$ref?.split('/').at(-1);
      const content = named === undefined ? response.content : document.components.responses[named]?.content;
      const type = headers['content-type']!.split(';')[0]!;
      const media = content?.[type];
      assert.ok(media !== undefined, `${name} may be ${type}`);
      const value = type === 'application/json' ? JSON.parse(body.toString()) : body.toString();
      const isValid = ajv.compile({ ...media.schema, components: document.components });
      assert.ok(
        isValid(value),
        `${name}: ${ajv.errorsText(isValid.errors)} in ${body.toString().slice(0, 500)}`,
      );
      const statuses = heard.get(operation.operationId) ?? new Set();
      heard.set(operation.operationId, statuses.add(status));
      return status;
    };
    const text = { 'Content-Type': 'text/plain' };

    for (const list of ['bans', 'allowed']) {
      const all = `/admin/${list}`;
      const one = `${all}/{infoHash}`;
      assert.equal(await check('POST', all, '', { body: `{"hashes":["${HASH}"]}` }), 200);
      const query = '?results=yes&reason=x';
      assert.equal(await check('POST', all, '', { body: `x\n${HASH}`, headers: text, query }), 200);
      assert.equal(await check('POST', all, '', { body: 'x', headers: text }), 400);
      assert.equal(await check('GET', all, ''), 200);
      assert.equal(await check('GET', all, '', { query: '?search=0123&limit=1' }), 200);
      assert.equal(await check('GET', all, '', { query: '?limit=0' }), 400);
      assert.equal(await check('PUT', one, HASH, { body: '{"reason":"y"}' }), 200);
      assert.equal(await check('PUT', one, 'x'), 400);
      assert.equal(await check('GET', one, HASH), 200);
      assert.equal(await check('GET', one, 'x'), 400);
      assert.equal(await check('DELETE', one, HASH), 200);
      assert.equal(await check('DELETE', one, HASH), 404);
      assert.equal(await check('GET', one, HASH), 404);
    }
    assert.equal(await check('GET', '/admin/bans/{infoHash}', OTHER), 200);
    assert.equal(await check('DELETE', '/admin/bans/{infoHash}', OTHER), 409);
    await announce(tracker, { info_hash: ESCAPED });
    const swarm = '/admin/swarms/{infoHash}';
    for (const hash of [HASH, OTHER]) assert.equal(await check('GET', swarm, hash), 200);
    assert.equal(await check('DELETE', swarm, HASH), 200);
    assert.equal(await check('DELETE', swarm, HASH), 404);
    assert.equal(await check('DELETE', swarm, 'x'), 400);
    assert.equal(await check('GET', '/admin/status', ''), 200);
    assert.equal(await check('POST', '/admin/snapshot', ''), 200);
    assert.equal(await check('GET', '/admin/status', ''), 200);
    assert.equal(await check('GET', '/admin/', ''), 200);
    assert.equal(await check('GET', '/admin/openapi.json', ''), 200);
    assert.equal(await check('GET', '/admin/status', '', { headers: { Authorization: 'Bearer x' } }), 401);

    const operations = Object.values(document.paths).flatMap((item) =>
      Object.values(item).flatMap(({ operationId }) => operationId ?? []),
    );
    assert.deepEqual([...heard.keys()].sort(), operations.sort(), 'each was asked');
  });

  it('drops a swarm for good: neither a kill nor another tracker on the store brings its peers back', async (context) => {
    const STORE_URL = `file:${temporaryFolder(context)}`;
    const environment = { STORE_URL, JOURNAL_SECONDS: '1', ALLOW_PRIVATE_PEERS: 'yes' };
    const first = await administered(context, environment);
    const second = await administered(context, environment);
    for (const port of [1_001, 1_002, 1_003]) await announce(first, { info_hash: ESCAPED, port });
    const peersOf = async (tracker: TrackerProcess): Promise<number> => {
      const { seeders, leechers } = JSON.parse(
        (await askAdmin(tracker, 'GET', `/admin/swarms/${HASH}`)).body.toString(),
      );
      return seeders + leechers;
    };
    await waitUntil('the second has the peers', async () => (await peersOf(second)) === 3);
    await first.save();
    const dropped = JSON.parse((await askAdmin(first, 'DELETE', `/admin/swarms/${HASH}`)).body.toString());
    assert.equal(dropped.peers, 3);
    await waitUntil('the second has none', async () => (await peersOf(second)) === 0);
    // The second has read it from the journal, so a third one will.
    await Promise.all([first.kill(), second.kill()]);
    const third = await administered(context, environment);
    assert.equal(await peersOf(third), 0);
  });

  it('makes one snapshot of two that are asked for at once', async (context) => {
    const tracker = await administered(context, { ALLOW_PRIVATE_PEERS: 'yes' });
    await announce(tracker, {});
    const [one, two] = await Promise.all([
      askAdmin(tracker, 'POST', '/admin/snapshot'),
      askAdmin(tracker, 'POST', '/admin/snapshot'),
    ]);
    const answers = [one, two].map(({ body }) => JSON.parse(body.toString()));
    assert.ok(answers.some(({ outcome }) => outcome === 'saved'));
    const numbers = new Set(answers.flatMap(({ number }) => number ?? []));
    assert.equal(numbers.size, 1);
    assert.equal(tracker.log.filter(({ message }) => message === 'snapshot saved').length, 1);
  });
});
