/** For `NODE_OPTIONS=--import`: the machine has as many cores as FAKED_CORES says. */
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

const cores = Number(process.env['FAKED_CORES']);
os.availableParallelism = () => cores;
syncBuiltinESMExports();
