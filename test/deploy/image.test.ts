import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test, { describe } from 'node:test';
import { startTracker, temporaryFolder } from '../builders/tracker-process.ts';
import { announce, ask, isReady } from '../end-to-end/tracker-requests.ts';
import { waitUntil } from '../end-to-end/wait-until.ts';
import { all, execForm, only, parseCopy, parseDockerfile, type Stage } from './dockerfile.ts';

const stages = parseDockerfile(readFileSync('deploy/Dockerfile', 'utf8'));
const [build, image] = stages as [Stage, Stage];
const environment = Object.fromEntries(
  only(image, 'ENV')
    .split(' ')
    .map((pair) => pair.split('=', 2) as [string, string]),
);
/** What `.dockerignore` lets into the build context: names after `!`, for all else is shut out by its `*`. */
const [shut, ...context] = readFileSync('deploy/Dockerfile.dockerignore', 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

describe('the image', () => {
  test('has two stages, and the last holds neither compiler nor sources', () => {
    assert.deepEqual(
      stages.map(({ name }) => name),
      ['build', ''],
    );
    assert.match(all(build, 'RUN').at(-1)!, /npm prune --omit=dev/);
    assert.deepEqual(
      all(image, 'COPY').flatMap((text) => parseCopy(text).sources),
      ['/app/node_modules', '/app/dist', 'package.json', 'deploy/health.mjs'],
    );
  });

  test('is built from a context that holds what is copied and nothing else', () => {
    const copied = stages
      .flatMap((stage) => all(stage, 'COPY').map(parseCopy))
      .filter(({ from }) => from === undefined)
      .flatMap(({ sources }) => sources);
    assert.equal(shut, '*');
    assert.deepEqual(context.map((line) => line.replace(/^!/, '')).sort(), [...new Set(copied)].sort());
    for (const path of copied) assert.ok(existsSync(path), path);
  });

  test('runs as a user of its own, who owns the volume that the store is in', () => {
    const order = image.instructions.map(({ name }) => name);
    assert.equal(only(image, 'USER'), 'node');
    assert.ok(order.lastIndexOf('RUN') < order.indexOf('USER'), 'RUN needs root');
    const volume = only(image, 'VOLUME');
    assert.equal(environment.STORE_URL, `file:${volume}`);
    assert.ok(all(image, 'RUN').includes(`install --directory --owner=node --group=node ${volume}`));
  });

  test('stops by SIGTERM, which no shell keeps from node', () => {
    assert.equal(only(image, 'STOPSIGNAL'), 'SIGTERM');
    assert.equal(execForm(only(image, 'CMD'))[0], 'node');
    assert.deepEqual(all(image, 'ENTRYPOINT'), []);
  });

  test('builds, runs, says that it is well and saves at its end, with what the build context holds', async (testContext) => {
    const root = temporaryFolder(testContext);
    const places = new Map(stages.map((stage) => [stage, join(root, stage.name || 'image')]));
    for (const [stage, place] of places) {
      mkdirSync(place);
      for (const { name, text } of stage.instructions) {
        if (name === 'COPY') copy(text, place);
        // The packages that are installed here stand in for those that npm would fetch.
        else if (text.startsWith('npm ci')) symlinkSync(resolve('node_modules'), join(place, 'node_modules'));
        else if (text.startsWith('npm run build')) run(text.replace(/ && npm prune.*$/, ''), place);
      }
    }
    function copy(text: string, place: string): void {
      const { from, sources, target } = parseCopy(text);
      for (const source of sources) {
        const [path, name] =
          from === undefined
            ? [source, source.split('/').at(-1)!]
            : [source.replace('/app', `${root}/${from}`), target];
        const to = join(place, target.endsWith('/') ? join(target, name) : target);
        if (name === 'node_modules') symlinkSync(realpathSync(path), to);
        else cpSync(path, to, { recursive: true });
      }
    }

    const place = places.get(image)!;
    const [command, ...args] = execForm(only(image, 'CMD'));
    const folder = temporaryFolder(testContext);
    const tracker = await startTracker(testContext, {
      environment: { ...environment, STORE_URL: `file:${folder}` },
      spawn: (_command, _args, options) => spawn(command!, args, { ...options, cwd: place }),
    });
    const [, health] = /CMD (.*)$/.exec(only(image, 'HEALTHCHECK'))!;
    const check = (port: number) =>
      spawnSync(execForm(health!)[0]!, execForm(health!).slice(1), {
        cwd: place,
        env: { PATH: process.env.PATH, PORT: String(port) },
      }).status;
    await waitUntil('it is ready', () => isReady(tracker));
    assert.equal((await announce(tracker)).complete, 1);
    const page = (await ask(tracker, '/stats', { headers: { Accept: 'text/html' } })).body.toString();
    const assets = [...page.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path]) => path!);
    assert.notEqual(assets.length, 0);
    for (const path of assets) assert.equal((await ask(tracker, path)).status, 200, path);
    assert.equal(check(tracker.port), 0);
    assert.deepEqual(await tracker.stop(), { code: 0, signal: null });
    assert.ok(tracker.log.some(({ message, cause }) => message === 'snapshot saved' && cause === 'shutdown'));
    assert.equal(check(tracker.port), 1);
  });
});

describe('a Dockerfile’s instruction in shell form', () => {
  test('is refused by these tests', () => {
    assert.throws(() => execForm('node dist/main.js'));
    assert.throws(() => parseDockerfile('FROM x\nnode dist/main.js\n'));
  });
});

function run(command: string, cwd: string): void {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { cwd, encoding: 'utf8' });
  assert.equal(status, 0, `${command}\n${stdout}${stderr}`);
}
