/**
 * What a test needs of the machine it runs on: root, a kernel with network namespaces, a torrent client. A test
 * that misses something is skipped, and the skip is noted where `test/run.mjs` finds it: it prints at the end of
 * the run what was left out and the command that would run it, and under `CI=true` it fails the run. Leaves to
 * `run.mjs` where the note goes (the file named by `TEST_SKIPS`); run without it, the skip's reason says it all.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, appendFileSync, constants } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Need {
  /** As it reads after "needs": `aria2c`, `root for network namespaces`. */
  readonly what: string;
  isMet(): boolean;
  /** Debian packages that bring it. */
  readonly debianPackages: readonly string[];
  readonly isRootNeeded: boolean;
}

/** What `run.mjs` reads, one JSON line each. */
export interface Skip {
  readonly test: string;
  readonly missing: readonly string[];
  readonly command: string;
}

/** A program found on PATH or, with a slash in it, at that path. */
export function program(name: string, debianPackage: string): Need {
  return { what: name, isMet: () => isProgram(name), debianPackages: [debianPackage], isRootNeeded: false };
}

/** A module that Debian's own Python can import (another Python on PATH would not see Debian's packages). */
export function pythonModule(name: string, debianPackage: string): Need {
  return {
    what: `python3 with ${name}`,
    isMet: () => spawnSync('/usr/bin/python3', ['-c', `import ${name}`], { stdio: 'ignore' }).status === 0,
    debianPackages: [debianPackage],
    isRootNeeded: false,
  };
}

/** Root that may make network namespaces; in an unprivileged container root alone may not. */
export const networkNamespaces: Need = {
  what: 'root for network namespaces',
  isMet: () => isProgram('ip') && spawnSync('unshare', ['--net', 'true'], { stdio: 'ignore' }).status === 0,
  debianPackages: ['iproute2'],
  isRootNeeded: true,
};

/**
 * Options for `test()` or `describe()`: empty where every need is met, else a skip with its reason.
 * `testUrl` is the test file's `import.meta.url`.
 */
export function needing(testUrl: string, needs: readonly Need[]): { skip?: string } {
  const missing = needs.filter((need) => !need.isMet());
  if (missing.length === 0) return {};
  const test = relative(process.cwd(), fileURLToPath(testUrl));
  const skip: Skip = {
    test,
    missing: missing.map((need) => need.what),
    command: commandThatRuns(test, needs),
  };
  const notes = process.env.TEST_SKIPS;
  if (notes !== undefined) appendFileSync(notes, `${JSON.stringify(skip)}\n`);
  return { skip: `needs ${skip.missing.join(', ')}; run: ${skip.command}` };
}

/**
 * The same for a test of what other programs make of the tracker, which is one thing whatever Node it runs on: such tests are slow, and run
 * on Node 24 only. On another they are skipped without a note.
 */
export function needingOnce(testUrl: string, needs: readonly Need[]): { skip?: string } {
  return process.versions.node.startsWith('24.') ? needing(testUrl, needs) : { skip: 'runs on Node 24 only' };
}

function commandThatRuns(test: string, needs: readonly Need[]): string {
  const isRoot = process.getuid?.() === 0;
  const sudo = isRoot ? '' : 'sudo ';
  const packages = [...new Set(needs.flatMap((need) => need.debianPackages))];
  const asRoot = needs.some((need) => need.isRootNeeded) && !isRoot ? 'sudo env "PATH=$PATH" ' : '';
  const install = packages.length === 0 ? '' : `${sudo}apt-get install --yes ${packages.join(' ')} && `;
  return `${install}${asRoot}node test/run.mjs ${test}`;
}

function isProgram(name: string): boolean {
  const folders = name.includes('/')
    ? ['']
    : (process.env.PATH ?? '').split(':').map((folder) => `${folder}/`);
  return folders.some((folder) => {
    try {
      accessSync(`${folder}${name}`, constants.X_OK);
      return true;
    } catch {
      return false; // not in this folder: the next one may have it
    }
  });
}
