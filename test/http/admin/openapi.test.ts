import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { adminOperations } from '../../../src/http/admin/admin-routes.ts';
import { openApiDocument } from '../../../src/http/admin/openapi.ts';
import { startAdminServer } from '../../builders/admin-server.ts';

interface Described {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly security?: readonly unknown[];
}

/** What the document says of each operation, by method and path. */
function described(): Map<string, Described> {
  const operations = new Map<string, Described>();
  for (const [path, item] of Object.entries(openApiDocument().paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (method !== 'parameters') operations.set(`${method.toUpperCase()} ${path}`, operation as Described);
    }
  }
  return operations;
}

describe('the OpenAPI document', () => {
  it('is one of OpenAPI 3.1', async () => {
    const validator = new Validator();
    const result = await validator.validate(
      structuredClone(openApiDocument()) as unknown as Record<string, unknown>,
    );
    assert.deepEqual(result.errors ?? [], []);
    assert.equal(result.valid, true);
    assert.equal(validator.version, '3.1');
  });

  it('would be found wrong if it were', async () => {
    const document = structuredClone(openApiDocument()) as unknown as Record<string, unknown>;
    delete document.info;
    assert.equal((await new Validator().validate(document)).valid, false);
  });

  it('describes every operation with its query, and none that is not there', () => {
    // Their answers are not asked for here, so what they answer from need not be there.
    const served = new Map(
      adminOperations({} as Parameters<typeof adminOperations>[0]).map(({ method, path, queryNames }) => [
        `${method} ${path}`,
        [...queryNames].sort(),
      ]),
    );
    const withToken = [...described()].filter(([, { security }]) => security === undefined);
    assert.deepEqual(withToken.map(([name]) => name).sort(), [...served.keys()].sort());
    for (const [name, { parameters = [] }] of withToken) {
      const query = parameters.filter((parameter) => parameter.in === 'query');
      assert.deepEqual(query.map((parameter) => parameter.name).sort(), served.get(name), name);
    }
  });

  it('is served with the page to whoever asks, and nothing else is without the token', async (context) => {
    const { ask } = await startAdminServer(context);
    for (const [name, { security }] of described()) {
      const [method, path] = name.split(' ') as [string, string];
      const { status } = await ask(method, path, { authorization: null });
      assert.equal(status, security === undefined ? 401 : 200, name);
    }
    const { body } = await ask('GET', '/admin/openapi.json', { authorization: null });
    assert.deepEqual(body, JSON.parse(JSON.stringify(openApiDocument())));
  });

  it('is not there without a token set, nor is the page', async (context) => {
    const { ask } = await startAdminServer(context, { adminToken: undefined });
    for (const path of ['/admin/openapi.json', '/admin/', '/admin']) {
      assert.equal((await ask('GET', path, { authorization: null })).status, 404, path);
    }
  });

  it('gives each operation a name of its own', () => {
    const names = [...described().values()].map(
      (operation) => (operation as { operationId: string }).operationId,
    );
    assert.equal(new Set(names).size, names.length);
  });
});
