const { join } = require('node:path');

/**
 * Who may import whom. The rules read folders, so a module is covered the day its folder is created; each comment says
 * what to do instead. test/architecture.spec.ts proves that every rule can fail.
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */
module.exports = {
  forbidden: [
    {
      name: 'modules-meet-at-their-events',
      comment:
        'A module may import nothing of another one but its <module>.events.ts. Subscribe to what it says, and answer with an event of your own.',
      severity: 'error',
      from: { path: '^src/(?!common/)([^/]+)/' },
      to: { path: '^src/(?!common/)[^/]+/', pathNot: ['^src/$1/', '^src/([^/]+)/\\1[.]events[.]ts$'] },
    },
    {
      name: 'outsiders-know-events-only',
      comment:
        'Outside of a module only app.module.ts may import more than its events file. Ask over HTTP, hear its events, or take MODULES from app.module.ts.',
      severity: 'error',
      from: { pathNot: ['^src/app[.]module[.]ts$', '^src/[^/]+/'] },
      to: { path: '^src/(?!common/)[^/]+/', pathNot: '^src/([^/]+)/\\1[.]events[.]ts$' },
    },
    {
      name: 'the-app-knows-modules-only',
      comment:
        'app.module.ts lists the <module>.module.ts files and imports nothing else of them. Let the module do it.',
      severity: 'error',
      from: { path: '^src/app[.]module[.]ts$' },
      to: { path: '^src/(?!common/)[^/]+/', pathNot: '^src/([^/]+)/\\1[.]module[.]ts$' },
    },
    {
      name: 'common-knows-no-module',
      comment: 'common/ could be a library. Let the module hand over what common needs of it, or move the code there.',
      severity: 'error',
      from: { path: '^src/common/' },
      to: { path: '^src/(?!common/)[^/]+/' },
    },
    {
      name: 'nobody-imports-notifications',
      comment: 'notifications is a sink: it hears everybody and nobody asks it. Say an event that it can react to.',
      severity: 'error',
      from: { pathNot: ['^src/notifications/', '^src/app[.]module[.]ts$'] },
      to: { path: '^src/notifications/' },
    },
    {
      name: 'contracts-are-leaves',
      comment:
        'An events file imports the contract helper, shared values and zod, so that nothing of the inside leaks into a contract. Write the field down in its schema.',
      severity: 'error',
      from: { path: '^src/(?!common/)[^/]+/[^/]+[.]events[.]ts$' },
      to: {
        pathNot: ['^src/common/events/domain-event[.]ts$', '^src/common/values/', '(^|/)node_modules/zod/'],
      },
    },
    {
      name: 'one-way-down',
      comment:
        'Controllers and reactions call services, services call entities. Hand the value down as a parameter instead of reaching up for it.',
      severity: 'error',
      from: { path: '[.](service|entity)[.]ts$' },
      to: { path: '^src/.*[.](controller|dto|reactions)[.]ts$' },
    },
    {
      name: 'no-cycles',
      comment: 'These files import each other in a circle. Move what both need into a file of its own.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'queues-stay-in-the-backbone',
      comment: 'Only common/events/ knows BullMQ and Redis. Use @ReactsTo(…, { later: true }) or @SideEffect.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/common/events/', '[.]spec[.]ts$'] },
      to: { path: '(^|/)node_modules/(bullmq|@nestjs/bullmq|ioredis)/' },
    },
    {
      name: 'the-emitter-stays-in-the-backbone',
      comment: 'Only common/events/ knows the event emitter. Publish through tx.publish and subscribe with @ReactsTo.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/common/events/', '[.]spec[.]ts$'] },
      to: { path: '(^|/)node_modules/(@nestjs/event-emitter|eventemitter2)/' },
    },
    {
      name: 'modules-know-no-http-server',
      comment:
        'Only common/http/ and the start know on what HTTP runs. Take what a handler needs by decorators, and return what it answers.',
      severity: 'error',
      from: { path: '^src/(?!common/)[^/]+/' },
      to: { path: '(^|/)node_modules/(@nestjs/platform-[^/]+|@?fastify|express)/' },
    },
    {
      name: 'metrics-are-written-in-one-place',
      comment: 'Only common/metrics/ knows how metrics are written. Count with what its measures.ts has.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/common/metrics/'] },
      to: { path: '(^|/)node_modules/prom-client/' },
    },
    {
      name: 'the-program-does-without-tests',
      comment: 'What the program needs is no part of its tests. Move it out of common/testing/ or the spec.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['[.]spec[.]ts$', '^src/common/testing/'] },
      to: { path: '([.]spec[.]ts$|^src/common/testing/|^test/)' },
    },
    {
      name: 'imports-lead-somewhere',
      comment: 'There is no such file or package. Correct the path, or add the package to package.json.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: '(^|/)node_modules/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: join(__dirname, 'tsconfig.json') },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'types'] },
  },
};
