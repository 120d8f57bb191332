/**
 * The parts of TypeBox used at runtime. `make build` bundles its seven hundred files into this one:
 * opening them would cost each process and thread 0.4 s of CPU time and 20 MB (perf/README.md).
 */
export { type Static, type TSchema, Type } from 'typebox';
export { Compile } from 'typebox/compile';
export { default as Format } from 'typebox/format';
