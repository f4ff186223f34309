import PQueue from 'p-queue';

const AT_ONCE = 16;

/** Runs all tasks, some at a time. Resolves when all have ended; rejects then, with the first error, if one failed. */
export async function allDone(tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = new PQueue({ concurrency: AT_ONCE });
  const ends = await Promise.allSettled(tasks.map((task) => queue.add(task)));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
