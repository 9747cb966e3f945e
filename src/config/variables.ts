/**
 * The table of every environment variable: name, default, unit, what is allowed, what it does and why so.
 * The README's tables are made from it, and every error about a variable quotes it, so a limit or a default
 * stands here and nowhere else. Reading the environment is config.ts's work.
 */

export type VariableGroup = 'network' | 'announce' | 'table' | 'store' | 'access' | 'other';

export interface Variable {
  readonly group: VariableGroup;
  /** The value that holds when the variable is unset, or a sentence on what holds then. */
  readonly default: number | string;
  /** For whole numbers: both ends are allowed. */
  readonly min?: number;
  readonly max?: number;
  readonly unit?: string;
  /** What is allowed, in words, where `min` and `max` don't say it all. */
  readonly allowed?: string;
  /** What it does. */
  readonly about: string;
  /** Why the default or the limit is what it is. */
  readonly why: string;
  /** Never shown. */
  readonly isSecret?: boolean;
}

const table = {
  PORT: {
    group: 'network',
    default: 1337,
    min: 0,
    max: 65_535,
    about: 'The TCP port to listen on. 0 takes a free one; the log names it.',
    why: 'Platforms set it themselves.',
  },
  HOST: {
    group: 'network',
    default: '`::` (IPv4 and IPv6), `0.0.0.0` where the machine has no IPv6',
    allowed: 'an IPv4 or IPv6 address of this machine',
    about: 'The address to listen on.',
    why: 'One listener for both families; `127.0.0.1` behind a proxy on the same machine.',
  },
  PUBLIC_URL: {
    group: 'network',
    default: 'the platform’s name for the application, else the Host of the request',
    allowed: '`http://` or `https://`, host and optional port, no path',
    about: 'The address under which clients reach the tracker, for the announce URL that the pages show.',
    why: 'A tracker cannot know the name its users type.',
  },
  TRUST_PROXY: {
    group: 'network',
    default: '1 on Heroku, 2 on Fly.io, else unset',
    min: 0,
    max: 10,
    unit: 'proxies',
    about:
      'How many proxies stand before the tracker: the client is that entry of X-Forwarded-For, counted from the right. 0: clients reach it directly.',
    why: 'Entries further left are the client’s own words. Unset, a request that comes through a proxy is refused with a reason, because a wrong guess would hand out wrong peers.',
  },
  TRUST_IP_PARAM_FROM: {
    group: 'network',
    default: 'nobody',
    allowed: 'addresses or ranges, separated by commas: `192.0.2.7, 2001:db8::/32`',
    about: 'Clients whose `ip` parameter is believed, such as a proxy of your own that sets it.',
    why: 'Anybody else could announce a stranger’s address.',
  },
  ALLOW_PRIVATE_PEERS: {
    group: 'network',
    default: 'yes when clients reach the tracker directly, no behind a proxy',
    allowed: '`true` or `false`',
    about: 'Whether private, loopback and similar addresses may be peers.',
    why: 'On a laptop they are the peers; on the internet they are mistakes.',
  },
  MAX_CONNECTIONS: {
    group: 'network',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: 'connections',
    allowed: '1 to the limit of open files (`ulimit -n`) less 200',
    about: 'Connections open at once; further ones are closed at once.',
    why: 'A process that runs out of file descriptors can no longer save.',
  },
  EXPRESS_LANE: {
    group: 'network',
    default: 'on',
    allowed: '`on` or `off`',
    about: 'Whether announces and scrapes in their usual form are answered straight from the socket.',
    why: 'It saves most of the CPU of an answer. Off, Express answers everything, with the same bytes.',
  },
  ANNOUNCE_INTERVAL: {
    group: 'announce',
    default: 1_800,
    min: 5,
    max: 7_199,
    unit: 'seconds',
    allowed: '5 to 7199, with ANNOUNCE_INTERVAL_JITTER less than PEER_TTL',
    about: 'How long a client waits between two announces.',
    why: 'Half an hour is what public trackers ask for; each halving doubles the load.',
  },
  ANNOUNCE_INTERVAL_JITTER: {
    group: 'announce',
    default: 'a tenth of ANNOUNCE_INTERVAL (180)',
    min: 0,
    max: 3_600,
    unit: 'seconds',
    allowed: '0 to 3600, and less than ANNOUNCE_INTERVAL',
    about: 'Each reply’s interval is drawn from ANNOUNCE_INTERVAL ± this.',
    why: 'Spreads clients that all came back in the same minute, after a restart for example.',
  },
  MIN_ANNOUNCE_INTERVAL: {
    group: 'announce',
    default: 'half of ANNOUNCE_INTERVAL (900)',
    min: 1,
    max: 7_200,
    unit: 'seconds',
    allowed: '1 to 7200, at most ANNOUNCE_INTERVAL less ANNOUNCE_INTERVAL_JITTER',
    about: 'The `min interval` of replies: advice, never enforced.',
    why: 'aria2 comes back after `min interval`, so a small one is many announces.',
  },
  NUMWANT_DEFAULT: {
    group: 'announce',
    default: 50,
    min: 0,
    max: 1_000,
    unit: 'peers',
    allowed: '0 to 1000, at most NUMWANT_MAX',
    about: 'Peers in a reply when the client does not say how many it wants.',
    why: 'What deployed trackers give; a client connects to about as many.',
  },
  NUMWANT_MAX: {
    group: 'announce',
    default: 200,
    min: 1,
    max: 1_000,
    unit: 'peers',
    about: 'The most peers in a reply, whatever the client wants.',
    why: 'A client connects to far fewer; 200 IPv4 peers are 1200 bytes.',
  },
  SCRAPE_MAX: {
    group: 'announce',
    default: 100,
    min: 1,
    max: 250,
    unit: 'info hashes',
    about: 'The most info hashes in one scrape.',
    why: 'A hundred escaped ones are 7.1 KB, and a request head may have 8 KiB.',
  },
  PEER_TTL: {
    group: 'table',
    default: 3_600,
    min: 10,
    max: 7_200,
    unit: 'seconds',
    allowed: '10 to 7200, and more than ANNOUNCE_INTERVAL plus ANNOUNCE_INTERVAL_JITTER',
    about: 'A peer that was not heard for this long is dropped.',
    why: 'Two intervals, so that one lost announce costs nobody his place; a record keeps 14 bits of seconds.',
  },
  MAX_PEERS: {
    group: 'table',
    default:
      '(the smallest of the cgroup’s limit, MEMORY_AVAILABLE, the machine’s memory and 2 GiB, less 160 MiB) ÷ 64 bytes, at least 50,000',
    min: 1_000,
    max: 50_000_000,
    unit: 'peers',
    about:
      'The most peers in the table; the most swarms are half as many. Reserved at start, used as it fills.',
    why: 'A full table turns peers away; a full memory ends the process.',
  },
  PURGE_CRON: {
    group: 'table',
    default: '30 * * * * *',
    allowed: 'a cron expression of five fields, or six with seconds first',
    about: 'When peers past PEER_TTL and empty swarms are dropped.',
    why: 'Each minute, at second 30 so that it does not meet the save.',
  },
  SNAPSHOT_CRON: {
    group: 'store',
    default: '*/3 * * * *',
    allowed: 'a cron expression of five fields, or six with seconds first',
    about:
      'When the table may be saved whole; skipped when nothing changed, and, with the journal on, while that is small beside the last snapshot and that is younger than half an hour.',
    why: 'Between two the journal holds what was heard; with JOURNAL_SECONDS=0 a kill loses it.',
  },
  SNAPSHOT_KEEP: {
    group: 'store',
    default: 5,
    min: 1,
    max: 100,
    unit: 'snapshots',
    about: 'Whole snapshots kept in the store.',
    why: 'Older ones help when the newest is damaged.',
  },
  JOURNAL_SECONDS: {
    group: 'store',
    default: 10,
    min: 0,
    max: 600,
    unit: 'seconds',
    about:
      'How often what was heard goes to the store, between snapshots; also how soon other trackers on the same store hear of it. 0: never.',
    why: 'What a kill can lose is what was heard since, and the put in flight.',
  },
  STORE_URL: {
    group: 'store',
    default: '`file:./data`, or the S3 add-on’s bucket',
    allowed: '`file:` and a path, or `s3://bucket` with an optional `/prefix`',
    about: 'Where peers, counts and bans are kept.',
    why: 'Set, it beats an add-on’s variables. A path after `file:` is taken literally.',
  },
  STORE_KEY: {
    group: 'store',
    default: 'none: objects are not encrypted',
    allowed:
      'a key of 32 bytes, as 44 characters of base64 (`openssl rand -base64 32` makes one) or 64 hex digits; older keys may follow, separated by commas',
    about:
      'Seals everything that is put in the store (AES-256-GCM) with the first key. The others only open what was saved with them.',
    why: 'A leaked bucket then holds no list of people. Whoever loses the key has lost the store: keep a copy elsewhere.',
    isSecret: true,
  },
  AWS_REGION: {
    group: 'store',
    default: 'AWS_DEFAULT_REGION, the add-on’s, or `us-east-1` with an endpoint of your own',
    allowed: 'a region’s name: letters, digits, hyphens',
    about: 'The bucket’s region.',
    why: 'Requests are signed for it.',
  },
  AWS_ENDPOINT_URL_S3: {
    group: 'store',
    default: 'AWS_ENDPOINT_URL, else Amazon’s',
    allowed: 'an `http://` or `https://` address',
    about: 'The S3 service of another vendor (R2, B2, MinIO, Ceph …).',
    why: 'The AWS tools know it by the same name.',
  },
  AWS_ACCESS_KEY_ID: {
    group: 'store',
    default: 'the add-on’s, else what the AWS SDK finds by itself',
    allowed: 'both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither',
    about: 'The key for the bucket.',
    why: 'It needs put, get, list and delete below the prefix, nothing else.',
    isSecret: true,
  },
  AWS_SECRET_ACCESS_KEY: {
    group: 'store',
    default: 'as AWS_ACCESS_KEY_ID',
    allowed: 'both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither',
    about: 'Its secret.',
    why: 'Never logged, never shown.',
    isSecret: true,
  },
  AWS_SESSION_TOKEN: {
    group: 'store',
    default: 'none',
    allowed: 'what comes with temporary credentials',
    about: 'The token of temporary credentials.',
    why: 'A tracker runs for longer than they last: prefer a lasting key or a role.',
    isSecret: true,
  },
  BUCKETEER_BUCKET_NAME: {
    group: 'store',
    default: 'set by the add-on, with BUCKETEER_AWS_ACCESS_KEY_ID, …_SECRET_ACCESS_KEY and …_REGION',
    allowed: 'all four, as the add-on sets them',
    about: 'The bucket of Heroku’s Bucketeer add-on.',
    why: 'One click gives a store.',
  },
  CLOUDCUBE_URL: {
    group: 'store',
    default: 'set by the add-on, with CLOUDCUBE_ACCESS_KEY_ID and CLOUDCUBE_SECRET_ACCESS_KEY',
    allowed: 'all three, as the add-on sets them',
    about: 'The cube (a prefix of a shared bucket) of Heroku’s Cloudcube add-on.',
    why: 'Another add-on of the same kind.',
  },
  ACCESS_MODE: {
    group: 'access',
    default: 'open',
    allowed: '`open` or `allowlist`',
    about: 'Whether every info hash is served but banned ones, or only allowed ones that are not banned.',
    why: 'A ban always wins.',
  },
  BANNED_HASHES: {
    group: 'access',
    default: 'none',
    allowed: 'info hashes of 40 hex characters, separated by commas or spaces',
    about: 'Info hashes never served, whatever the store says.',
    why: 'Holds even when the store cannot be read. For many use /admin/bans.',
  },
  ALLOWED_HASHES: {
    group: 'access',
    default: 'none',
    allowed: 'info hashes of 40 hex characters, separated by commas or spaces',
    about: 'Info hashes served with ACCESS_MODE=allowlist, beside those in the store.',
    why: 'As BANNED_HASHES; for many use /admin/allowed.',
  },
  ADMIN_TOKEN: {
    group: 'access',
    default: 'none, and no /admin routes',
    allowed: '24 to 256 visible ASCII characters without spaces',
    about: 'The password of the page /admin/ and of the API below it: `Authorization: Bearer …`.',
    why: 'A client may try ten in a quarter of an hour; many clients try more, and 24 random characters outlast that. `openssl rand -hex 24` makes one.',
    isSecret: true,
  },
  CONTACT_EMAIL: {
    group: 'access',
    default: 'none',
    allowed: 'an e-mail address',
    about: 'Where a takedown request goes; shown on /dmca.',
    why: 'The first letter about a hash should reach you, not your host.',
  },
  STATS_SHOW_HASHES: {
    group: 'other',
    default: 'off',
    allowed: '`on` or `off`',
    about: 'Whether the statistics name the info hashes of the busiest swarms.',
    why: 'Whoever knows a hash can join its swarm: nobody should learn of it here unless the operator means it.',
  },
  LOG_LEVEL: {
    group: 'other',
    default: 'info',
    allowed: '`error`, `warn`, `info` or `debug`',
    about: 'The least urgent messages to log.',
    why: 'No level ever shows a peer’s address.',
  },
} as const satisfies Readonly<Record<string, Variable>>;

export type VariableName = keyof typeof table;

export const VARIABLES: Readonly<Record<VariableName, Variable>> = table;

/** The length an ADMIN_TOKEN may have, in characters. */
export const ADMIN_TOKEN_CHARACTERS_MIN = 24;
export const ADMIN_TOKEN_CHARACTERS_MAX = 256;

/** What is allowed, as one phrase with its unit. */
export function allowedValues(name: VariableName): string {
  const { min, max, unit, allowed } = VARIABLES[name];
  const range = allowed ?? `${min} to ${max}`;
  return unit === undefined ? range : `${range} (${unit})`;
}
