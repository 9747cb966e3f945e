/**
 * The admin API as an OpenAPI 3.1 document, for people and for programs that make clients of it; served at
 * /admin/openapi.json. The shapes are in openapi-schemas.ts. Kept by hand, and held against the running routes by tests.
 */
import type { ListName } from '../../access/access.ts';
import { CHANGE_HASHES_MAX } from '../../persistence/access/access-log.ts';
import { BODY_BYTES_MAX } from './admin-body.ts';
import { REQUESTS_PER_MINUTE_MAX, WRONG_TOKENS_MAX } from './admin-guard.ts';
import { PAGE_HASHES_MAX } from './list-operations.ts';
import { SCHEMAS, type Schema, schemaOf } from './openapi-schemas.ts';

/** Raised with every change that a client could notice. */
const API_VERSION = '1.0.0';

const json = (name: string): Schema => ({ 'application/json': { schema: schemaOf(name) } });
const answer = (description: string, schema: string): Schema => ({ description, content: json(schema) });

const WRONG_REQUEST = answer('The request is wrong; the sentence says how.', 'Error');
const NOT_THERE = answer('There is none.', 'Error');
const BY_ENVIRONMENT = answer('It stands in a variable of the environment and only goes with it.', 'Error');
const TOO_LARGE = answer('More than one request may hold.', 'Error');
const LIST_FULL = answer('The list can hold no more hashes.', 'Error');
const NOT_STORED = answer(
  'The store did not take it. A ban is in force all the same and is tried until it is stored (`enforced`).',
  'NotStored',
);
/** What every operation with a token may answer. */
const OF_THE_GUARD = {
  401: { $ref: '#/components/responses/NoToken' },
  429: { $ref: '#/components/responses/TooManyRequests' },
};

const INFO_HASH = {
  name: 'infoHash',
  in: 'path',
  required: true,
  description:
    '40 hexadecimal characters, 32 of base32, or a magnet link with xt=urn:btih:…, percent-encoded.',
  schema: { type: 'string' },
};

function query(name: string, description: string, schema: Schema): Schema {
  return { name, in: 'query', description, schema };
}

interface ListWords {
  readonly name: ListName;
  readonly page: string;
  readonly add: string;
  readonly added: string;
  readonly remove: string;
}

const BANS: ListWords = {
  name: 'bans',
  page: 'BansPage',
  add: 'Ban',
  added: 'Their swarms are forgotten, and announces for them refused, from the moment of the answer.',
  remove: 'Lift the ban of',
};
const ALLOWED: ListWords = {
  name: 'allowed',
  page: 'AllowedPage',
  add: 'Allow',
  added: 'With ACCESS_MODE=allowlist these are the hashes that are served, unless they are banned.',
  remove: 'No longer allow',
};

function listPaths({ name, page, add, added, remove }: ListWords): Record<string, Schema> {
  const tags = [name];
  const reasonBody = { required: false, content: json('Reason') };
  const manyBody = {
    required: true,
    content: {
      ...json('Hashes'),
      'text/plain': {
        schema: {
          type: 'string',
          description:
            'One hash or magnet link a line. Empty lines are passed over, and so is what begins with a # at the beginning of a line or after a space.',
        },
      },
    },
  };
  return {
    [`/admin/${name}`]: {
      get: {
        operationId: `${name}-list`,
        tags,
        summary: 'A page of the list, or of what a search finds in it',
        parameters: [
          query('limit', 'Hashes of a page.', { type: 'integer', minimum: 1, maximum: PAGE_HASHES_MAX }),
          query('cursor', 'What `next` of the page before said.', { type: 'string' }),
          query('search', 'The beginning of a hash, a hash in any form, or words of the reason.', {
            type: 'string',
          }),
        ],
        responses: { 200: answer('The page, in no order.', page), 400: WRONG_REQUEST, ...OF_THE_GUARD },
      },
      post: {
        operationId: `${name}-add-many`,
        tags,
        summary: `${add} many hashes at once`,
        description: `${added} Up to ${CHANGE_HASHES_MAX} hashes and ${BODY_BYTES_MAX} bytes. In JSON one that is no hash refuses the whole; of lines of text those are left out and told by number.`,
        parameters: [
          query('reason', 'Of lines of text; in JSON it is a field.', { type: 'string' }),
          query('results', `What became of each hash, for up to ${PAGE_HASHES_MAX}.`, {
            type: 'string',
            enum: ['yes', 'no'],
          }),
        ],
        requestBody: manyBody,
        responses: {
          200: answer('In force and stored.', 'ChangedMany'),
          400: WRONG_REQUEST,
          413: TOO_LARGE,
          503: NOT_STORED,
          507: LIST_FULL,
          ...OF_THE_GUARD,
        },
      },
    },
    [`/admin/${name}/{infoHash}`]: {
      parameters: [INFO_HASH],
      get: {
        operationId: `${name}-show`,
        tags,
        summary: 'One hash of the list',
        responses: {
          200: answer('It is on the list.', 'FoundHash'),
          400: WRONG_REQUEST,
          404: NOT_THERE,
          ...OF_THE_GUARD,
        },
      },
      put: {
        operationId: `${name}-add`,
        tags,
        summary: `${add} a hash`,
        requestBody: reasonBody,
        responses: {
          200: answer('In force and stored.', 'Changed'),
          400: WRONG_REQUEST,
          413: TOO_LARGE,
          503: NOT_STORED,
          507: LIST_FULL,
          ...OF_THE_GUARD,
        },
      },
      delete: {
        operationId: `${name}-remove`,
        tags,
        summary: `${remove} a hash`,
        requestBody: reasonBody,
        responses: {
          200: answer('In force and stored.', 'Changed'),
          400: WRONG_REQUEST,
          404: NOT_THERE,
          409: BY_ENVIRONMENT,
          413: TOO_LARGE,
          503: NOT_STORED,
          507: LIST_FULL,
          ...OF_THE_GUARD,
        },
      },
    },
  };
}

const SWARM_PATHS = {
  '/admin/swarms/{infoHash}': {
    parameters: [INFO_HASH],
    get: {
      operationId: 'swarm-show',
      tags: ['swarms'],
      summary: 'The counts of a swarm, and whether it is served',
      responses: { 200: answer('What is known of it.', 'Swarm'), 400: WRONG_REQUEST, ...OF_THE_GUARD },
    },
    delete: {
      operationId: 'swarm-drop',
      tags: ['swarms'],
      summary: 'Forget the peers and the count of a swarm now',
      description:
        'The peers stay forgotten after a restart and on other trackers of the same store. The count of completed downloads goes with the next snapshot: a crash before it brings it back, and other trackers keep theirs. Peers that announce again are peers again: to keep them away, ban the hash, which drops the swarm too.',
      responses: {
        200: answer('It is gone.', 'DroppedSwarm'),
        400: WRONG_REQUEST,
        404: NOT_THERE,
        503: answer('The restore has not settled, and could bring the swarm back.', 'Error'),
        ...OF_THE_GUARD,
      },
    },
  },
};

const TRACKER_PATHS = {
  '/admin/status': {
    get: {
      operationId: 'status',
      tags: ['tracker'],
      summary: 'How the tracker is',
      responses: { 200: answer('The status.', 'Status'), ...OF_THE_GUARD },
    },
  },
  '/admin/snapshot': {
    post: {
      operationId: 'snapshot',
      tags: ['tracker'],
      summary: 'Save a snapshot now',
      description: 'Two that are asked for at once are one.',
      responses: {
        200: answer('It is saved, or nothing has changed since the last one.', 'Saved'),
        202: answer('It is still being saved; the status tells when it is done.', 'Saved'),
        503: answer('It was not saved.', 'NotSaved'),
        ...OF_THE_GUARD,
      },
    },
  },
};

const PUBLIC_PATHS = {
  '/admin/': {
    get: {
      operationId: 'page',
      tags: ['public'],
      summary: 'The page for people, which asks for the token',
      security: [],
      responses: {
        200: { description: 'The page.', content: { 'text/html': { schema: { type: 'string' } } } },
      },
    },
  },
  '/admin/openapi.json': {
    get: {
      operationId: 'openapi',
      tags: ['public'],
      summary: 'This document',
      security: [],
      responses: {
        200: {
          description: 'The document.',
          content: { 'application/json': { schema: { type: 'object' } } },
        },
      },
    },
  },
};

export function openApiDocument() {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Trakx administration',
      version: API_VERSION,
      summary: 'Bans and allowed hashes, swarms, snapshots and the status of a BitTorrent tracker.',
      description:
        'There only when the tracker was started with an ADMIN_TOKEN. Each change is answered 200 only when it is stored, and leaves a line in the log. A POST that the query or the path make no sense of is answered 400 or 404, another method 405.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: [
      { name: 'bans', description: 'Hashes that are not served.' },
      { name: 'allowed', description: 'Hashes that are served with ACCESS_MODE=allowlist.' },
      { name: 'swarms', description: 'One torrent’s peers, as counts.' },
      { name: 'tracker', description: 'The process and what it has saved.' },
      { name: 'public', description: 'Without a token.' },
    ],
    paths: { ...PUBLIC_PATHS, ...listPaths(BANS), ...listPaths(ALLOWED), ...SWARM_PATHS, ...TRACKER_PATHS },
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'ADMIN_TOKEN of the tracker’s environment.' },
      },
      responses: {
        NoToken: {
          ...answer('The token is missing or wrong.', 'Error'),
          headers: { 'WWW-Authenticate': { schema: { type: 'string' } } },
        },
        TooManyRequests: {
          ...answer(
            `More than ${REQUESTS_PER_MINUTE_MAX} requests within a minute; or ${WRONG_TOKENS_MAX} wrong tokens from this client within a quarter of an hour.`,
            'Error',
          ),
          headers: {
            'Retry-After': { schema: { type: 'integer' }, description: 'Seconds to wait.' },
          },
        },
      },
      schemas: SCHEMAS,
    },
  };
}
