#!/usr/bin/env -S node --max-semi-space-size=1 --max-old-space-size=64 --optimize-for-size --no-opt --no-maglev --no-sparkplug --v8-pool-size=0 --liftoff-only
import { readFileSync } from 'node:fs';
import { errorMessage } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { createLogger } from '../runtime/logging.js';
import { renderHelp } from '../runtime/options.js';
import { runUntilSignal } from '../runtime/process.js';
import {
  AGENT_OPTIONS,
  type AgentCommand,
  type AgentOptions,
  compileAgentOptions,
  splitCommand,
} from './agent-options.js';

const USAGE_ERROR = 2;
const USAGE = 'kosmos-agent [run|uninstall|floater|probe] [options]';
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

type Run = (
  options: AgentOptions,
  environment: NodeJS.ProcessEnv,
  logger: Logger,
  signal: AbortSignal,
) => Promise<void>;

/** Each command loads only what it needs: an agent is to stay small, and a floater to be there at once. */
const RUNS: Readonly<Record<AgentCommand, () => Promise<Run>>> = {
  run: async () => (await import('./agent-process.js')).runAgent,
  uninstall: async () => (await import('./agent-process.js')).uninstallAgent,
  floater: async () => (await import('./floater-process.js')).runFloater,
  probe: async () => (await import('./floater-process.js')).runProbes,
};

if (flags.includes('--help')) {
  process.stdout.write(renderHelp(USAGE, AGENT_OPTIONS));
} else {
  const options = readOptions();
  if (options !== undefined) {
    const logger = createLogger({ level: options.logLevel });
    const run = await RUNS[command]();
    await runUntilSignal((signal) => run(options, process.env, logger, signal), { logger });
  }
}
