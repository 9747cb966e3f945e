import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { type Config, loadConfig } from '../../src/config/config.ts';
import { effectiveValues } from '../../src/config/effective-values.ts';
import { nearMisses } from '../../src/config/near-misses.ts';
import { VARIABLES, type VariableName } from '../../src/config/variables.ts';
import { machine } from './system.ts';

const names = Object.keys(VARIABLES) as VariableName[];

describe('the table of variables', () => {
  for (const name of names.filter((candidate) => VARIABLES[candidate].min !== undefined)) {
    test(`${name} accepts both ends of its range by itself, and nothing past them`, () => {
      const { min = 0, max = 0 } = VARIABLES[name];
      const refuses = (value: number): boolean => {
        const loaded = loadConfig({ [name]: String(value) }, machine());
        // A value within the range may still contradict another variable; that sentence names no range.
        return (
          Array.isArray(loaded) &&
          loaded.some(({ variable, allowed }) => variable === name && !/(ANNOUNCE|NUMWANT)_/.test(allowed))
        );
      };
      assert.equal(refuses(min), false, `${min}`);
      assert.equal(refuses(max), false, `${max}`);
      assert.ok(Array.isArray(loadConfig({ [name]: String(max + 1) }, machine())), `${max + 1}`);
      if (min > 0) assert.ok(Array.isArray(loadConfig({ [name]: String(min - 1) }, machine())), `${min - 1}`);
    });
  }
});

describe('the effective values', () => {
  const token = 'correct-horse-battery-staple';
  const env = {
    ADMIN_TOKEN: token,
    STORE_URL: 's3://bucket/p',
    AWS_REGION: 'r',
    AWS_ACCESS_KEY_ID: 'AKIAXXXX',
    AWS_SECRET_ACCESS_KEY: 'geheim',
  };

  test('name every variable of the table that has a value, and mask every secret', () => {
    const values = effectiveValues(loadConfig(env, machine()) as Config);
    const elsewhere = ['AWS_SESSION_TOKEN', 'BUCKETEER_BUCKET_NAME', 'CLOUDCUBE_URL'];
    for (const name of names.filter((candidate) => !elsewhere.includes(candidate)))
      assert.ok(name in values, name);
    assert.equal(values.ADMIN_TOKEN, '(hidden)');
    assert.equal(values.STORE_URL, 's3://bucket/p');
    assert.doesNotMatch(JSON.stringify(values), /correct-horse|AKIAXXXX|geheim/);
  });
});

describe('a name that is nearly one of ours', () => {
  for (const [name, meant] of [
    ['MAX_PEER', 'MAX_PEERS'],
    ['trust_proxy', 'TRUST_PROXY'],
    ['BANED_HASHES', 'BANNED_HASHES'],
    ['ANNUONCE_INTERVAL', 'ANNOUNCE_INTERVAL'],
  ] as const) {
    test(`${name} is told to be ${meant}`, () => {
      assert.match(nearMisses({ [name]: '1' })[0] ?? '', new RegExp(`${meant} does$`));
    });
  }

  test('leaves other programs’ variables alone', () => {
    assert.deepEqual(
      nearMisses({ HOSTNAME: 'x', HOSTTYPE: 'x', PORTS: 'x', AWS_PROFILE: 'x', MAX_PEERS: '1' }),
      [],
    );
  });
});
