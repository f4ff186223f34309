import type { CliContext } from '../context.js';
import { encodeHead, encodeResult, readJournal, type JournalHead } from './journal.js';
import type { TrialResult } from './trial.js';

/**
 * The results of the last check, on the machine of whoever made it: it may be larger than an object in an API server, needs
 * no right, and each result is safe as soon as it is known.
 */
export class JournalFile {
  readonly #path: string;
  readonly #files: Pick<CliContext, 'readFile' | 'writeFile' | 'appendFile'>;

  constructor(path: string, files: Pick<CliContext, 'readFile' | 'writeFile' | 'appendFile'>) {
    this.#path = path;
    this.#files = files;
  }

  /** What is known from before; undefined when there is nothing, or it is of another kind. */
  read(head: JournalHead): ReadonlyMap<string, TrialResult> | undefined {
    let text: string;
    try {
      text = this.#files.readFile(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    return readJournal(text, head);
  }

  /** Starts anew, with what is still good. */
  begin(head: JournalHead, known: readonly TrialResult[]): void {
    this.#files.writeFile(this.#path, encodeHead(head) + known.map(encodeResult).join(''));
  }

  add(result: TrialResult): void {
    this.#files.appendFile(this.#path, encodeResult(result));
  }
}
