import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { buildIfStale } from './setup.mjs';

// Writes the OpenAPI document of the program to the given file. In preview mode Nest reads the modules but creates no
// instances, so no database, queue or network is needed.
buildIfStale();
const { AppModule } = await import('../dist/app.module.js');
const { createAdapter } = await import('../dist/common/http/http-app.js');
const { createOpenApi } = await import('../dist/common/open-api/open-api.js');
const { readConfig } = await import('../dist/config.js');
const { API_INFO } = await import('../dist/start.js');

const whole = AppModule.of({ config: readConfig({ NODE_ENV: 'test' }), database: null, databaseUrl: '' });
const app = await NestFactory.create(whole, createAdapter(), { preview: true, logger: false, abortOnError: false });
writeFileSync(process.argv[2], JSON.stringify(createOpenApi(app, API_INFO), null, 2));
