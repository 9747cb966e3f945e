/**
 * The configuration: read once from the environment and the machine into one frozen value. Promises that every
 * problem is reported at once and that a configuration without problems is whole and consistent. Leaves to
 * variables.ts what is allowed, and to main.ts and the command to print problems and exit.
 */
import { isIP } from 'node:net';
import { validate as isCron } from 'node-cron';
import { type AddressRange, parseAddressRange } from '../protocol/address.ts';
import { parseInfoHash } from '../protocol/info-hash.ts';
import { memoryLimitBytes, memoryQuotaBytes, peersThatFit } from './memory-limit.ts';
import { detectPlatform, type Platform } from './platform.ts';
import { readStoreAddress, type StoreAddress } from './store-address.ts';
import { readStoreKeys } from './store-keys.ts';
import { type Environment, openFilesMax, type System } from './system.ts';
import { type ConfigProblem, VariableReader } from './variable-reader.ts';
import {
  ADMIN_TOKEN_CHARACTERS_MAX,
  ADMIN_TOKEN_CHARACTERS_MIN,
  VARIABLES,
  type VariableName,
} from './variables.ts';

export interface Config {
  readonly port: number;
  readonly host: string;
  /** An origin without a trailing slash. */
  readonly publicUrl: string | undefined;
  /** How many proxies stand before the tracker; undefined: not set, and no platform implies it. */
  readonly trustProxy: number | undefined;
  readonly trustIpParamFrom: readonly AddressRange[];
  /** undefined: by whether a proxy is trusted. */
  readonly allowPrivatePeers: boolean | undefined;
  readonly connectionsMax: number;
  readonly hasExpressLane: boolean;
  readonly announceIntervalSeconds: number;
  /** An interval in a reply is drawn from announceIntervalSeconds ± this. */
  readonly announceIntervalJitterSeconds: number;
  readonly minAnnounceIntervalSeconds: number;
  readonly numwantDefault: number;
  readonly numwantMax: number;
  readonly scrapeHashesMax: number;
  readonly peerTtlSeconds: number;
  readonly peersMax: number;
  readonly swarmsMax: number;
  readonly purgeCron: string;
  readonly snapshotCron: string;
  readonly snapshotKeep: number;
  /** 0: no journal is written. */
  readonly journalSeconds: number;
  readonly store: StoreAddress;
  /** Of 32 bytes each, the one for new objects first; none: objects are not sealed. */
  readonly storeKeys: readonly Uint8Array[];
  readonly accessMode: 'open' | 'allowlist';
  readonly bannedHashes: readonly Uint8Array[];
  readonly allowedHashes: readonly Uint8Array[];
  readonly adminToken: string | undefined;
  readonly contactEmail: string | undefined;
  /** Whether the statistics name the info hashes of the busiest swarms. */
  readonly showsHashes: boolean;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
  readonly isLogReadable: boolean;
  readonly platform: Platform;
  /** The least of the memory limits that are known. */
  readonly memoryLimitBytes: number;
  /** What the platform or the control group gives this process; undefined when they name no limit. */
  readonly memoryQuotaBytes: number | undefined;
}

/** Descriptors kept for the store, the log, the listener and what Node opens itself. */
export const DESCRIPTORS_RESERVED = 200;

export function loadConfig(env: Environment, system: System): Config | readonly ConfigProblem[] {
  const reader = new VariableReader(env);
  const platform = detectPlatform(env);
  const limitBytes = memoryLimitBytes(env, system);
  const announceIntervalSeconds = reader.wholeNumberOrDefault('ANNOUNCE_INTERVAL');
  const numwantMax = reader.wholeNumberOrDefault('NUMWANT_MAX');
  const peersMax = reader.wholeNumber('MAX_PEERS') ?? peersThatFit(limitBytes);
  const config: Config = {
    port: reader.wholeNumberOrDefault('PORT'),
    host: readHost(reader, system),
    publicUrl: readPublicUrl(reader),
    trustProxy: reader.wholeNumber('TRUST_PROXY') ?? platform.proxies,
    trustIpParamFrom: reader.list('TRUST_IP_PARAM_FROM', parseAddressRange),
    allowPrivatePeers: reader.flag('ALLOW_PRIVATE_PEERS'),
    connectionsMax: readConnectionsMax(reader, system),
    hasExpressLane: reader.oneOf('EXPRESS_LANE', ['on', 'off']) === 'on',
    announceIntervalSeconds,
    announceIntervalJitterSeconds:
      reader.wholeNumber('ANNOUNCE_INTERVAL_JITTER') ?? Math.floor(announceIntervalSeconds / 10),
    minAnnounceIntervalSeconds:
      reader.wholeNumber('MIN_ANNOUNCE_INTERVAL') ?? Math.floor(announceIntervalSeconds / 2),
    numwantDefault:
      reader.wholeNumber('NUMWANT_DEFAULT') ??
      Math.min(numwantMax, Number(VARIABLES.NUMWANT_DEFAULT.default)),
    numwantMax,
    scrapeHashesMax: reader.wholeNumberOrDefault('SCRAPE_MAX'),
    peerTtlSeconds: reader.wholeNumberOrDefault('PEER_TTL'),
    peersMax,
    swarmsMax: Math.ceil(peersMax / 2),
    purgeCron: readCron(reader, 'PURGE_CRON'),
    snapshotCron: readCron(reader, 'SNAPSHOT_CRON'),
    snapshotKeep: reader.wholeNumberOrDefault('SNAPSHOT_KEEP'),
    journalSeconds: reader.wholeNumberOrDefault('JOURNAL_SECONDS'),
    store: readStoreAddress(reader),
    storeKeys: readStoreKeys(reader),
    accessMode: reader.oneOf('ACCESS_MODE', ['open', 'allowlist']),
    bannedHashes: reader.list('BANNED_HASHES', parseInfoHash),
    allowedHashes: reader.list('ALLOWED_HASHES', parseInfoHash),
    adminToken: readAdminToken(reader),
    contactEmail: readContactEmail(reader),
    showsHashes: reader.flag('STATS_SHOW_HASHES') ?? false,
    logLevel: reader.oneOf('LOG_LEVEL', ['error', 'warn', 'info', 'debug']),
    isLogReadable: system.isTerminal && reader.text('NODE_ENV') !== 'production',
    platform,
    memoryLimitBytes: limitBytes,
    memoryQuotaBytes: memoryQuotaBytes(env, system),
  };
  checkTogether(reader, config);
  return reader.problems.length > 0 ? reader.problems : Object.freeze(config);
}

export function isConfig(loaded: Config | readonly ConfigProblem[]): loaded is Config {
  return !Array.isArray(loaded);
}

/** One line a problem: the variable, what it is, what is allowed. */
export function describeProblem({ variable, value, allowed }: ConfigProblem): string {
  return `${variable}${value === '' ? ' is not set' : `=${value}`}: allowed is ${allowed}`;
}

function readHost(reader: VariableReader, system: System): string {
  const host = reader.text('HOST')?.replace(/^\[(.*)\]$/, '$1');
  if (host === undefined) return system.hasIpv6 ? '::' : '0.0.0.0';
  if (isIP(host) === 0) reader.refuse('HOST');
  return host;
}

function readPublicUrl(reader: VariableReader): string | undefined {
  const text = reader.text('PUBLIC_URL');
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href;
  if (!isOrigin) reader.refuse('PUBLIC_URL');
  return url?.origin;
}

function readConnectionsMax(reader: VariableReader, system: System): number {
  const openFiles = openFilesMax(system);
  const most =
    openFiles === undefined ? Number.MAX_SAFE_INTEGER : Math.max(1, openFiles - DESCRIPTORS_RESERVED);
  const wanted = reader.wholeNumber('MAX_CONNECTIONS');
  if (wanted === undefined) return Math.min(Number(VARIABLES.MAX_CONNECTIONS.default), most);
  if (wanted > most) {
    reader.refuse('MAX_CONNECTIONS', `1 to ${most}: the limit of open files less ${DESCRIPTORS_RESERVED}`);
  }
  return wanted;
}

function readCron(reader: VariableReader, name: 'PURGE_CRON' | 'SNAPSHOT_CRON'): string {
  const expression = reader.text(name) ?? String(VARIABLES[name].default);
  if (!isCron(expression)) reader.refuse(name);
  return expression;
}

function readAdminToken(reader: VariableReader): string | undefined {
  const token = reader.text('ADMIN_TOKEN');
  if (token === undefined) return undefined;
  const isLongEnough =
    token.length >= ADMIN_TOKEN_CHARACTERS_MIN && token.length <= ADMIN_TOKEN_CHARACTERS_MAX;
  if (!isLongEnough || !/^[\x21-\x7e]+$/.test(token)) reader.refuse('ADMIN_TOKEN');
  return token;
}

function readContactEmail(reader: VariableReader): string | undefined {
  const address = reader.text('CONTACT_EMAIL');
  if (address !== undefined && !/^[^\s@<>"',;:/?&]{1,64}@[a-z0-9.-]{1,253}$/i.test(address))
    reader.refuse('CONTACT_EMAIL');
  return address;
}

/** What must hold between variables; asked where each of them is right by itself. */
function checkTogether(reader: VariableReader, config: Config): void {
  const interval = config.announceIntervalSeconds;
  const jitter = config.announceIntervalJitterSeconds;
  const check = (
    name: VariableName,
    value: number,
    holds: boolean,
    others: readonly VariableName[],
    allowed: string,
  ): void => {
    const isDoubtful = reader.problems.some(({ variable }) =>
      [name, ...others].includes(variable as VariableName),
    );
    if (!holds && !isDoubtful) reader.refuseValue(name, String(value), allowed);
  };
  check(
    'ANNOUNCE_INTERVAL_JITTER',
    jitter,
    jitter < interval,
    ['ANNOUNCE_INTERVAL'],
    `less than ANNOUNCE_INTERVAL (${interval})`,
  );
  check(
    'MIN_ANNOUNCE_INTERVAL',
    config.minAnnounceIntervalSeconds,
    config.minAnnounceIntervalSeconds <= interval - jitter,
    ['ANNOUNCE_INTERVAL', 'ANNOUNCE_INTERVAL_JITTER'],
    `at most ANNOUNCE_INTERVAL less ANNOUNCE_INTERVAL_JITTER (${interval - jitter})`,
  );
  check(
    'PEER_TTL',
    config.peerTtlSeconds,
    config.peerTtlSeconds > interval + jitter,
    ['ANNOUNCE_INTERVAL', 'ANNOUNCE_INTERVAL_JITTER'],
    `more than ANNOUNCE_INTERVAL plus ANNOUNCE_INTERVAL_JITTER (${interval + jitter}), at most 7200`,
  );
  check(
    'NUMWANT_DEFAULT',
    config.numwantDefault,
    config.numwantDefault <= config.numwantMax,
    ['NUMWANT_MAX'],
    `at most NUMWANT_MAX (${config.numwantMax})`,
  );
}
