/**
 * The public announce URL as clients meet it: which addresses its name has, whether an announce is answered over IPv4 and
 * over IPv6, and as whom the tracker takes who asks, with and without an X-Forwarded-For of his own making.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Config } from '../../config/config.ts';
import { parseAddress } from '../../protocol/address.ts';
import { INFO_HASH_BYTES } from '../../protocol/info-hash.ts';
import { isUnreachable, UNREACHABLE_ADDRESS } from '../../protocol/unreachable-address.ts';
import type { Surroundings } from '../surroundings.ts';
import { FORGED_ADDRESS, type ProbeResult, probe } from './announce-probe.ts';
import { type Finding, ok, problem, skipped, warning } from './finding.ts';

const FAMILIES = [4, 6] as const;

export interface AnnounceChecked {
  readonly config: Config;
  readonly surroundings: Pick<Surroundings, 'randomBytes' | 'system'>;
  readonly signal: AbortSignal;
}

export async function checkAnnounceUrl(checked: AnnounceChecked): Promise<readonly Finding[]> {
  const origin = publicOrigin(checked.config);
  if (origin === undefined)
    return [
      skipped(
        'public URL',
        'PUBLIC_URL is not set: the pages show whatever name a visitor used, and nothing can be asked',
      ),
    ];
  const findings: Finding[] = [];
  for (const family of FAMILIES) findings.push(...(await checkFamily(checked, origin, family)));
  return findings;
}

function publicOrigin({ publicUrl, platform }: Config): string | undefined {
  return publicUrl ?? (platform.domainName === undefined ? undefined : `https://${platform.domainName}`);
}

async function checkFamily(
  checked: AnnounceChecked,
  origin: string,
  family: 4 | 6,
): Promise<readonly Finding[]> {
  const { config, surroundings, signal } = checked;
  const name = `public IPv${family}`;
  const host = new URL(origin).hostname.replace(/^\[|\]$/g, '');
  const address = await addressOf(host, family);
  if (address === undefined) return [noAddress(config, host, name, family)];
  if (family === 6 && !surroundings.system.hasIpv6)
    return [skipped(name, `${host} has the address ${address}, and this machine has no IPv6 to try it`)];
  const infoHash = surroundings.randomBytes(INFO_HASH_BYTES);
  const ask = (isForged: boolean) => probe({ origin, address, infoHash, isForged, signal });
  const honest = await ask(false);
  signal.throwIfAborted();
  const finding = reachFinding(name, `${origin}/announce at ${address}`, honest, config);
  const forgery = `proxies IPv${family}`;
  if (honest.kind === 'reply') return [finding, forgeryFinding(forgery, honest, await ask(true), config)];
  if (honest.kind === 'refused') {
    const says = 'not tried: the announce was refused, and a refusal does not tell whom the tracker believes';
    return [finding, skipped(forgery, says)];
  }
  return [finding];
}

function noAddress({ platform }: Config, host: string, name: string, family: 4 | 6): Finding {
  if (family === 4) {
    return problem(
      name,
      `${host} has no IPv4 address, so most clients cannot reach it`,
      'give the name an A record, or correct PUBLIC_URL',
    );
  }
  if (isIP(host) !== 0)
    return skipped(name, `${host} is an IPv4 address: clients that have IPv6 only cannot reach it`);
  return platform.name === 'heroku'
    ? warning(
        name,
        'Heroku’s Common Runtime takes no connections over IPv6, so the tracker never sees an IPv6 peer',
        'put a dual-stack CDN before it and set TRUST_PROXY=2, or run a second tracker elsewhere on the same store',
      )
    : warning(name, `${host} has no IPv6 address`, 'give the name an AAAA record where the host has IPv6');
}

function reachFinding(name: string, where: string, result: ProbeResult, { trustProxy }: Config): Finding {
  switch (result.kind) {
    case 'unreachable':
      return problem(
        name,
        `${where} cannot be reached: ${result.why}`,
        'see to the name’s records, the firewall, the proxy and its certificate',
      );
    case 'other':
      return problem(
        name,
        `${where}: ${result.says}`,
        'correct PUBLIC_URL, or what the proxy does with /announce',
      );
    case 'refused':
      if (result.reason === UNREACHABLE_ADDRESS.failureReason)
        return problem(
          name,
          `${where} refuses: "${result.reason}"`,
          `${privateWay(trustProxy)}; ALLOW_PRIVATE_PEERS=true takes such peers`,
        );
      if (/TRUST_PROXY|X-Forwarded-For|address/.test(result.reason))
        return problem(
          name,
          `${where} refuses: "${result.reason}"`,
          `count the proxies before the tracker and set TRUST_PROXY (now ${trustProxy ?? 'not set'}); /stats and the log say what was seen`,
        );
      // An allow list serves no hash that was drawn at random, and says so after it has found out who asks.
      return ok(name, `${where} answers: "${result.reason}"`);
    case 'reply':
      if (result.seenAs !== undefined && isNotPublic(result.seenAs))
        return warning(
          name,
          `${where} answers, and takes this machine for ${result.seenAs}`,
          privateWay(trustProxy),
        );
      return ok(
        name,
        `${where} answers${result.seenAs === undefined ? '' : ` and sees this machine as ${result.seenAs}`}`,
      );
  }
}

/** What to do where the tracker sees an address that is not public. */
function privateWay(trustProxy: number | undefined): string {
  return `unless this machine reaches it by a private way, set TRUST_PROXY to the number of proxies (now ${trustProxy ?? 'not set'})`;
}

/** Whether a client can make the tracker take it for somebody else. */
function forgeryFinding(
  name: string,
  honest: ProbeResult,
  forged: ProbeResult,
  { trustProxy }: Config,
): Finding {
  const seenAs = forged.kind === 'reply' ? forged.seenAs : undefined;
  if (seenAs === FORGED_ADDRESS)
    return problem(
      name,
      `clients can announce any address: the tracker believed an X-Forwarded-For of our own making (TRUST_PROXY=${trustProxy ?? 'not set'})`,
      'lower TRUST_PROXY to the number of proxies that stand before the tracker',
    );
  if (forged.kind === 'refused' && honest.kind === 'reply')
    return problem(
      name,
      `an announce with an X-Forwarded-For of its own is refused: "${forged.reason}"`,
      'set TRUST_PROXY to the number of proxies that stand before the tracker, 0 if none does',
    );
  if (forged.kind !== 'reply') return skipped(name, 'it did not answer a second time');
  return ok(name, 'the tracker does not believe an X-Forwarded-For that a client made up');
}

async function addressOf(host: string, family: 4 | 6): Promise<string | undefined> {
  if (isIP(host) !== 0) return isIP(host) === family ? host : undefined;
  try {
    return (await lookup(host, { family })).address;
  } catch {
    return undefined; // no such record, or no such name: told with the family
  }
}

function isNotPublic(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && isUnreachable(address);
}
