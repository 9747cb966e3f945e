/** The admin routes over HTTP on a free port, with real lists, a real table and a store in memory, for one test. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import express from 'express';
import { Access } from '../../src/access/access.ts';
import { TakedownCounts } from '../../src/access/takedown-counts.ts';
import { adminPageRoutes } from '../../src/http/admin/admin-page.ts';
import { type AdminRoutesParts, adminRoutes } from '../../src/http/admin/admin-routes.ts';
import { ClientAddresses } from '../../src/http/client-address.ts';
import { Assets } from '../../src/http/pages/assets.ts';
import { PageFrame } from '../../src/http/pages/page.ts';
import { ProxyWarnings } from '../../src/http/proxy-warnings.ts';
import { AccessLog } from '../../src/persistence/access/access-log.ts';
import type { SaveOutcome } from '../../src/persistence/snapshot/saver.ts';
import { Counters } from '../../src/stats/counters.ts';
import type { SwarmTable } from '../../src/swarm/swarm-table.ts';
import { NO_JOURNAL } from '../../src/tracker/announce-journal.ts';
import { Tracker } from '../../src/tracker/tracker.ts';
import { wellGauges } from '../stats/gauges.ts';
import { noKeys } from './keys.ts';
import { type MemoryLog, memoryLog } from './log.ts';
import { SERVES_ALL, SETTINGS } from './server.ts';
import { MemoryStore } from './store.ts';
import { HASH_KEY, infoHash, NOW, swarmTable } from './swarm.ts';

export const TOKEN = 'a-token-of-some-length';
/** These stand in the environment. */
const BANNED_BY_ENVIRONMENT = infoHash(900);
const ALLOWED_BY_ENVIRONMENT = infoHash(901);

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON came is looked into field by field
  readonly body: any;
}

export interface AskOptions {
  /** An object is sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of Authorization; null for none. */
  readonly authorization?: string | null;
}

export interface AdminServer {
  readonly port: number;
  readonly store: MemoryStore;
  readonly access: Access;
  readonly table: SwarmTable;
  readonly log: MemoryLog;
  ask(method: string, path: string, options?: AskOptions): Promise<AdminAnswer>;
}

export interface AdminServerOptions extends Partial<AdminRoutesParts> {
  readonly trustProxy?: number;
  /** What a snapshot comes to. */
  readonly save?: () => Promise<SaveOutcome>;
}

export async function startAdminServer(
  context: Pick<TestContext, 'after'>,
  { trustProxy = 0, save, ...changes }: AdminServerOptions = {},
): Promise<AdminServer> {
  const store = new MemoryStore();
  const access = new Access({
    mode: 'open',
    hashKey: HASH_KEY,
    bannedByEnvironment: [BANNED_BY_ENVIRONMENT],
    allowedByEnvironment: [ALLOWED_BY_ENVIRONMENT],
    hashesMax: 400_000,
  });
  const table = swarmTable();
  const log = memoryLog();
  const monotonicMs = (): number => performance.now();
  const accessLog = new AccessLog({
    store,
    access,
    keys: noKeys(),
    boot: 'boot0001',
    dropSwarm: (hash) => table.drop(hash),
    nowSeconds: () => NOW,
    monotonicMs,
    log,
    retryMs: 60_000,
  });
  await accessLog.load(new AbortController().signal);
  const tracker = new Tracker({
    table,
    access: SERVES_ALL,
    counters: new Counters(),
    journal: NO_JOURNAL,
    settings: SETTINGS,
    random: () => 0,
  });
  const takedowns = new TakedownCounts(access.bans, 1);
  const app = express();
  app.enable('case sensitive routing');
  app.use(
    adminRoutes({
      adminToken: TOKEN,
      page: adminPageRoutes(new PageFrame(new Assets()), {
        publicUrl: undefined,
        trustProxy,
        domainName: undefined,
        hasBothSchemes: false,
      }),
      access,
      accessLog,
      tracker,
      saver: { save: save ?? (async () => ({ kind: 'unchanged' })), status: SAVE_STATUS },
      gauges: () => {
        const gauges = wellGauges();
        return { ...gauges, access: { ...gauges.access, takedowns: takedowns.at(NOW) } };
      },
      isRestored: () => true,
      clientAddresses: new ClientAddresses({ trustProxy, warnings: new ProxyWarnings({ trustProxy, log }) }),
      storeAddress: 'file:./data',
      boot: 'boot0001',
      hashKey: HASH_KEY,
      nowSeconds: () => NOW,
      monotonicMs,
      log,
      ...changes,
    }),
  );
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(async () => {
    await accessLog.close(AbortSignal.abort());
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    store,
    access,
    table,
    log,
    async ask(method, path, { body, headers = {}, authorization = `Bearer ${TOKEN}` } = {}) {
      const init: RequestInit = {
        method,
        headers: { ...headers, ...(authorization === null ? {} : { authorization }) },
        redirect: 'manual',
      };
      if (body !== undefined) init.body = typeof body === 'string' ? body : JSON.stringify(body);
      const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
      const text = await response.text();
      const isJson = response.headers.get('content-type') === 'application/json';
      return {
        status: response.status,
        headers: response.headers,
        body: isJson ? JSON.parse(text || 'null') : text,
      };
    },
  };
}

const SAVE_STATUS = {
  isSaving: false,
  lastSavedAtSeconds: undefined,
  snapshots: 0,
  skipped: 0,
  failed: 0,
  lastBytes: undefined,
  lastPeers: undefined,
  lastDurationMs: undefined,
  lastError: undefined,
};
