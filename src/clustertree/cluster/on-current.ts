import type { Clock } from '../../lib/clock.js';

const CHECK_MS = 500;

/**
 * Calls back while caches can be acted on, twice a second at most; `became` when they could not a moment ago. They may
 * become so without any object changing, and what had to wait until then starts there. The returned function ends it.
 */
export function onCurrent(
  clock: Pick<Clock, 'schedule'>,
  isCurrent: () => boolean,
  callback: (became: boolean) => void,
): () => void {
  let was = false;
  let timer = clock.schedule(0, check);
  function check(): void {
    const is = isCurrent();
    if (is) callback(!was);
    was = is;
    timer = clock.schedule(CHECK_MS, check);
  }
  return () => timer.cancel();
}
