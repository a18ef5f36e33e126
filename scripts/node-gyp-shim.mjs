#!/usr/bin/env node
// prebuildify calls `<node-gyp> rebuild --target=… --devdir=… --arch=…`; the build is CMake's.
import { run } from './run.mjs';

run('npx', ['cmake-js', 'clean']);
run(process.execPath, ['scripts/build-native.mjs', '--release']);
