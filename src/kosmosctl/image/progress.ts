const MIB = 2 ** 20;
const STEPS = 10;

/** `54.2 MiB`. */
export function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

/**
 * Tells how far something of known size is, in ten steps at most.
 *
 * @returns to be called with the bytes that have come since the last time
 */
export function progressOf(total: number, report: (detail: string) => void): (bytes: number) => void {
  let done = 0;
  let told = 0;
  return (bytes) => {
    done += bytes;
    const step = total === 0 ? 0 : Math.floor((done / total) * STEPS);
    if (step <= told) return;
    told = step;
    report(`${mebibytes(done)} of ${mebibytes(total)}`);
  };
}
