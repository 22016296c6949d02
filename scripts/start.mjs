import { buildIfStale, checkNode, installIfStale } from './setup.mjs';

checkNode();
installIfStale();
buildIfStale();
// In this process, not in another one: signals and exit codes are the program's own.
await import('../dist/main.js');
