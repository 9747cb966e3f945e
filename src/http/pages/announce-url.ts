/**
 * The announce URLs to show a visitor: PUBLIC_URL if set, else the name that the platform gave the application,
 * else what the visitor's own request says. What a request says is checked to be a host and nothing else, and the
 * scheme is believed only from a trusted proxy. Beside one over HTTPS stands the same over HTTP where it is known to be
 * answered, for clients that cannot do HTTPS.
 */
import type { IncomingHttpHeaders } from 'node:http';

export interface AnnounceUrlSettings {
  /** An origin without a trailing slash. */
  readonly publicUrl: string | undefined;
  /** A host name under which the platform serves HTTPS. */
  readonly domainName: string | undefined;
  /** Whether plain HTTP is answered under each name under which HTTPS is (`Platform`). */
  readonly hasBothSchemes: boolean;
  /** How many proxies are trusted; none when undefined. */
  readonly trustProxy: number | undefined;
}

/** A host name, an IPv4 address or a bracketed IPv6 address, with or without a port (RFC 9110 §7.2). */
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** HTTPS on its own port: no other port answers both. */
const HTTPS = /^https:\/\/([^:]+|\[.+\])$/;

/** The best first; none when nothing tells the name. */
export function announceUrls(headers: IncomingHttpHeaders, settings: AnnounceUrlSettings): readonly string[] {
  const origin = originOf(headers, settings);
  if (origin === undefined) return [];
  const [, host] = HTTPS.exec(origin) ?? [];
  const origins = settings.hasBothSchemes && host !== undefined ? [origin, `http://${host}`] : [origin];
  return origins.map((one) => `${one}/announce`);
}

function originOf(headers: IncomingHttpHeaders, settings: AnnounceUrlSettings): string | undefined {
  const { publicUrl, domainName, trustProxy = 0 } = settings;
  if (publicUrl !== undefined) return publicUrl;
  if (domainName !== undefined && HOST.test(domainName)) return `https://${domainName}`;
  const { host } = headers;
  if (host === undefined || !HOST.test(host)) return undefined;
  return `${trustProxy > 0 ? proxyScheme(headers) : 'http'}://${host}`;
}

/** The right-most entry, which the nearest proxy wrote. */
function proxyScheme(headers: IncomingHttpHeaders): 'http' | 'https' {
  const header = headers['x-forwarded-proto'];
  const last = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').at(-1);
  return last?.trim().toLowerCase() === 'https' ? 'https' : 'http';
}
