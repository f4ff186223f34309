/** Something that goes wrong at the command line, and what it says. Tests assert each message. */
export interface Mistake {
  /** What was wrong. */
  readonly mistake: string;
  /** What is printed; `…` stands for what differs from case to case. */
  readonly says: string;
  /** What to do; printed below the message, word by word, when `printed` is not false. */
  readonly cure: string;
  readonly code: 0 | 1 | 2 | 3 | 4 | 130;
  /** The cure is for the page only: the message says enough, or a helper text of the parser follows. */
  readonly printed?: false;
}

export function row(code: Mistake['code'], mistake: string, says: string, cure: string): Mistake {
  return { code, mistake, says, cure };
}

/** One whose message is all that is printed. */
export function plain(code: Mistake['code'], mistake: string, says: string, cure: string): Mistake {
  return { code, mistake, says, cure, printed: false };
}
