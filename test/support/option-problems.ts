import { OptionsError } from '../../src/runtime/options.js';

/** What is wrong with options, as compiling them says; nothing when it goes well. */
export function optionProblems(compile: () => unknown): readonly string[] {
  try {
    compile();
  } catch (error) {
    if (error instanceof OptionsError) return error.problems;
    throw error;
  }
  return [];
}
