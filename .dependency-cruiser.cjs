// The arrows between rooms, as drawn in docs/architecture.md. A room imports what is listed here, and nothing else of ours.
const arrows = {
  ledger: [],
  pricing: [],
  cashu: [],
  sidecar: ['ledger', 'pricing', 'cashu'],
  cli: ['ledger'],
};

const rooms = Object.entries(arrows).map(([room, may]) => ({
  name: `${room}-imports-only-${may.join('-') || 'itself'}`,
  severity: 'error',
  from: { path: `^${room}/`, pathNot: '\\.test\\.ts$' },
  to: {
    path: '^[^/]+(/|\\.ts$)',
    pathNot: `^(${[room, ...may].join('|')})/|^node_modules/`,
    dependencyTypesNot: ['npm', 'npm-dev', 'core'],
  },
}));

module.exports = {
  forbidden: [
    ...rooms,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'pricing-does-no-io',
      comment: 'pricing is pure functions: no disk, no network, no clock',
      severity: 'error',
      from: { path: '^pricing/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'only-cashu-uses-cashu-ts',
      severity: 'error',
      from: { pathNot: '^(cashu|sqlite-dev|tests|bench)/' },
      to: { path: '@cashu/cashu-ts' },
    },
    {
      name: 'only-ledger-uses-sql',
      severity: 'error',
      from: { pathNot: '^(ledger|tests|bench)/' },
      to: { path: 'node_modules/(better-sqlite3|kysely|pg)/' },
    },
    {
      name: 'configuration-is-read-in-one-place',
      comment: 'each program has main.ts and config.ts; nobody imports a program',
      severity: 'error',
      from: {},
      to: { path: '^[^/]+/main\\.ts$' },
    },
    {
      name: 'no-dev-dependencies-in-production',
      severity: 'error',
      from: { path: '^(ledger|pricing|cashu|sidecar|cli)/', pathNot: '\\.test\\.ts$|/contract/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^\\.dev/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
