import { buildIfStale, checkNode, installIfStale } from './setup.mjs';

checkNode();
installIfStale();
buildIfStale();
