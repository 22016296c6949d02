import 'reflect-metadata';
import { runProgram } from './backbone/run-program.js';
import { bannerOf } from './banner.js';
import { readConfig, readEnvironment } from './config.js';
import { start } from './start.js';

await runProgram('Orderly', async () => {
  const config = readConfig(readEnvironment());
  const program = await start(config);
  return { program, banner: (startMs) => bannerOf(program, config, startMs) };
});
