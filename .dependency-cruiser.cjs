const { join } = require('node:path');

/** The rooms of machinery; every other folder of src is a business module. */
const MACHINERY = 'common/|backbone/|operations/';
const MODULE = `^src/(?!${MACHINERY})[^/]+/`;
const SPEC = '[.]spec[.]ts$';
const TESTING = '^src/[^/]+/testing/';

/**
 * Which file may import which. The rules read folders, so a module is covered from the day on which its folder is created.
 * Each comment says what to do instead. test/architecture.spec.ts proves that every rule can fail, and finds cycles
 * between folders.
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */
module.exports = {
  forbidden: [
    {
      name: 'modules-import-only-events-of-modules',
      comment:
        'A module imports nothing of another module but its <module>.events.ts. Subscribe to its events, and answer with an event of your own.',
      severity: 'error',
      from: { path: `^src/(?!${MACHINERY})([^/]+)/` },
      to: { path: MODULE, pathNot: ['^src/$1/', '^src/([^/]+)/\\1[.]events[.]ts$'] },
    },
    {
      name: 'only-app-module-imports-modules',
      comment:
        'Outside of a module only app.module.ts imports more than its events file. Use HTTP, subscribe to its events, or take MODULES from app.module.ts.',
      severity: 'error',
      from: { pathNot: ['^src/app[.]module[.]ts$', '^src/[^/]+/'] },
      to: { path: MODULE, pathNot: '^src/([^/]+)/\\1[.]events[.]ts$' },
    },
    {
      name: 'app-module-imports-module-files-only',
      comment: 'app.module.ts imports the <module>.module.ts files and nothing else of modules. Let the module do it.',
      severity: 'error',
      from: { path: '^src/app[.]module[.]ts$' },
      to: { path: MODULE, pathNot: '^src/([^/]+)/\\1[.]module[.]ts$' },
    },
    {
      name: 'common-imports-common-only',
      comment:
        'common/ knows no event and no module. Let the other room pass in what common needs, or move the code there.',
      severity: 'error',
      from: { path: '^src/common/', pathNot: SPEC },
      to: { path: '^src/(?!common/)' },
    },
    {
      name: 'backbone-imports-common-only',
      comment:
        'backbone/ serves any domain: it imports common/ and nothing else of src. Let modules or operations contribute what it needs.',
      severity: 'error',
      from: { path: '^src/backbone/', pathNot: SPEC },
      to: { path: '^src/(?!common/|backbone/)' },
    },
    {
      name: 'operations-imports-no-module',
      comment: 'operations/ serves any module. Declare an extension point at its top, and let the module contribute.',
      severity: 'error',
      from: { path: '^src/operations/', pathNot: [SPEC, TESTING] },
      to: { path: `^src/(?!${MACHINERY})` },
    },
    {
      name: 'room-internals-are-private',
      comment:
        'Modules and the files of src/ import only the top-level files of backbone/ and operations/. Use those, or extend them.',
      severity: 'error',
      from: { path: `^src/(?!${MACHINERY})`, pathNot: SPEC },
      to: { path: '^src/(backbone|operations)/[^/]+/' },
    },
    {
      name: 'examples-use-the-backbone-and-common-only',
      comment:
        'An example is a program of its own: of src/ it imports the top-level files of backbone/, and common/. Write the rest in the example, or move what every program needs to the backbone.',
      severity: 'error',
      from: { path: '^examples/([^/]+)/' },
      to: {
        path: '^(src|test|bench|scripts|examples)/',
        pathNot: ['^examples/$1/', '^src/backbone/[^/]+$', '^src/common/'],
      },
    },
    {
      name: 'no-imports-of-notifications',
      comment: 'notifications publishes nothing and answers nobody. Publish an event that it can react to.',
      severity: 'error',
      from: { pathNot: ['^src/notifications/', '^src/app[.]module[.]ts$'] },
      to: { path: '^src/notifications/' },
    },
    {
      name: 'events-files-import-no-internals',
      comment:
        'An events file imports the contract helper, shared values and zod, so that no inside of a module gets into a contract. Write the field into its schema.',
      severity: 'error',
      from: { path: `${MODULE}[^/]+[.]events[.]ts$` },
      to: { pathNot: ['^src/backbone/domain-event[.]ts$', '^src/common/values/', '(^|/)node_modules/zod/'] },
    },
    {
      name: 'services-import-no-controllers',
      comment:
        'Controllers and reactions call services, services call entities. Pass the value as a parameter instead of importing upwards.',
      severity: 'error',
      from: { path: '[.](service|entity)[.]ts$' },
      to: { path: '^src/.*[.](controller|dto|reactions)[.]ts$' },
    },
    {
      name: 'no-cycles',
      comment: 'These files import each other in a cycle. Move what both need into a file of its own.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'bullmq-in-queue-folder-only',
      comment:
        'Only backbone/queue/ imports BullMQ and Redis clients. Use @ReactsTo(…, { later: true }) or @SideEffect.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/backbone/queue/', SPEC] },
      to: { path: '(^|/)node_modules/(bullmq|@nestjs/bullmq|ioredis)/' },
    },
    {
      name: 'event-emitter-in-backbone-only',
      comment:
        'Only backbone/publishing/ and backbone.module.ts import the event emitter. Publish with tx.publish and subscribe with @ReactsTo.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/backbone/(publishing/|backbone[.]module[.]ts$)', SPEC] },
      to: { path: '(^|/)node_modules/(@nestjs/event-emitter|eventemitter2)/' },
    },
    {
      name: 'modules-import-no-http-server',
      comment:
        'Modules do not know the HTTP server. Take what a handler needs by decorators, and return the response body.',
      severity: 'error',
      from: { path: MODULE },
      to: { path: '(^|/)node_modules/(@nestjs/platform-[^/]+|@?fastify|express)/' },
    },
    {
      name: 'prom-client-in-metrics-only',
      comment: 'Only common/metrics/ imports prom-client. Use defineCounter, defineGauge or defineHistogram.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/common/metrics/'] },
      to: { path: '(^|/)node_modules/prom-client/' },
    },
    {
      name: 'program-imports-no-test-code',
      comment: 'The program does not import test code. Move what it needs out of testing/ or the spec.',
      severity: 'error',
      from: { path: '^src/', pathNot: [SPEC, TESTING] },
      to: { path: `(${SPEC}|${TESTING}|^test/)` },
    },
    {
      name: 'imports-are-resolved',
      comment: 'There is no such file or package. Correct the path, or add the package to package.json.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // Compiled code of an example.
    exclude: { path: '^examples/[^/]+/dist' },
    doNotFollow: { path: '(^|/)node_modules/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: join(__dirname, 'tsconfig.json') },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'types'] },
  },
};
