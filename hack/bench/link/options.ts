import { Command, InvalidArgumentError } from 'commander';

/** What a benchmark of ClusterLink is asked to do. */
export interface LinkBenchOptions {
  /** Names of the parts to run; all of them when empty. */
  readonly parts: readonly string[];
  /** Runs of everything that is timed; the results are medians. */
  readonly repeat: number;
  /** Size of the federation that is planned. */
  readonly clusters: number;
  readonly nodes: number;
  readonly json: boolean;
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
export function parseLinkOptions(argv: readonly string[], parts: readonly string[]): LinkBenchOptions {
  const known = (text: string): readonly string[] => {
    const names = text.split(',');
    const unknown = names.find((name) => !parts.includes(name));
    if (unknown !== undefined) throw new InvalidArgumentError(`has ${unknown}, which is none of ${parts.join(', ')}.`);
    return names;
  };
  return new Command('bench:link')
    .description('Measures what ClusterLink costs.')
    .option('--parts <names>', `of ${parts.join(', ')}; all of them when absent`, known, [])
    .option('--repeat <n>', 'runs of everything that is timed; the results are medians', atLeast(1), 5)
    .option('--clusters <n>', 'clusters that are planned for', atLeast(2), 100)
    .option('--nodes <n>', 'nodes of each of them', atLeast(3), 100)
    .option('--json', 'print one JSON object and nothing else on standard output', false)
    .parse([...argv], { from: 'user' })
    .opts<LinkBenchOptions>();
}
