#!/usr/bin/env -S node --max-semi-space-size=1 --max-old-space-size=64 --optimize-for-size --no-opt --no-maglev --no-sparkplug --v8-pool-size=0
import { readFileSync } from 'node:fs';
import { errorMessage } from '../lib/errors.js';
import { createLogger } from '../runtime/logging.js';
import { renderHelp } from '../runtime/options.js';
import { runUntilSignal } from '../runtime/process.js';
import { AGENT_OPTIONS, type AgentOptions, compileAgentOptions, splitCommand } from './agent-options.js';
import { runAgent, runFloater, uninstallAgent } from './agent-process.js';

const USAGE_ERROR = 2;
const USAGE = 'kosmos-agent [run|uninstall|floater] [options]';
const { command, flags } = splitCommand(process.argv.slice(2));

function readOptions(): AgentOptions | undefined {
  try {
    const readFile = (path: string): string => readFileSync(path, 'utf8');
    return compileAgentOptions({ flags, environment: process.env, readFile }, command);
  } catch (error) {
    process.stderr.write(`${errorMessage(error)}\n`);
    process.exitCode = USAGE_ERROR;
    return undefined;
  }
}

if (flags.includes('--help')) {
  process.stdout.write(renderHelp(USAGE, AGENT_OPTIONS));
} else {
  const options = readOptions();
  if (options !== undefined) {
    const logger = createLogger({ level: options.logLevel });
    const run = { run: runAgent, uninstall: uninstallAgent, floater: runFloater }[command];
    await runUntilSignal((signal) => run(options, process.env, logger, signal), { logger });
  }
}
