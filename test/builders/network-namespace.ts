/**
 * A small network of its own for programs under test: a hub namespace that holds a bridge, and one namespace per
 * host with a veth pair to it. Each host has an IPv4 address from 10/8 and an IPv6 address from 2001:db8::/32;
 * no host has a route beyond the bridge, so nothing leaves, and the machine's own interfaces are never touched.
 * Needs root (test/needs.ts). Promises that `close()`, or the end of the process, ends every program started
 * inside and removes every namespace; what a SIGKILL leaves behind the next network removes.
 */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/** One machine on the network. */
export interface Host {
  /** The namespace's name, unique on the real machine. */
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
  /** Starts a program inside; its process id is the program's own. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
}

export interface Network {
  /** The host at the bridge itself: 10.77.0.1 and 2001:db8::1. */
  readonly hub: Host;
  addHost(): Host;
  close(): void;
}

const NAME_START = 'trakx-';

export function createNetwork(): Network {
  const prefix = `${NAME_START}${process.pid}-${randomBytes(3).toString('hex')}`;
  const names: string[] = [];
  const children: ChildProcess[] = [];

  function close(): void {
    process.off('exit', close);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, exit);
    for (const child of children) child.kill('SIGKILL');
    for (const name of names.splice(0)) removeNamespace(name);
  }

  function addNamespace(): Host {
    const number = names.length + 1;
    const name = `${prefix}-${number}`;
    ip('netns', 'add', name);
    names.push(name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    return {
      name,
      ipv4: `10.77.0.${number}`,
      ipv6: `2001:db8::${number.toString(16)}`,
      spawn(command, args, options = {}) {
        const child = spawn('ip', ['netns', 'exec', name, command, ...args], options);
        children.push(child);
        return child;
      },
    };
  }

  function address({ name, ipv4, ipv6 }: Host, device: string): void {
    ip('-n', name, 'address', 'add', `${ipv4}/16`, 'dev', device);
    ip('-n', name, 'address', 'add', `${ipv6}/64`, 'dev', device, 'nodad'); // usable at once
    ip('-n', name, 'link', 'set', device, 'up');
  }

  function addHost(): Host {
    const host = addNamespace();
    const port = `port${names.length}`;
    ip('-n', hub.name, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host.name);
    ip('-n', hub.name, 'link', 'set', port, 'master', 'bridge', 'up');
    address(host, 'eth0');
    return host;
  }

  removeLeftovers();
  process.once('exit', close);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, exit);
  const hub = addNamespace();
  ip('-n', hub.name, 'link', 'add', 'bridge', 'type', 'bridge');
  address(hub, 'bridge');
  return { hub, addHost, close };
}

function removeNamespace(name: string): void {
  const pids = ip('netns', 'pids', name).split('\n').filter(Boolean).map(Number);
  for (const pid of pids) send(pid, 'SIGKILL');
  ip('netns', 'delete', name);
}

/** Removes the namespaces whose name tells of a process that is no more. */
function removeLeftovers(): void {
  for (const line of ip('netns', 'list').split('\n')) {
    const name = line.split(' ', 1)[0]!;
    const pid = name.startsWith(NAME_START) ? Number(name.split('-')[1]) : process.pid;
    if (!send(pid, 0)) removeNamespace(name);
  }
}

function ip(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Whether the process was there to get the signal; 0 only asks. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Runs the handlers of 'exit', which the signal alone would not. */
function exit(): void {
  process.exit(1);
}
