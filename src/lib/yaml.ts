import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

const require = createRequire(import.meta.url);

/** The library for YAML, loaded when it is first needed: a process that reads no file in YAML goes without its 3 MiB. */
export function yaml(): typeof Yaml {
  return require('yaml') as typeof Yaml;
}
