import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import { NODE_FLAGS } from '../../src/cli/daemon/node-flags.ts';
import { type Config, describeProblem, isConfig, loadConfig } from '../../src/config/config.ts';
import { VARIABLES } from '../../src/config/variables.ts';
import { temporaryFolder } from '../builders/tracker-process.ts';
import { machine } from '../config/system.ts';
import { needingOnce, program } from '../needs.ts';
import { readSettings, settingsReaders } from './read-settings.ts';

const needs = needingOnce(import.meta.url, settingsReaders);
const START = `node ${NODE_FLAGS.join(' ')} dist/main.js`;
/** How long a stop may take, in seconds: what a platform gives must be more. */
const STOP_SECONDS_MAX = 30;

/** The configuration that the environment makes; fails with the tracker's own words when it makes none. */
function accepted(environment: Readonly<Record<string, string>>): Config {
  for (const name of Object.keys(environment)) {
    assert.ok(name in VARIABLES || name === 'NODE_ENV', `${name} means nothing to the tracker`);
  }
  const config = loadConfig(environment, machine());
  if (isConfig(config)) return config;
  assert.fail(config.map(describeProblem).join('\n'));
}

describe('deploy/compose.yaml', needs, () => {
  interface Service {
    readonly image?: string;
    readonly build?: { readonly context: string; readonly dockerfile: string };
    readonly environment: Readonly<Record<string, string>>;
    readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
    readonly healthcheck?: { readonly test: readonly string[] };
    readonly stop_grace_period?: string;
    readonly volumes?: readonly string[];
  }
  const read = () =>
    readSettings<{ services: { tracker: Service; s3: Service }; volumes: object }>('deploy/compose.yaml');

  test('builds our image', () => {
    const { context, dockerfile } = read().services.tracker.build!;
    assert.ok(existsSync(join('deploy', context, dockerfile)));
  });

  test('leads the tracker to the bucket and the key that the S3 server makes', () => {
    const { tracker, s3 } = read().services;
    const { ADMIN_TOKEN, STORE_KEY, ...environment } = tracker.environment;
    // Taken from the caller's environment, where it has them.
    assert.deepEqual([ADMIN_TOKEN, STORE_KEY], [`\${ADMIN_TOKEN:-}`, `\${STORE_KEY:-}`]);
    const config = accepted({ ...environment, ADMIN_TOKEN: '', STORE_KEY: '' });
    assert.equal(config.store.kind, 's3');
    assert.equal(new URL(environment.STORE_URL!).hostname, s3.environment.S3_BUCKET);
    assert.equal(new URL(environment.AWS_ENDPOINT_URL_S3!).hostname, 's3');
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
      assert.equal(environment[name], s3.environment[name]);
    }
  });

  test('starts the tracker when the S3 server is well, and asks that on the port that the tracker uses', () => {
    const { tracker, s3 } = read().services;
    assert.deepEqual(tracker.depends_on, { s3: { condition: 'service_healthy' } });
    const asked = new URL(s3.healthcheck!.test.at(-1)!);
    assert.equal(asked.port, new URL(tracker.environment.AWS_ENDPOINT_URL_S3!).port);
  });

  test('names a version of the S3 server and keeps its objects', () => {
    const { services, volumes } = read();
    assert.match(services.s3.image!, /^[\w./-]+:\d[\w.]*$/);
    assert.ok(services.s3.volumes!.every((volume) => volume.split(':')[0]! in volumes));
  });

  const compose = needingOnce(import.meta.url, [program('docker-compose', 'docker-compose')]);

  test('is understood by docker-compose, which a misspelt key would not be', compose, (context) => {
    const understands = (text: string) => {
      const path = join(temporaryFolder(context), 'compose.yaml');
      writeFileSync(path, text);
      return spawnSync('docker-compose', ['--file', path, 'config', '--quiet'], { encoding: 'utf8' });
    };
    const ours = readFileSync('deploy/compose.yaml', 'utf8');
    const { status, stderr } = understands(ours);
    assert.equal(status, 0, stderr);
    assert.notEqual(understands(ours.replace('stop_grace_period', 'stop_grace_periods')).status, 0);
  });

  test('gives a stop the time that it may take', () => {
    assert.ok(Number.parseInt(read().services.tracker.stop_grace_period!, 10) > STOP_SECONDS_MAX);
  });
});

describe('deploy/fly.toml', needs, () => {
  interface Fly {
    readonly kill_signal: string;
    readonly kill_timeout: number;
    readonly build: Readonly<Record<string, string>>;
    readonly env: Readonly<Record<string, string>>;
    readonly http_service: {
      readonly internal_port: number;
      readonly auto_stop_machines: string;
      readonly min_machines_running: number;
      readonly concurrency: { readonly hard_limit: number };
      readonly checks: readonly { readonly path: string }[];
    };
  }
  const read = () => readSettings<Fly>('deploy/fly.toml');

  test('names its files as flyctl looks for them, from its own folder', () => {
    for (const path of Object.values(read().build)) assert.ok(existsSync(join('deploy', path)), path);
  });

  test('stops with the signal and the time that a save takes, within what Fly allows', () => {
    const { kill_signal, kill_timeout } = read();
    assert.equal(kill_signal, 'SIGTERM');
    assert.ok(kill_timeout > STOP_SECONDS_MAX && kill_timeout <= 300);
  });

  test('keeps one machine awake, on the port that the tracker listens on', () => {
    const { http_service, env } = read();
    assert.equal(http_service.auto_stop_machines, 'off');
    assert.equal(http_service.min_machines_running, 1);
    assert.equal(String(http_service.internal_port), env.PORT);
    assert.deepEqual(
      http_service.checks.map(({ path }) => path),
      ['/healthz'],
    );
  });

  test('lets the tracker, and not the proxy, say how many connections are too many', () => {
    const config = accepted(read().env);
    assert.ok(read().http_service.concurrency.hard_limit <= config.connectionsMax);
  });

  test('with the secrets that its comment sets, the tracker starts', () => {
    const secrets = {
      STORE_URL: 's3://bucket',
      ADMIN_TOKEN: randomBytes(24).toString('hex'),
      STORE_KEY: randomBytes(32).toString('base64'),
      // As `fly storage create` sets them.
      AWS_ENDPOINT_URL_S3: 'https://fly.storage.tigris.dev',
      AWS_REGION: 'auto',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    };
    const config = loadConfig({ ...read().env, ...secrets, FLY_APP_NAME: 'trakx' }, machine());
    assert.ok(isConfig(config));
    assert.equal(config.trustProxy, 2);
  });
});

describe('deploy/render.yaml', needs, () => {
  interface Render {
    readonly services: readonly {
      readonly startCommand: string;
      readonly buildCommand: string;
      readonly healthCheckPath: string;
      readonly maxShutdownDelaySeconds: number;
      readonly numInstances: number;
      readonly disk: { readonly mountPath: string };
      readonly envVars: readonly {
        readonly key: string;
        readonly value?: string;
        readonly generateValue?: boolean;
      }[];
    }[];
  }
  const read = () => readSettings<Render>('deploy/render.yaml').services[0]!;

  test('starts node itself with the flags that all use, once, and asks whether it answers', () => {
    assert.equal(read().startCommand, START);
    assert.equal(read().numInstances, 1);
    assert.equal(read().healthCheckPath, '/healthz');
  });

  test('builds with the development packages, whatever NODE_ENV says, and runs without', () => {
    assert.equal(read().buildCommand, 'npm ci --include=dev && npm run build && npm prune --omit=dev');
  });

  test('gives a stop the time that it may take, within what Render allows', () => {
    const seconds = read().maxShutdownDelaySeconds;
    assert.ok(seconds > STOP_SECONDS_MAX && seconds <= 300);
  });

  test('sets what the tracker accepts, with secrets as Render makes them: 256 bits in base64', () => {
    const environment = Object.fromEntries(
      read().envVars.map(({ key, value, generateValue }) => [
        key,
        generateValue ? randomBytes(32).toString('base64') : value!,
      ]),
    );
    assert.ok(accepted(environment));
    assert.equal(environment.STORE_URL, `file:${read().disk.mountPath}`);
    assert.equal(environment.TRUST_PROXY, undefined);
  });
});

describe('deploy/railway.json', () => {
  const { deploy } = JSON.parse(readFileSync('deploy/railway.json', 'utf8'));

  test('starts node itself with the flags that all use and asks whether it answers', () => {
    assert.equal(deploy.startCommand, START);
    assert.equal(deploy.healthcheckPath, '/healthz');
  });

  test('gives a stop the time that it may take, as a number: a text fails the deploy', () => {
    assert.ok(typeof deploy.drainingSeconds === 'number' && deploy.drainingSeconds > STOP_SECONDS_MAX);
  });
});

describe('deploy/dokku.json', () => {
  const { formation, healthchecks } = JSON.parse(readFileSync('deploy/dokku.json', 'utf8'));

  test('asks for one process and lets the new one in when it answers', () => {
    assert.equal(formation.web.quantity, 1);
    assert.deepEqual(
      healthchecks.web.map(({ path }: { path: string }) => path),
      ['/healthz'],
    );
  });
});
