// Runs the test files below test/ with Node's own runner and tsx, one process a file.
//   node test/run.mjs                 every test
//   node test/run.mjs swarm wire      the files whose path contains one of the words
// Builds first, and has the tests start the tracker and the command from what was built: the tests start hundreds of
// processes, and loading the sources would cost each of them most of a second. TRACKER_MAIN=src/main.ts starts the sources.
// Fails when no file matches: on Node 20 the runner would find nothing and be content with it.
// Says at the end which tests the machine could not run and the command that would (test/needs.ts notes
// them); with CI=true such a skip is a failure, for there the machine is ours to furnish.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const options = process.argv.slice(2).filter((word) => word.startsWith('--'));
const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('test', name))
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
  .sort();

if (files.length === 0) {
  console.error(`no test file matches ${words.join(' ') || 'test/**/*.test.ts'}`);
  process.exit(1);
}

if (process.env.TRACKER_MAIN === undefined) {
  const built = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'src'], {
    stdio: 'inherit',
  });
  if (built.status !== 0) process.exit(1);
  process.env.TRACKER_MAIN = 'dist/main.js';
}

const folder = mkdtempSync(join(tmpdir(), 'trakx-test-run-'));
const notes = join(folder, 'skips');
writeFileSync(notes, '');
// Node would leave a core free; but many tests wait for a process or a clock, and two cores would run one file at a time.
const concurrency = `--test-concurrency=${Math.max(2, availableParallelism())}`;
const run = spawnSync(process.execPath, ['--import', 'tsx', '--test', concurrency, ...options, ...files], {
  stdio: 'inherit',
  env: { ...process.env, TEST_SKIPS: notes },
});
const skips = readFileSync(notes, 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line));
rmSync(folder, { recursive: true });

for (const { test, missing, command } of skips) {
  console.error(`\nSKIPPED ${test}: needs ${missing.join(', ')}\n  ${command}`);
}
const isCi = process.env.CI === 'true';
if (isCi && skips.length > 0)
  console.error('\nWith CI=true a test that the machine cannot run is a failure.');
process.exit(run.status !== 0 ? (run.status ?? 1) : isCi && skips.length > 0 ? 1 : 0);
