import { Command, InvalidArgumentError } from 'commander';

/** What can be measured. */
export const PHASES = ['native', 'floor', 'virtual', 'paced'] as const;
export type Phase = (typeof PHASES)[number];

/** What a benchmark of pods is asked to do. */
export interface BenchOptions {
  readonly pods: number;
  readonly members: number;
  readonly phases: readonly Phase[];
  readonly repeat: number;
  /** All pods share one ConfigMap and one Secret. */
  readonly config: boolean;
  /** Pods have the token of their service account, as they do by default. */
  readonly token: boolean;
  readonly json: boolean;
  /** Pods per second of the paced phase. */
  readonly rate: number;
  /** Length of the paced phase. */
  readonly seconds: number;
  readonly instance: string;
  /** Leave the lab running. */
  readonly keep: boolean;
  /** Receives what the manager writes; a file of the lab when absent. */
  readonly managerLog?: string;
  /** Flags of node for the manager. */
  readonly managerNodeArgs: readonly string[];
  /** Runs in the lab's client namespace already. */
  readonly inside: boolean;
}

function positive(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) throw new InvalidArgumentError('must be a whole number of at least 1.');
  return value;
}

function phaseList(text: string): Phase[] {
  const names = text.split(',');
  const unknown = names.filter((name) => !PHASES.includes(name as Phase));
  if (unknown.length > 0) throw new InvalidArgumentError(`no such phase: ${unknown.join(', ')}.`);
  return PHASES.filter((phase) => names.includes(phase));
}

/** Reads the command line. Ends the process with a message when it is wrong. */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const program = new Command('bench:pods')
    .description('Measures pods natively, as the least that has to be done, and through the manager, in one run.')
    .option('--pods <n>', 'pods of a burst', positive, 1_000)
    .option('--members <n>', 'member clusters', positive, 2)
    .option('--phases <list>', `some of ${PHASES.join(',')}`, phaseList, [...PHASES])
    .option('--repeat <n>', 'runs; the results are medians', positive, 1)
    .option('--rate <n>', 'pods per second of the paced phase', positive, 5)
    .option('--seconds <n>', 'length of the paced phase', positive, 60)
    .option('--config', 'pods share one ConfigMap and one Secret', false)
    .option('--token', 'pods have the token of their service account', false)
    .option('--json', 'print one JSON object and nothing else on standard output', false)
    .option('--instance <name>', 'name of the lab', 'bench')
    .option('--keep', 'leave the lab running', false)
    .option('--manager-log <file>', 'where to keep the log of the manager')
    .option('--manager-node-args <flags>', 'flags of node for the manager, separated by blanks', '')
    .option('--inside', 'for internal use', false)
    .parse([...argv], { from: 'user' });
  const flags = program.opts<Omit<BenchOptions, 'managerNodeArgs'> & { managerNodeArgs: string }>();
  return { ...flags, managerNodeArgs: flags.managerNodeArgs.split(' ').filter((flag) => flag !== '') };
}
