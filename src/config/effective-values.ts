/**
 * The configuration as it is in force, by the names of the variables, for people and scripts to look at: secrets
 * masked, and what follows from the machine and the platform filled in.
 */
import { formatAddress } from '../protocol/address.ts';
import type { Config } from './config.ts';
import type { StoreAddress } from './store-address.ts';

/** null: not set, and nothing stands in for it. */
export type EffectiveValues = Readonly<Record<string, string | number | boolean | null>>;

const HIDDEN = '(hidden)';

export function effectiveValues(config: Config): EffectiveValues {
  return {
    PORT: config.port,
    HOST: config.host,
    PUBLIC_URL: config.publicUrl ?? null,
    TRUST_PROXY: config.trustProxy ?? null,
    TRUST_IP_PARAM_FROM:
      config.trustIpParamFrom
        .map(({ address, prefixBits }) => `${formatAddress(address)}/${prefixBits}`)
        .join(', ') || null,
    ALLOW_PRIVATE_PEERS: config.allowPrivatePeers ?? null,
    MAX_CONNECTIONS: config.connectionsMax,
    EXPRESS_LANE: config.hasExpressLane ? 'on' : 'off',
    ANNOUNCE_INTERVAL: config.announceIntervalSeconds,
    ANNOUNCE_INTERVAL_JITTER: config.announceIntervalJitterSeconds,
    MIN_ANNOUNCE_INTERVAL: config.minAnnounceIntervalSeconds,
    NUMWANT_DEFAULT: config.numwantDefault,
    NUMWANT_MAX: config.numwantMax,
    SCRAPE_MAX: config.scrapeHashesMax,
    PEER_TTL: config.peerTtlSeconds,
    MAX_PEERS: config.peersMax,
    PURGE_CRON: config.purgeCron,
    SNAPSHOT_CRON: config.snapshotCron,
    SNAPSHOT_KEEP: config.snapshotKeep,
    JOURNAL_SECONDS: config.journalSeconds,
    ...storeValues(config.store),
    STORE_KEY: config.storeKeys.map(() => HIDDEN).join(',') || null,
    ACCESS_MODE: config.accessMode,
    BANNED_HASHES: counted(config.bannedHashes.length),
    ALLOWED_HASHES: counted(config.allowedHashes.length),
    ADMIN_TOKEN: config.adminToken === undefined ? null : HIDDEN,
    CONTACT_EMAIL: config.contactEmail ?? null,
    STATS_SHOW_HASHES: config.showsHashes ? 'on' : 'off',
    LOG_LEVEL: config.logLevel,
    platform: config.platform.name,
    memoryLimitMiB: Math.floor(config.memoryLimitBytes / 1_048_576),
    swarmsMax: config.swarmsMax,
  };
}

/** STORE_URL as one could set it to get this address; also for the log. */
export function storeUrl(store: StoreAddress): string {
  return store.kind === 'directory'
    ? `file:${store.path}`
    : `s3://${store.bucket}/${store.prefix}`.replace(/\/$/, '');
}

function storeValues(store: StoreAddress): EffectiveValues {
  if (store.kind === 'directory') return { STORE_URL: storeUrl(store) };
  const hidden = store.credentials === undefined ? null : HIDDEN;
  return {
    STORE_URL: storeUrl(store),
    AWS_REGION: store.region,
    AWS_ENDPOINT_URL_S3: store.endpoint ?? null,
    AWS_ACCESS_KEY_ID: hidden,
    AWS_SECRET_ACCESS_KEY: hidden,
  };
}

function counted(hashes: number): string | null {
  return hashes === 0 ? null : `${hashes} info ${hashes === 1 ? 'hash' : 'hashes'}`;
}
