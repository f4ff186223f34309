import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { silentLogger, type Logger } from '../../../src/lib/logger.js';
import { runUntilSignal, type ProcessLike } from '../../../src/runtime/process.js';
import { FakeClock, settle } from '../../support/fake-clock.js';

class FakeProcess extends EventEmitter implements ProcessLike {
  exitCode: number | undefined;
  readonly exits: number[] = [];

  exit(code: number): void {
    this.exits.push(code);
  }
}

describe('runUntilSignal', () => {
  let fake: FakeProcess;
  let clock: FakeClock;
  let messages: string[];

  const logger: Logger = {
    ...silentLogger,
    info: (message) => messages.push(message),
    error: (message) => messages.push(message),
  };
  const run = (main: (signal: AbortSignal) => Promise<void>): Promise<void> =>
    runUntilSignal(main, { logger, clock, process: fake });
  const untilStopped = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

  beforeEach(() => {
    fake = new FakeProcess();
    clock = new FakeClock();
    messages = [];
  });

  afterEach(() => {
    expect(fake.eventNames(), 'listeners left').to.deep.equal([]);
    expect(clock.pendingTimers, 'timers left').to.equal(0);
  });

  for (const name of ['SIGTERM', 'SIGINT']) {
    it(`stops in order on ${name}`, async () => {
      const running = run(untilStopped);
      fake.emit(name, name);
      await running;
      expect([fake.exitCode, fake.exits, messages]).to.deep.equal([0, [], ['stopping']]);
    });
  }

  it('ends with 0 when main ends by itself', async () => {
    await run(() => Promise.resolve());
    expect([fake.exitCode, fake.exits]).to.deep.equal([0, []]);
  });

  it('ends with 0 when main rejects with the reason of the signal', async () => {
    const running = run(async (signal) => {
      await untilStopped(signal);
      signal.throwIfAborted();
    });
    fake.emit('SIGTERM', 'SIGTERM');
    await running;
    expect(fake.exitCode).to.equal(0);
  });

  it('ends with 1, without cutting anything off, when main fails', async () => {
    await run(() => Promise.reject(new Error('no')));
    expect([fake.exitCode, fake.exits, messages]).to.deep.equal([1, [], ['the process failed']]);
  });

  it('exits with 1 on a second signal', async () => {
    let end = (): void => undefined;
    const running = run(() => new Promise((resolve) => (end = resolve)));
    fake.emit('SIGTERM', 'SIGTERM');
    fake.emit('SIGINT', 'SIGINT');
    expect(fake.exits).to.deep.equal([1]);
    end();
    await running;
  });

  it('exits with 1 when it takes longer than 25 s to stop', async () => {
    let end = (): void => undefined;
    const running = run(() => new Promise((resolve) => (end = resolve)));
    fake.emit('SIGTERM', 'SIGTERM');
    await clock.advance(24_999);
    expect(fake.exits).to.deep.equal([]);
    await clock.advance(1);
    expect(fake.exits).to.deep.equal([1]);
    end();
    await running;
  });

  for (const event of ['uncaughtException', 'unhandledRejection']) {
    it(`logs and exits with 1 on ${event}`, async () => {
      let end = (): void => undefined;
      const running = run(() => new Promise((resolve) => (end = resolve)));
      fake.emit(event, new Error('bug'));
      await settle();
      expect([fake.exits, messages]).to.deep.equal([[1], ['error that nobody caught, giving up']]);
      end();
      await running;
    });
  }
});

describe('a process under runUntilSignal', () => {
  const program = fileURLToPath(new URL('./programs/run-until-signal.js', import.meta.url));
  let child: ChildProcess;

  /** Starts the program, sends the signals as soon as it runs, and waits for its end. */
  async function runProgram(
    behaviour: string,
    ...signals: NodeJS.Signals[]
  ): Promise<{ code: number; output: string }> {
    child = spawn(process.execPath, [program, behaviour], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      if (output === '') for (const name of signals) child.kill(name);
      output += chunk.toString();
    });
    const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? -1)));
    return { code, output };
  }

  afterEach(() => child.kill('SIGKILL'));

  it('exits with 0 after SIGTERM and writes everything that it had to say', async () => {
    const { code, output } = await runProgram('normal', 'SIGTERM');
    expect(code).to.equal(0);
    expect(output).to.match(/^started\n.*"msg":"stopping"\}\nstopped x+ end\n$/);
  });

  it('exits with 1 when it hangs on stopping', async () => {
    const { code, output } = await runProgram('hang', 'SIGTERM');
    expect(code).to.equal(1);
    expect(output).to.contain('not stopped in time');
  });

  it('exits with 1 when it fails to start', async () => {
    const { code, output } = await runProgram('throw');
    expect(code).to.equal(1);
    expect(output).to.contain('cannot start');
  });

  it('exits with 1 on a rejection that nobody handles', async () => {
    const { code, output } = await runProgram('reject');
    expect(code).to.equal(1);
    expect(output).to.contain('nobody waits');
  });
});
