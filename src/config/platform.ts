/**
 * Which platform this process runs on, from the variables that platforms set, and what that implies.
 * Elsewhere nothing is implied: reports about other hosts differ (Render: one proxy or three).
 */
import type { Environment } from './system.ts';

export interface Platform {
  readonly name: 'heroku' | 'fly' | 'none';
  /** Whether the disk is empty again after each restart, so that a directory store keeps nothing. */
  readonly losesDisk: boolean;
  /** The proxies that the platform itself puts before the process. */
  readonly proxies: number | undefined;
  /** The host name that the platform gave the application, where it tells it. */
  readonly domainName: string | undefined;
  /** Whether its router answers plain HTTP too under each name that it answers HTTPS under, and leads nobody on. */
  readonly hasBothSchemes: boolean;
  /** The platform's name for what is deployed, for the log. */
  readonly release: string | undefined;
}

export function detectPlatform(env: Environment): Platform {
  if (env.DYNO) {
    // Heroku's router appends the connecting address: one proxy. HEROKU_* need dyno metadata enabled.
    return {
      name: 'heroku',
      losesDisk: true,
      proxies: 1,
      domainName: env.HEROKU_APP_DEFAULT_DOMAIN_NAME || undefined,
      hasBothSchemes: true,
      release: env.HEROKU_RELEASE_VERSION || undefined,
    };
  }
  if (env.FLY_APP_NAME) {
    // The right-most entry of X-Forwarded-For is the application's own address (superfly/docs#1714).
    return {
      name: 'fly',
      losesDisk: false,
      proxies: 2,
      domainName: undefined,
      // As the application's fly.toml says (force_https), which the process is not told.
      hasBothSchemes: false,
      release: env.FLY_MACHINE_VERSION || undefined,
    };
  }
  return {
    name: 'none',
    losesDisk: false,
    proxies: undefined,
    domainName: undefined,
    hasBothSchemes: false,
    release: undefined,
  };
}
