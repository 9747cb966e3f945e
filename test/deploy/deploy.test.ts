import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { describe } from 'node:test';
import { Ajv } from 'ajv';
import { NODE_FLAGS } from '../../src/cli/daemon/node-flags.ts';
import { type Config, loadConfig } from '../../src/config/config.ts';
import { VARIABLES } from '../../src/config/variables.ts';
import { machine } from '../config/system.ts';
import { APP_JSON_SCHEMA } from './app-json-schema.ts';

const appJson = JSON.parse(readFileSync('app.json', 'utf8'));
const packageJson = JSON.parse(readFileSync('package.json', 'utf8'));

describe('app.json', () => {
  const validate = new Ajv({ allErrors: true }).compile(APP_JSON_SCHEMA);

  test('is valid against Heroku’s schema', () => {
    assert.ok(validate(appJson), JSON.stringify(validate.errors, null, 1));
  });

  for (const [what, change] of [
    ['a name of more than 30 characters', { name: 'x'.repeat(31) }],
    ['a misspelt key', { sucess_url: '/stats' }],
    ['a variable without a description', { env: { X: { value: '1' } } }],
    ['a value that is no text', { env: { X: { description: 'x', value: 1 } } }],
    ['a dyno size that there is not', { formation: { web: { quantity: 1, size: 'hobby-2' } } }],
  ] as const) {
    test(`with ${what} would be refused`, () => {
      assert.equal(validate({ ...appJson, ...change }), false);
    });
  }

  test('sets only variables that the tracker knows, to values that it accepts', () => {
    const env: Record<string, string> = {};
    for (const [name, { value, generator }] of Object.entries<{ value?: string; generator?: string }>(
      appJson.env,
    )) {
      assert.ok(name in VARIABLES, name);
      // Heroku generates 64 hex characters.
      const given = generator === 'secret' ? 'a'.repeat(64) : value;
      if (given !== undefined) env[name] = given;
    }
    assert.ok(!Array.isArray(loadConfig({ ...env, DYNO: 'web.1' }, machine())));
  });

  test('generates the admin token and the key of the store, and leads to the statistics', () => {
    for (const name of ['ADMIN_TOKEN', 'STORE_KEY']) assert.equal(appJson.env[name].generator, 'secret');
    assert.equal(appJson.success_url, '/stats');
  });

  test('brings an S3 add-on whose variables are understood as they are set', () => {
    assert.deepEqual(appJson.addons, [{ plan: 'bucketeer:hobbyist', as: 'BUCKETEER' }]);
    const env = {
      DYNO: 'web.1',
      BUCKETEER_BUCKET_NAME: 'b-1',
      BUCKETEER_AWS_REGION: 'us-east-1',
      BUCKETEER_AWS_ACCESS_KEY_ID: 'x',
      BUCKETEER_AWS_SECRET_ACCESS_KEY: 'x',
    };
    const config = loadConfig(env, machine()) as Config;
    assert.equal(config.store.kind, 's3');
  });

  test('asks for one web dyno, which is enough', () => {
    assert.equal(appJson.formation.web.quantity, 1);
  });
});

describe('the web process', () => {
  const [line = '', ...more] = readFileSync('Procfile', 'utf8').trim().split('\n');

  test('is node itself, with constant flags and nothing for a shell to expand', () => {
    assert.deepEqual(more, []);
    assert.equal(line, `web: node ${NODE_FLAGS.join(' ')} dist/main.js`);
    assert.doesNotMatch(line, /[$`|&;<>*?~'"\\]|npm|sh /);
  });

  test('gets the same flags from npm start and trakx run', () => {
    assert.equal(packageJson.scripts.start, `exec node ${NODE_FLAGS.join(' ')} deploy/start.mjs`);
  });

  test('gets the same flags in the image', () => {
    const command = JSON.stringify(['node', ...NODE_FLAGS, 'dist/main.js']).replaceAll(',', ', ');
    assert.ok(readFileSync('deploy/Dockerfile', 'utf8').includes(`CMD ${command}\n`));
  });

  test('keeps its heap within what the smallest dyno leaves beside the tables', () => {
    const megabytes = Number(/--max-old-space-size=(\d+)/.exec(line)?.[1]);
    assert.ok(megabytes >= 128 && megabytes <= 256);
  });
});

describe('package.json', () => {
  test('names Node’s versions with an end, for Heroku takes the newest that fits', () => {
    assert.equal(packageJson.engines.node, '>=20.19 <25');
  });

  test('holds no torrent client and no other tracker', () => {
    const names = Object.keys({ ...packageJson.dependencies, ...packageJson.devDependencies });
    assert.deepEqual(
      names.filter((name) => /torrent|webtorrent|transmission|aria2/.test(name)),
      [],
    );
  });

  test('runs in production on what Heroku leaves after the build', () => {
    for (const name of ['express', 'bencode', '@aws-sdk/client-s3', 'winston', 'node-cron', 'commander']) {
      assert.ok(name in packageJson.dependencies, name);
    }
  });
});
