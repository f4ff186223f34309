import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { inNamespace } from './network.js';
import { MARK, identify, isAlive, signalProcess, waitForEnd, type ProcessIdentity } from './processes.js';
import type { ProcessRecord, ProcessSpec, StateStore } from './state.js';

const STOP_LIMIT_MS = 20_000;
const TAIL_LINES = 25;

/** How a process ended: with an exit code or by a signal. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that this program started. */
export interface LabProcess {
  readonly pid: number;
  readonly logFile: string;
  /** Tells whether it still runs. */
  alive(): boolean;
  /** Sends a signal, by default SIGTERM; harmless when it has ended. */
  kill(signal?: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  wait(): Promise<ProcessEnd>;
}

/** The last lines of a log file. */
export function logTail(file: string, lines: number = TAIL_LINES): string {
  if (!existsSync(file)) return '(no log)';
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

function handleOf(child: ChildProcess, identity: ProcessIdentity, logFile: string): LabProcess {
  const ended = new Promise<ProcessEnd>((done) => child.once('exit', (code, signal) => done({ code, signal })));
  return {
    pid: identity.pid,
    logFile,
    alive: () => isAlive(identity),
    kill: (signal = 'SIGTERM') => signalProcess(identity, signal),
    wait: () => {
      child.ref();
      return ended;
    },
  };
}

/** Starts, stops and pauses the processes of one instance by their recorded ids. */
export class Supervisor {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  /** Starts a process in a session of its own, so that it outlives this program. */
  async start(spec: ProcessSpec): Promise<LabProcess> {
    const running = this.#store.loadProcess(spec.name);
    if (running !== undefined && isAlive(running.identity)) throw new Error(`${spec.name} runs already`);
    mkdirSync(dirname(spec.logFile), { recursive: true });
    const log = openSync(spec.logFile, 'a');
    const [command, args] =
      spec.namespace === null ? [spec.command, spec.args] : inNamespace(spec.namespace, spec.command, spec.args);
    const env = { ...process.env, ...spec.env, [MARK]: this.#store.directory };
    const child = spawn(command, args, { detached: true, stdio: ['ignore', log, log], env });
    closeSync(log);
    await new Promise<void>((done, failed) => {
      child.once('spawn', done);
      child.once('error', (error) => failed(new Error(`${spec.name} can't be started`, { cause: error })));
    });
    // A child that has ended already has no start time; any value will do for it.
    const pid = child.pid ?? 0;
    const identity = identify(pid) ?? { pid, startTicks: 'ended' };
    this.#store.saveProcess({ spec, identity });
    child.unref();
    return handleOf(child, identity, spec.logFile);
  }

  /** Starts a process again as it was started last. */
  async restart(name: string): Promise<LabProcess> {
    return this.start(this.#record(name).spec);
  }

  /** Ends a process; one that ignores the signal for 20 s is killed. */
  async stop(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { identity } = this.#record(name);
    signalProcess(identity, signal);
    // A stopped process acts on signals only once it continues.
    if (signal !== 'SIGKILL') signalProcess(identity, 'SIGCONT');
    try {
      await waitForEnd([identity], STOP_LIMIT_MS);
    } catch {
      signalProcess(identity, 'SIGKILL');
      await waitForEnd([identity], STOP_LIMIT_MS);
    }
  }

  /** Identity of the process that was last started under a name. */
  identity(name: string): ProcessIdentity {
    return this.#record(name).identity;
  }

  /** Log file of the process that was last started under a name. */
  logFile(name: string): string {
    return this.#record(name).spec.logFile;
  }

  /** @throws Error with the end of the log when the process doesn't run. */
  assertRunning(name: string): void {
    const { spec, identity } = this.#record(name);
    if (!isAlive(identity)) throw new Error(`${name} has ended; the end of ${spec.logFile}:\n${logTail(spec.logFile)}`);
  }

  #record(name: string): ProcessRecord {
    const record = this.#store.loadProcess(name);
    if (record === undefined) throw new Error(`no process ${name} was ever started in this lab`);
    return record;
  }
}
