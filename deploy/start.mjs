// `npm start`: builds dist/ when it is missing or older than src/, then becomes the tracker. The tracker is imported
// and not spawned, so that signals reach it and the process that npm started is the one that saves and exits.
// Works without development packages as long as dist/ is there.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = join(root, 'dist', 'main.js');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** Longer than npm takes to pass a signal on, shorter than a person takes to press Ctrl-C again and mean it. */
const ECHO_MS = 500;

if (isStale()) build();
if (process.env.npm_lifecycle_event !== undefined) hearInterruptsOnce();
await import(new URL('../dist/main.js', import.meta.url).href);

// A terminal sends Ctrl-C to npm and to the tracker alike, and npm then passes its own on: one press of the keys arrives
// twice, and the tracker would take the second for "now, without saving". Node hands every signal to process.emit.
function hearInterruptsOnce() {
  const { emit } = process;
  let heardMs = Number.NEGATIVE_INFINITY;
  process.emit = function hearOnce(name, ...details) {
    if (name === 'SIGINT') {
      const nowMs = performance.now();
      if (nowMs - heardMs < ECHO_MS) return true;
      heardMs = nowMs;
    }
    return emit.call(this, name, ...details);
  };
}

function isStale() {
  if (!existsSync(main)) return true;
  const builtMs = statSync(main).mtimeMs;
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const inputs = [...sources.map((name) => join('src', name)), 'tsconfig.json'];
  return inputs.some((path) => statSync(join(root, path)).mtimeMs > builtMs);
}

function build() {
  if (!existsSync(compiler)) {
    if (existsSync(main)) return; // a copy whose times mean nothing: it was built elsewhere
    console.error('dist/ is missing and so is the compiler: run `npm ci && npm run build` first');
    process.exit(1);
  }
  console.error('building dist/ …');
  const { status } = spawnSync(process.execPath, [compiler, '--project', 'src'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
