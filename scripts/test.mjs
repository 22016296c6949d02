import { buildIfStale, checkNode, installIfStale, run } from './setup.mjs';

checkNode();
installIfStale();
buildIfStale();
process.exit(run(process.execPath, ['node_modules/jest/bin/jest.js', ...process.argv.slice(2)], { mayFail: true }));
