/** Shows a measured time in the test's output, so that a limit that is nearly missed is seen before it is missed. */
export function measured(what: string, sinceMs: number): void {
  process.stdout.write(`        ${what} after ${((performance.now() - sinceMs) / 1000).toFixed(1)} s\n`);
}
