import { Command, InvalidArgumentError } from 'commander';

/** What a benchmark of streams is asked to do. */
export interface StreamBenchOptions {
  /** Runs of each transfer; the results are medians. */
  readonly repeat: number;
  /** Round trips on each path. */
  readonly pings: number;
  /** Exec sessions at once; 0 leaves that out. */
  readonly sessions: number;
  /** Pods whose logs are followed at once; 0 leaves that out. */
  readonly followed: number;
  readonly json: boolean;
  readonly instance: string;
  /** Leave the lab running. */
  readonly keep: boolean;
  /** Runs in the lab's client namespace already. */
  readonly inside: boolean;
}

function atLeast(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum) {
      throw new InvalidArgumentError(`must be a whole number of at least ${minimum}.`);
    }
    return value;
  };
}

/** Reads the command line. Ends the process with a message when it is wrong. */
export function parseStreamOptions(argv: readonly string[]): StreamBenchOptions {
  return new Command('bench:streams')
    .description(
      'Measures logs and exec through the manager, through a bare byte pipe in its place, and without a hop.',
    )
    .option('--repeat <n>', 'runs of each transfer; the results are medians', atLeast(1), 5)
    .option('--pings <n>', 'round trips on each path', atLeast(1), 500)
    .option('--sessions <n>', 'exec sessions at once', atLeast(0), 500)
    .option('--followed <n>', 'pods whose logs are followed at once', atLeast(0), 200)
    .option('--json', 'print one JSON object and nothing else on standard output', false)
    .option('--instance <name>', 'name of the lab', 'bench-streams')
    .option('--keep', 'leave the lab running', false)
    .option('--inside', 'for internal use', false)
    .parse([...argv], { from: 'user' })
    .opts<StreamBenchOptions>();
}
