#!/usr/bin/env node
import { appendFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parse } from 'yaml';
import type { CliContext, Terminal } from '../kosmosctl/context.js';
import { EXIT } from '../kosmosctl/failure.js';
import type { Manifest } from '../kosmosctl/manifests/installation.js';
import { StandardInput } from '../kosmosctl/standard-input.js';
import { runCli } from '../kosmosctl/program/program.js';
import { systemClock as clock } from '../lib/clock.js';

/** Where the compiled program is: dist/src/bin below the root of the package. */
const ROOT = join(import.meta.dirname, '../../..');

const interactive = process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY;

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  write: (bytes, to = 'out') => {
    const stream = to === 'out' ? process.stdout : process.stderr;
    // Somebody who has gone reads no more, and is no error.
    return new Promise((resolve) => stream.write(bytes, () => resolve()));
  },
  interactive,
  color: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
  confirm: async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return /^y(?:es)?$/i.test((await lines.question(`${question} [y/N] `, { signal: stop.signal })).trim());
    } finally {
      lines.close();
    }
  },
};

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // Whoever asks twice doesn't want to wait until things are in order.
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort(new Error('interrupted'));
  });
}
// Somebody who reads only the beginning, as head does, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.done);
  throw error;
});

let ownExitCode: number | undefined;
const context: CliContext = {
  terminal,
  input: new StandardInput(process.stdin, process.stdout),
  clock,
  environment: process.env,
  readFile: (path) => readFileSync(path, 'utf8'),
  writeFile: (path, text) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o600 });
  },
  appendFile: (path, text) => appendFileSync(path, text),
  homeDirectory: homedir(),
  version: (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version,
  crds: () => {
    const folder = join(ROOT, 'crds');
    const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
    return names.sort().map((name) => parse(readFileSync(join(folder, name), 'utf8')) as Manifest);
  },
  signal: stop.signal,
  setExitCode: (code) => {
    ownExitCode = code;
  },
};

const code = await runCli(process.argv.slice(2), context);
process.exitCode = code === EXIT.done ? (ownExitCode ?? code) : code;
