import 'reflect-metadata';
import { startProgram } from '../../src/backbone/program.js';
import { runProgram } from '../../src/backbone/run-program.js';
import { AppModule, MODULES } from './app.module.js';
import { readConfig } from './config.js';

await runProgram('Sensors', async () => {
  const config = readConfig();
  const program = await startProgram({
    settings: config,
    modules: MODULES,
    api: { title: 'Sensors', description: 'Stores readings of temperature sensors and raises alerts.' },
    root: (database) => AppModule.of(config, database),
  });
  return { program, banner: (startMs) => bannerOf(program.url, startMs) };
});

function bannerOf(url: string, startMs: number): string {
  return `
  Sensors is open after ${(startMs / 1000).toFixed(1)} s

  Swagger UI   ${url}/docs
  Readings     ${url}/v1/readings
  Alerts       ${url}/v1/alerts

  Send a reading that raises an alert:

  curl -i ${url}/v1/readings -H 'content-type: application/json' -d '{"sensor":"boiler-1","celsius":91.5}'

  Ctrl-C stops. The data stays.
\n`;
}
