/**
 * The shapes of the admin API's bodies and answers, as JSON Schema (OpenAPI 3.1, `components.schemas`). Every field that
 * is ever answered is here and nothing else: a test asks a running tracker and holds each answer against these.
 */
import { type ListName, VARIABLE_OF } from '../../access/access.ts';
import { CHANGE_HASHES_MAX } from '../../persistence/access/access-log.ts';
import { REASON_BYTES_MAX } from '../../persistence/format/access-object.ts';
import { INVALID_LINES_MAX } from './hash-lines.ts';
import { PAGE_HASHES_MAX } from './list-operations.ts';

export type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const time: Schema = { type: 'string', format: 'date-time', description: 'ISO 8601 in UTC.' };
const hex: Schema = {
  type: 'string',
  pattern: '^[0-9a-f]{40}$',
  description: 'An info hash in 40 lower-case hexadecimal characters.',
};
const reason: Schema = {
  type: 'string',
  description: `Shown to nobody without the token; but the page /admin/ writes it into the receipt of a takedown, which goes to whoever asked. Up to ${REASON_BYTES_MAX} bytes of UTF-8.`,
};

const orNull = (schema: Schema): Schema => ({ ...schema, type: [schema.type, 'null'] });
/** A schema of SCHEMAS. */
export const schemaOf = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const listOf = (items: Schema, more: Schema = {}): Schema => ({ type: 'array', items, ...more });

/** An object of exactly these fields; those named in `optional` may be missing. */
function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}

const listed = { infoHash: hex, reason, changedAt: time };

function listPage(name: ListName): Schema {
  return object(
    {
      count: { ...count, description: 'Hashes on the whole list, those of the environment not among them.' },
      isLoaded: { ...flag, description: 'False until the list was read from the store.' },
      [name]: listOf(schemaOf('ListedHash'), { maxItems: PAGE_HASHES_MAX }),
      byEnvironment: listOf(hex, {
        description: `Of ${VARIABLE_OF[name]}; on the first page only.`,
      }),
      next: {
        type: ['string', 'null'],
        description: 'The cursor of the next page; null when nothing follows.',
      },
    },
    ['byEnvironment'],
  );
}

const changed = {
  enforced: { ...flag, description: 'Whether the change is in force.' },
  stored: { ...flag, description: 'Whether it will outlast this process.' },
  hashes: { ...count, description: 'Hashes of the change, each counted once.' },
  reason,
  changedAt: time,
};
const counted = {
  added: { ...count, description: 'Hashes that were not on the list.' },
  alreadyListed: { ...count, description: 'Hashes that were on it; their time and reason are now these.' },
  repeated: { ...count, description: 'How often a hash was named again.' },
  invalid: listOf(
    { type: 'integer', minimum: 1 },
    {
      maxItems: INVALID_LINES_MAX,
      description: 'Numbers, from 1, of the first lines that are no hash and were left out.',
    },
  ),
  invalidCount: { ...count, description: 'How many such lines there are.' },
  results: listOf(object({ infoHash: hex, state: { enum: ['added', 'already-listed'] } }), {
    maxItems: PAGE_HASHES_MAX,
    description: 'With results=yes: each hash once, in its order.',
  }),
};
const notStored = { ...changed, error: text };
const joined = {
  ...flag,
  description: 'A snapshot was under way already, and this is what came of that one.',
};

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Error: object(
    {
      error: { ...text, description: 'What is wrong, and what is allowed.' },
      invalid: counted.invalid,
      invalidCount: counted.invalidCount,
    },
    ['invalid', 'invalidCount'],
  ),
  Reason: object({ reason }, ['reason']),
  Hashes: object(
    {
      hashes: listOf(
        {
          ...text,
          description: '40 hexadecimal characters, 32 of base32, or a magnet link with xt=urn:btih:….',
        },
        { minItems: 1, maxItems: CHANGE_HASHES_MAX },
      ),
      reason,
    },
    ['reason'],
  ),
  ListedHash: object(listed),
  FoundHash: object({
    ...listed,
    changedAt: orNull(time),
    isByEnvironment: { ...flag, description: 'It stands in the environment and only goes with it.' },
    isServed: flag,
  }),
  BansPage: listPage('bans'),
  AllowedPage: listPage('allowed'),
  Changed: object(changed),
  ChangedMany: object({ ...changed, ...counted }, ['results']),
  NotStored: object({ ...notStored, ...counted }, ['hashes', 'reason', 'changedAt', ...Object.keys(counted)]),
  Swarm: object({
    infoHash: hex,
    isKnown: { ...flag, description: 'Whether the tracker has the swarm or a count of it.' },
    seeders: count,
    leechers: { ...count, description: 'Partial seeds among them.' },
    partialSeeds: count,
    completed: { ...count, description: 'Downloads that were completed, ever.' },
    isServed: flag,
    refusal: { enum: [null, 'banned', 'not-allowed', 'not-loaded'] },
    clientsAreTold: { type: ['string', 'null'], description: 'The failure reason of an announce.' },
    ban: { anyOf: [object({ reason, changedAt: time }), { type: 'null' }] },
    isBannedByEnvironment: flag,
  }),
  DroppedSwarm: object({
    infoHash: hex,
    peers: { ...count, description: 'Peers that were forgotten.' },
    completed: { ...count, description: 'The count of completed downloads that went with them.' },
  }),
  Saved: object(
    {
      outcome: { enum: ['saved', 'unchanged', 'not-due', 'still-saving'] },
      joinedOneUnderWay: joined,
      number: { ...count, description: 'Of the snapshot.' },
      bytes: count,
      swarms: count,
      peers: count,
    },
    ['number', 'bytes', 'swarms', 'peers'],
  ),
  NotSaved: object({ outcome: { enum: ['not-settled', 'failed'] }, joinedOneUnderWay: joined, error: text }),
  Status: object({
    version: text,
    boot: { ...text, description: 'Of this process, as in the keys of the objects that it writes.' },
    now: time,
    startedAt: time,
    uptimeSeconds: count,
    warnings: listOf(text, { description: 'What the operator should change, each a whole sentence.' }),
    restore: object({ isSettled: flag, explanation: text }),
    table: object({
      peers: count,
      seeders: count,
      leechers: count,
      swarms: count,
      peersMax: count,
      swarmsMax: count,
      isNearlyFull: flag,
    }),
    access: object({
      mode: { enum: ['open', 'allowlist'] },
      isLoaded: flag,
      banned: count,
      allowed: count,
      changesWaiting: { ...count, description: 'In force, but not stored yet.' },
    }),
    takedowns: object({
      banned: count,
      lastDay: { ...count, description: 'Of these, banned within the last 24 hours.' },
      lastMonth: { ...count, description: 'Within the last 30 days.' },
    }),
    store: object({
      kind: { enum: ['directory', 's3'] },
      address: text,
      failure: { type: ['string', 'null'] },
      losesDisk: flag,
    }),
    snapshots: object({
      isSaving: flag,
      savedAt: orNull(time),
      savedSinceStart: count,
      lastBytes: orNull(count),
      lastPeers: orNull(count),
      lastDurationMs: orNull(count),
    }),
    journal: object({
      intervalSeconds: count,
      bytesAtRisk: count,
      secondsAtRisk: count,
      segmentsWaiting: count,
      hasCompany: flag,
    }),
    memoryBytes: count,
  }),
};
