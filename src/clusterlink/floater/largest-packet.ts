/** What became of a packet: it got through, somebody said that it is too large, or nothing was heard of it. */
export type SizeAnswer = 'passed' | 'tooLarge' | 'lost';

/** What a path carries. */
export interface LargestPacket {
  readonly bytes: number;
  /** Senders are told when a packet is too large. Else such packets vanish, and connections hang. */
  readonly told: boolean;
}

/** How sizes are looked for; all in bytes of the IP packet. */
export interface SizeSearch {
  readonly least: number;
  readonly most: number;
  readonly ask: (bytes: number) => Promise<SizeAnswer>;
}

/** Halves the range until the largest packet that gets through is known; undefined when not even the smallest does. */
export async function largestPacket({ least, most, ask }: SizeSearch): Promise<LargestPacket | undefined> {
  let answer = await ask(most);
  if (answer === 'passed') return { bytes: most, told: true };
  if ((await ask(least)) !== 'passed') return undefined;
  let [low, high] = [least, most];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const heard = await ask(middle);
    if (heard === 'passed') low = middle;
    else [high, answer] = [middle, heard];
    if (high - low > 1 || answer === 'tooLarge') continue;
    // A packet may also get lost by chance: before that is held against the path, there is another one.
    answer = await ask(high);
    if (answer !== 'passed') continue;
    [low, high] = [high, most];
    answer = await ask(most);
    if (answer === 'passed') return { bytes: most, told: true };
  }
  return { bytes: low, told: answer === 'tooLarge' };
}
