/**
 * Which process a number means. Numbers are given out again, so a number from a file may have become another program's:
 * it is our process only if it was started at the same moment. Linux tells that in /proc, other systems through `ps`.
 * Where nothing tells it, nothing is ours, so that no stranger is ever sent a signal.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Of /proc/<pid>/stat, counted from what follows the program's name in brackets (proc(5): fields 3 and 22). */
const STATE_AT = 0;
const START_TIME_AT = 19;
const PS_MS_MAX = 5_000;

/**
 * What no other process has had or will have together with this number: on Linux the machine's boot and the clock tick of
 * the start, elsewhere the second of the start. undefined: there is no such process, or nothing tells.
 */
export function identityOf(pid: number): string | undefined {
  return linuxIdentity(pid) ?? identityByPs(pid);
}

/** Whether the process that had this identity is still there. */
export function isSameProcess(pid: number, identity: string): boolean {
  return identityOf(pid) === identity;
}

function linuxIdentity(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold brackets and spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; its parent has not looked yet.
    if (fields[STATE_AT] === 'Z' || fields[STATE_AT] === 'X') return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `linux ${boot} ${fields[START_TIME_AT]}`;
  } catch {
    return undefined; // no such process, or no /proc
  }
}

/** POSIX `ps` has no start time, but the BSDs, macOS and busybox-less Linux have `lstart`. */
function identityByPs(pid: number): string | undefined {
  if (process.platform === 'linux') return undefined;
  const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    timeout: PS_MS_MAX,
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
  });
  const started = status === 0 ? stdout.trim().replace(/\s+/g, ' ') : '';
  return started === '' ? undefined : `ps ${started}`;
}
