/**
 * All of TypeBox that runs. `make build` joins its seven hundred files into this one: opening them
 * would take each process and thread 0.4 s of a core and 20 MB (perf/README.md).
 */
export { type Static, type TSchema, Type } from 'typebox';
export { Compile } from 'typebox/compile';
export { default as Format } from 'typebox/format';
