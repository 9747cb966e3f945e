/**
 * The configured store, tried for real: what is there is listed and opened with STORE_KEY, and an object is put, read,
 * listed and deleted. It lies under a prefix of its own, which no save, no retention and no restore looks at.
 */
import type { Config } from '../../config/config.ts';
import { GuardedStore } from '../../persistence/format/guarded-store.ts';
import { PREFIXES } from '../../persistence/format/object-keys.ts';
import { StoreKeys } from '../../persistence/format/store-keys.ts';
import { openStore } from '../../persistence/store/open-store.ts';
import { StoreError, type StoreFailure } from '../../persistence/store/store.ts';
import { WatchedStore } from '../../persistence/store/watched-store.ts';
import { SILENT_LOG } from '../silent-log.ts';
import { bootId, type Surroundings } from '../surroundings.ts';
import { type Finding, ok, problem, skipped, warning, withoutStop } from './finding.ts';

const PROBE_PREFIX = 'probe/';
const PROBE_BYTES = 256;
const OPERATION_MS_MAX = 10_000;
/** Of a doctor that was killed. */
const LEFTOVER_SECONDS = 3_600;
/** Amazon refuses at 15 minutes. */
const OFFSET_SECONDS_WARNING = 30;
const OFFSET_SECONDS_PROBLEM = 600;

const FIXES: Readonly<Record<StoreFailure, string>> = {
  'not-found': 'see to who else deletes from this store',
  denied:
    'give the key or the user put, get, list and delete there (docs/operations.md, "What a key may do")',
  'no-bucket': 'create the bucket, or correct STORE_URL or AWS_ENDPOINT_URL_S3',
  'wrong-region': 'set AWS_REGION to the region of the bucket',
  throttled: 'ask the vendor for a higher rate, or make JOURNAL_SECONDS longer',
  unreachable: 'see to AWS_ENDPOINT_URL_S3, and whether this machine reaches it',
  'timed-out': 'see to AWS_ENDPOINT_URL_S3, and whether this machine reaches it',
  'no-space': 'free some space, or raise the quota',
  aborted: 'try again',
  locked: 'set STORE_KEY to the key that it was written with; behind the new one, where it was changed',
  failed: 'see what the store says of it',
};

export async function checkStore(
  surroundings: Surroundings,
  config: Config,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { nowSeconds, monotonicMs, randomBytes } = surroundings;
  const driver = await openStore(config.store, { nowSeconds, operationMsMax: OPERATION_MS_MAX });
  const watched = new WatchedStore(driver, { log: SILENT_LOG, nowSeconds, monotonicMs });
  const guarded = new GuardedStore(watched, new StoreKeys(config.storeKeys, randomBytes));
  const key = `${PROBE_PREFIX}${bootId(surroundings)}`;
  const bytes = randomBytes(PROBE_BYTES);
  const findings: Finding[] = [];
  const attempt = async (
    check: string,
    says: string,
    work: () => Promise<string | undefined>,
  ): Promise<boolean> => {
    try {
      const wrong = await work();
      const fix = 'the store does not keep its promises: another service, or no cache between';
      findings.push(wrong === undefined ? ok(check, says) : problem(check, wrong, fix));
      return wrong === undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof StoreError)) throw error;
      findings.push(problem(check, withoutStop(error.message), FIXES[error.failure]));
      return false;
    }
  };

  const isReadable = await attempt('store list', `${driver.address} can be listed`, async () => {
    await sweep(guarded, nowSeconds(), signal);
    return undefined;
  });
  // What cannot be listed would say the same four times.
  if (!isReadable) return [...findings, skipped('store', 'put, get and delete were not tried')];
  const sealed =
    config.storeKeys.length === 0 ? 'not set: objects are stored openly' : 'it opens what is there';
  await attempt('STORE_KEY', sealed, async () => {
    // Asks for the keys before it writes.
    await guarded.put(key, bytes, signal).catch((error: unknown) => {
      if (error instanceof StoreError && error.failure !== 'locked') return;
      throw error;
    });
    return undefined;
  });
  const isPut = await attempt('store put', 'an object was written', async () => {
    await watched.put(key, bytes, signal);
    return undefined;
  });
  if (isPut) {
    await attempt('store get', 'it was read back as it was', async () =>
      Buffer.from(await watched.get(key, signal)).equals(Buffer.from(bytes))
        ? undefined
        : 'it was read back as something else',
    );
    await attempt('store look', 'it is in the listing', async () =>
      (await watched.list(PROBE_PREFIX, signal)).some((object) => object.key === key)
        ? undefined
        : 'it is not in the listing',
    );
    await attempt('store delete', 'it was deleted', async () => {
      await watched.delete(key, signal);
      return (await watched.list(PROBE_PREFIX, signal)).some((object) => object.key === key)
        ? 'it is still there'
        : undefined;
    });
  }
  findings.push(offsetFinding(config, watched.clockOffsetSeconds));
  return findings;
}

/** Takes away what a killed doctor left. */
async function sweep(store: GuardedStore, nowSeconds: number, signal: AbortSignal): Promise<void> {
  for (const prefix of PREFIXES) await store.list(prefix, signal);
  for (const { key, lastModifiedSeconds } of await store.list(PROBE_PREFIX, signal)) {
    const ageSeconds = nowSeconds + store.clockOffsetSeconds - lastModifiedSeconds;
    if (ageSeconds > LEFTOVER_SECONDS) await store.delete(key, signal);
  }
}

function offsetFinding({ store }: Config, offsetSeconds: number): Finding {
  const check = 'store clock';
  if (store.kind === 'directory') return ok(check, 'a directory has this machine’s');
  const seconds = Math.abs(offsetSeconds);
  const says =
    seconds === 0
      ? 'it agrees with this machine’s'
      : `it is ${seconds} s ${offsetSeconds > 0 ? 'ahead of' : 'behind'} this machine’s`;
  if (seconds < OFFSET_SECONDS_WARNING) return ok(check, says);
  const fix = 'set this machine’s clock (timedatectl set-ntp true)';
  return seconds < OFFSET_SECONDS_PROBLEM
    ? warning(check, `${says}; the tracker allows for it`, fix)
    : problem(check, `${says}, and S3 refuses at 15 minutes`, fix);
}
