import { readFileSync } from 'node:fs';

/** The flags of node in the first line of a program, which count when it is started by its own name. */
export function nodeFlagsOf(program: string): readonly string[] {
  const [firstLine = ''] = readFileSync(program, 'utf8').split('\n');
  return firstLine.split(' ').filter((word) => word.startsWith('--'));
}
