#!/usr/bin/env -S node --max-semi-space-size=8 --heap-growing-percent=30
import { readFileSync } from 'node:fs';
import { errorMessage } from '../lib/errors.js';
import { createLogger } from '../runtime/logging.js';
import { renderHelp } from '../runtime/options.js';
import { runUntilSignal } from '../runtime/process.js';
import { compileManagerOptions, MANAGER_OPTIONS, type ManagerOptions } from './manager-options.js';
import { runManager } from './manager-process.js';

const USAGE_ERROR = 2;
const flags = process.argv.slice(2);

function readOptions(): ManagerOptions | undefined {
  try {
    const readFile = (path: string): string => readFileSync(path, 'utf8');
    return compileManagerOptions({ flags, environment: process.env, readFile });
  } catch (error) {
    process.stderr.write(`${errorMessage(error)}\n`);
    process.exitCode = USAGE_ERROR;
    return undefined;
  }
}

if (flags.includes('--help')) {
  process.stdout.write(renderHelp('kosmos-manager [options]', MANAGER_OPTIONS));
} else {
  const options = readOptions();
  if (options !== undefined) {
    const logger = createLogger({ level: options.logLevel });
    await runUntilSignal((signal) => runManager(options, process.env, logger, signal), { logger });
  }
}
