// The house's one law: imports point downward. Each folder names here the folders it may import from,
// top to bottom; docs/architecture.md says why each arrow is drawn.
const leaves = ['log', 'slices', 'time-limit'];
const mayImport = {
  main: [
    'readings',
    'schedules',
    'http',
    'persistence',
    'tracker',
    'stats',
    'access',
    'swarm',
    'config',
    'protocol',
    ...leaves,
  ],
  readings: ['http', 'persistence', 'stats', 'access', 'swarm', 'config'],
  schedules: ['log'],
  cli: ['persistence', 'access', 'config', 'protocol', ...leaves],
  http: ['persistence', 'tracker', 'stats', 'access', 'swarm', 'config', 'protocol', ...leaves],
  persistence: ['tracker', 'stats', 'access', 'swarm', 'config', 'protocol', ...leaves],
  tracker: ['stats', 'access', 'swarm', 'config', 'protocol'],
  stats: ['access', 'swarm', 'config', 'protocol'],
  access: ['swarm', 'protocol'],
  swarm: [],
  config: ['protocol'],
  protocol: [],
  log: [],
  slices: [],
  'time-limit': [],
};

// The storeys of src/persistence/, which may import from those before them: what a store is, the bytes of objects, what is
// listed, what is merged into the table, then the three kinds of objects, and looking at a store from outside.
const persistenceStoreys = ['store', 'format', 'listing', 'merge', 'journal', 'snapshot', 'access', 'survey'];

// Packages that stand behind one door each, so that replacing one touches one place.
const doors = {
  express: ['http'],
  'express-rate-limit': ['http'],
  '@aws-sdk/client-s3': ['persistence'],
  winston: ['log'],
  'node-cron': ['schedules', 'config'],
  bencode: ['protocol'],
  commander: ['cli'],
  uplot: ['http'],
  'prom-client': ['stats'],
};

const room = (name) => `^src/${name}(/|\\.ts$)`;
const anyOf = (names) => (names.length === 0 ? '^$' : names.map(room).join('|'));

export default {
  forbidden: [
    ...Object.entries(mayImport).map(([name, allowed]) => ({
      name: `${name}-imports-downward`,
      severity: 'error',
      from: { path: room(name) },
      to: { path: '^src/', pathNot: anyOf([name, ...allowed]) },
    })),
    ...persistenceStoreys.map((name, storey) => ({
      name: `persistence-${name}-imports-downward`,
      severity: 'error',
      from: { path: room(`persistence/${name}`) },
      to: {
        path: '^src/persistence/',
        pathNot: anyOf(persistenceStoreys.slice(0, storey + 1).map((lower) => `persistence/${lower}`)),
      },
    })),
    ...Object.entries(doors).map(([name, rooms]) => ({
      name: `${name}-behind-its-door`,
      severity: 'error',
      from: { path: '^src/', pathNot: anyOf(rooms) },
      to: { path: `node_modules/${name}/` },
    })),
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nothing-outside-the-plan',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: anyOf([
          ...Object.keys(mayImport).filter((name) => name !== 'persistence'),
          ...persistenceStoreys.map((name) => `persistence/${name}`),
        ]),
      },
      to: {},
    },
    { name: 'nothing-unresolved', severity: 'error', from: { path: '^src/' }, to: { couldNotResolve: true } },
    {
      name: 'no-development-packages',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.json'] },
  },
};
