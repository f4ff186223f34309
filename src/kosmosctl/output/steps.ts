import { Listr, PRESET_TIMER, type ListrTask } from 'listr2';
import type { CliContext } from '../context.js';
import { CliError } from '../failure.js';
import { explainError } from '../explain-error.js';

/** One thing that a command does. */
export interface Step {
  readonly title: string;
  /** Tells how far it is; may return a remark about the outcome. */
  readonly run: (report: (detail: string) => void) => Promise<string | undefined>;
}

/** Runs steps one after the other and shows them with their times. The first failure ends it, and says in which step. */
export async function runSteps(context: Pick<CliContext, 'terminal' | 'clock'>, steps: readonly Step[]): Promise<void> {
  if (context.terminal.interactive) await runLive(steps);
  else for (const step of steps) await runPlain(context, step);
}

async function runLive(steps: readonly Step[]): Promise<void> {
  const tasks: ListrTask[] = steps.map((step) => ({
    title: step.title,
    task: async (_shared, task): Promise<void> => {
      const remark = await guarded(step, (detail) => (task.output = detail));
      if (remark !== undefined) task.title = `${step.title}: ${remark}`;
    },
  }));
  await new Listr(tasks, {
    concurrent: false,
    registerSignalListeners: false,
    // The failure is printed once, in the end.
    rendererOptions: { timer: PRESET_TIMER, showErrorMessage: false },
  }).run();
}

async function runPlain({ terminal, clock }: Pick<CliContext, 'terminal' | 'clock'>, step: Step): Promise<void> {
  const started = clock.monotonic();
  let last = '';
  const remark = await guarded(step, (detail) => {
    if (detail !== last) terminal.err(`...  ${step.title}: ${detail}\n`);
    last = detail;
  });
  const seconds = ((clock.monotonic() - started) / 1000).toFixed(1);
  terminal.err(`ok   ${step.title}${remark === undefined ? '' : `: ${remark}`} (${seconds}s)\n`);
}

async function guarded(step: Step, report: (detail: string) => void): Promise<string | undefined> {
  try {
    return await step.run(report);
  } catch (error) {
    const { message, cure, exitCode, cause } = explainError(error);
    throw new CliError(`${step.title}: ${message}`, { cure, exitCode, cause: cause ?? error });
  }
}
