/** What the environment says, by itself: wrong variables, misspelt ones, and settings that do not go together. */
import { type Config, describeProblem, isConfig, loadConfig } from '../../config/config.ts';
import { nearMisses } from '../../config/near-misses.ts';
import type { Environment, System } from '../../config/system.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** Platforms whose disk lasts only where a volume is mounted, by a variable that they set. */
const VOLUME_PLATFORMS: Readonly<Record<string, string>> = {
  FLY_APP_NAME: 'Fly.io',
  RENDER: 'Render',
  RAILWAY_ENVIRONMENT_ID: 'Railway',
  SCALINGO_APP: 'Scalingo',
};

/** The configuration, unless it is wrong, and what is to be said of it. */
export function checkVariables(
  env: Environment,
  system: System,
): { readonly config: Config | undefined; readonly findings: readonly Finding[] } {
  const misses = nearMisses(env).map((sentence) =>
    warning('variables', sentence, 'correct its name, or take it away'),
  );
  const config = loadConfig(env, system);
  if (isConfig(config))
    return { config, findings: [ok('variables', 'the configuration is right'), ...misses] };
  const problems = config.map((found) =>
    problem('variables', describeProblem(found), `set ${found.variable} to what is allowed, or take it away`),
  );
  return { config: undefined, findings: [...problems, ...misses] };
}

export function checkEnvironment(config: Config, env: Environment): readonly Finding[] {
  return [diskFinding(config, env), proxyFinding(config), adminFinding(config)];
}

function diskFinding({ store, platform }: Config, env: Environment): Finding {
  if (store.kind === 's3') return ok('disk', 'the store is a bucket, so nothing hangs on the disk');
  if (platform.losesDisk)
    return problem(
      'disk',
      'this platform empties its disk at each restart, at least once a day, and the store is a directory on it: peers and bans will be lost',
      'add an S3 add-on (Bucketeer), or set STORE_URL=s3://bucket/prefix and AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY',
    );
  const named = Object.keys(VOLUME_PLATFORMS).find((name) => env[name]);
  if (named !== undefined)
    return warning(
      'disk',
      `on ${VOLUME_PLATFORMS[named]} a directory lasts only where a volume is mounted, and the store is ${store.path}`,
      'mount a volume there, or set STORE_URL=s3://bucket/prefix',
    );
  return ok('disk', `the store is the directory ${store.path}; nothing known empties it`);
}

/** What can be told without asking anybody; the rest needs the running tracker. */
function proxyFinding({ trustProxy, publicUrl, platform, host }: Config): Finding {
  const isSecure = publicUrl?.startsWith('https:') === true;
  if (isSecure && trustProxy === undefined)
    return problem(
      'proxies',
      'PUBLIC_URL is https, so a proxy stands before the tracker, and TRUST_PROXY is not set: announces will be refused',
      'set TRUST_PROXY to the number of proxies (nginx or Caddy on this machine: 1)',
    );
  if (isSecure && trustProxy === 0)
    return problem(
      'proxies',
      'PUBLIC_URL is https, so a proxy stands before the tracker, and TRUST_PROXY=0 says that none does: all peers would have its address',
      'set TRUST_PROXY to the number of proxies (nginx or Caddy on this machine: 1)',
    );
  const isOpen = host === '::' || host === '0.0.0.0';
  if ((trustProxy ?? 0) > 0 && platform.name === 'none' && isOpen)
    return warning(
      'proxies',
      `TRUST_PROXY=${trustProxy} and HOST=${host}: whoever reaches the port past the proxy can announce any address`,
      'set HOST=127.0.0.1 where the proxy is on this machine, or see that the network lets nobody but the proxy in',
    );
  const known = platform.name === 'none' ? '' : ', as this platform has it';
  return ok(
    'proxies',
    trustProxy === undefined
      ? 'TRUST_PROXY is not set: clients reach the tracker directly'
      : `TRUST_PROXY=${trustProxy}${known}`,
  );
}

function adminFinding({ adminToken }: Config): Finding {
  return ok(
    'admin',
    adminToken === undefined
      ? 'ADMIN_TOKEN is not set, so there is no /admin'
      : '/admin is there, behind ADMIN_TOKEN',
  );
}
