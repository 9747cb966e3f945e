/**
 * nginx and Caddy as a server's operator runs them: with the very files of deploy/, on the host and the ports that stand
 * in these, and everything that they write in a folder of the test's.
 */
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Host } from '../builders/network-namespace.ts';
import { type Need, program } from '../needs.ts';

export interface ReverseProxyKind {
  readonly name: string;
  readonly need: Need;
  /** Starts it on the host with its state in the folder. */
  start(host: Host, folder: string): ChildProcess;
}

export interface ReverseProxy {
  /** Everything that it has written so far. */
  output(): string;
}

export const nginx: ReverseProxyKind = {
  name: 'nginx',
  need: program('/usr/sbin/nginx', 'nginx-light'),
  start(host, folder) {
    chmodSync(folder, 0o755); // nginx's workers are not root
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const settings = join(folder, 'nginx.conf');
    writeFileSync(
      settings,
      `daemon off;
       pid ${folder}/pid;
       error_log stderr notice;
       worker_processes 1;
       events { worker_connections 256; }
       http {
         ${paths.map((path) => `${path}_temp_path ${folder}/${path};`).join('\n')}
         include ${resolve('deploy/nginx.conf')};
       }\n`,
    );
    return host.spawn('/usr/sbin/nginx', ['-p', folder, '-e', 'stderr', '-c', settings], PIPED);
  },
};

export const caddy: ReverseProxyKind = {
  name: 'Caddy',
  need: program('caddy', 'caddy'),
  start: (host, folder) => startCaddy(host, folder, resolve('deploy/Caddyfile')),
};

/** Caddy with certificates of its own making, since nobody signs one for a name that leads nowhere. */
export const caddyWithLocalCertificates: ReverseProxyKind = {
  name: 'Caddy with TLS',
  need: caddy.need,
  start(host, folder) {
    const settings = join(folder, 'Caddyfile');
    const ours = readFileSync('deploy/Caddyfile', 'utf8');
    writeFileSync(settings, ours.replace(/^\{$/m, '{\n\tlocal_certs\n\tskip_install_trust'));
    return startCaddy(host, folder, settings);
  },
};

const PIPED = { stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'] };

function startCaddy(host: Host, folder: string, settings: string): ChildProcess {
  mkdirSync(join(folder, 'data'), { recursive: true });
  return host.spawn('caddy', ['run', '--adapter', 'caddyfile', '--config', settings], {
    ...PIPED,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      XDG_DATA_HOME: join(folder, 'data'),
      XDG_CONFIG_HOME: folder,
    },
  });
}

/** Starts it, and collects what it says. */
export function startReverseProxy(kind: ReverseProxyKind, host: Host, folder: string): ReverseProxy {
  const child = kind.start(host, folder);
  let output = '';
  const keep = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return { output: () => output };
}
