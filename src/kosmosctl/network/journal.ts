import { isWell, trialKey, type Trial, type TrialResult } from './trial.js';

/** What makes results of two runs comparable. */
export interface JournalHead {
  /** UID of the host. */
  readonly host: string;
  /** Where the probes run: in pods, or in the nodes' own networks. */
  readonly from: 'pods' | 'nodes';
}

const VERSION = 1;

/** The first line of a journal. */
export function encodeHead(head: JournalHead): string {
  return `${JSON.stringify({ version: VERSION, ...head })}\n`;
}

export function encodeResult(result: TrialResult): string {
  return `${JSON.stringify(result)}\n`;
}

/** What a journal holds of a run of the same kind, by the key of the trial; undefined when it is of another kind. */
export function readJournal(text: string, head: JournalHead): ReadonlyMap<string, TrialResult> | undefined {
  const [first = '', ...lines] = text.split('\n');
  if (`${first}\n` !== encodeHead(head)) return undefined;
  return new Map(lines.flatMap(parseLine).map((result) => [trialKey(result), result]));
}

/** The last line may have been cut off in the middle. */
function parseLine(line: string): readonly TrialResult[] {
  try {
    return [JSON.parse(line) as TrialResult];
  } catch {
    return [];
  }
}

/** What is still to be tried, and what is known already. */
export interface Resumed {
  readonly todo: readonly Trial[];
  readonly done: readonly TrialResult[];
}

/** Leaves out what went well before, in each of its probes. */
export function resume(trials: readonly Trial[], before: ReadonlyMap<string, TrialResult>): Resumed {
  const todo: Trial[] = [];
  const done: TrialResult[] = [];
  for (const trial of trials) {
    const known = before.get(trialKey(trial));
    const covers = known !== undefined && trial.probes.every((probe) => known.probes.includes(probe));
    if (covers && isWell(known)) done.push(known);
    else todo.push(trial);
  }
  return { todo, done };
}
