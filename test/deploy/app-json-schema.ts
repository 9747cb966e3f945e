/**
 * What Heroku's app.json may hold, as a JSON schema, from https://devcenter.heroku.com/articles/app-json-schema. Keys
 * that the page does not name are refused, so that a misspelt one is found before a deploy ignores it.
 */
const text = (maxLength?: number) =>
  maxLength === undefined ? { type: 'string', minLength: 1 } : { type: 'string', minLength: 1, maxLength };

const variable = {
  type: 'object',
  additionalProperties: false,
  required: ['description'],
  properties: {
    description: text(),
    value: { type: 'string' },
    required: { type: 'boolean' },
    generator: { const: 'secret' },
  },
};

const addOn = {
  anyOf: [
    { type: 'string', pattern: '^[a-z0-9-]+(:[a-z0-9-]+)?$' },
    {
      type: 'object',
      additionalProperties: false,
      required: ['plan'],
      properties: {
        plan: { type: 'string', pattern: '^[a-z0-9-]+(:[a-z0-9-]+)?$' },
        as: { type: 'string', pattern: '^[A-Z][A-Z0-9_]*$' },
        options: { type: 'object' },
      },
    },
  ],
};

const scripts = {
  type: 'object',
  additionalProperties: false,
  properties: { postdeploy: text(), 'pr-predestroy': text(), 'test-setup': text(), test: text() },
};

const formation = {
  type: 'object',
  additionalProperties: {
    type: 'object',
    additionalProperties: false,
    required: ['quantity'],
    properties: {
      quantity: { type: 'integer', minimum: 0 },
      size: {
        enum: ['eco', 'basic', 'standard-1x', 'standard-2x', 'performance-m', 'performance-l'],
      },
    },
  },
};

const buildpacks = {
  type: 'array',
  items: { type: 'object', additionalProperties: false, required: ['url'], properties: { url: text() } },
};

/** What stands at the top may stand in an environment too. */
const shared = {
  env: { type: 'object', propertyNames: { pattern: '^[A-Z][A-Z0-9_]*$' }, additionalProperties: variable },
  addons: { type: 'array', items: addOn },
  buildpacks,
  formation,
  scripts,
};

export const APP_JSON_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'description', 'env', 'formation', 'addons', 'success_url', 'buildpacks'],
  properties: {
    name: text(30),
    description: text(),
    keywords: { type: 'array', items: text() },
    website: { type: 'string', pattern: '^https?://' },
    repository: { type: 'string', pattern: '^https?://' },
    logo: { type: 'string', pattern: '^https?://' },
    success_url: { type: 'string', pattern: '^(/|https?://)' },
    stack: { enum: ['heroku-22', 'heroku-24', 'container'] },
    image: text(),
    ...shared,
    environments: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        properties: { ...shared, stack: text() },
      },
    },
  },
} as const;
