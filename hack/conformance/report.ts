/** How a spec ended. */
export interface SpecResult {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  /** Why it failed. */
  readonly message?: string;
}

/** What is read of ginkgo's JSON report (github.com/onsi/ginkgo/v2/types, Report). */
interface SuiteReport {
  readonly SpecReports?: readonly {
    readonly ContainerHierarchyTexts?: readonly string[] | null;
    readonly LeafNodeType: string;
    readonly LeafNodeText: string;
    readonly State: string;
    /** Nanoseconds. */
    readonly RunTime: number;
    readonly Failure?: { readonly Message?: string };
  }[];
}

/** States of specs that were not run. */
const LEFT_OUT = ['skipped', 'pending'];

/** All specs of a report that were run. @throws Error when the text is no report. */
export function readReport(text: string): readonly SpecResult[] {
  const suites = JSON.parse(text) as readonly SuiteReport[];
  return suites
    .flatMap((suite) => suite.SpecReports ?? [])
    .filter(({ LeafNodeType, State }) => !LEFT_OUT.includes(State) && (LeafNodeType === 'It' || State !== 'passed'))
    .map(({ ContainerHierarchyTexts, LeafNodeType, LeafNodeText, State, RunTime, Failure }) => ({
      name: [...(ContainerHierarchyTexts ?? []), LeafNodeText || LeafNodeType].join(' '),
      passed: State === 'passed',
      seconds: RunTime / 1e9,
      ...(Failure?.Message !== undefined && { message: Failure.Message }),
    }));
}

/** A line for each spec that failed, and the sum. */
export function summaryOf(results: readonly SpecResult[]): readonly string[] {
  const failures = results.filter(({ passed }) => !passed);
  return [
    ...failures.map(
      ({ name, message = 'no reason given' }) => `FAIL  ${name}\n      ${message.replace(/\n/g, '\n      ')}`,
    ),
    `${results.length - failures.length} passed, ${failures.length} failed`,
  ];
}

/** Tells of each spec as it ends, from ginkgo's verbose output, one line at a time. */
export class Progress {
  readonly #group: string;
  readonly #say: (line: string) => void;
  #spec = '';

  constructor(group: string, say: (line: string) => void) {
    this.#group = group;
    this.#say = say;
  }

  line(text: string): void {
    if (text.startsWith('[sig-')) this.#spec = text;
    const ended = /^• (\[FAILED\] )?\[(\d+)\.\d+ seconds\]/.exec(text);
    if (ended === null) return;
    this.#say(`  ${ended[1] === undefined ? 'ok  ' : 'FAIL'}  ${this.#group}: ${this.#spec} (${ended[2] ?? ''} s)`);
  }
}
