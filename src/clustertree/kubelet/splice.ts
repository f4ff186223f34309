import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../lib/clock.js';

/** Bytes that went through a splice. */
export interface SpliceTotals {
  readonly toMember: number;
  readonly toClient: number;
}

/** Once one side has said its last word, the other has this time for its own. */
const LINGER_MS = 10_000;

/** A socket, of which only a stream and its counters are used. */
type Side = Duplex & { readonly bytesRead?: number };

/**
 * Ties two connections together: bytes go both ways, as fast as the slower side takes them. When one side ends, the
 * other is ended after it got everything; when one breaks, the other is cut. Resolves when both are closed.
 */
export function splice(client: Side, member: Side, clock: Clock): Promise<SpliceTotals> {
  return new Promise((resolve) => {
    let open = 2;
    let timer: Timer | undefined;
    const linger = (): void => {
      timer ??= clock.schedule(LINGER_MS, () => {
        client.destroy();
        member.destroy();
      });
    };
    const tie = (from: Side, to: Side): void => {
      // The error itself says nothing that the close doesn't; without a listener it would end the process.
      from.on('error', () => to.destroy());
      from.on('end', linger);
      from.on('close', () => {
        // What was read is still on its way to the other side; an orderly end lets it arrive.
        if (from.readableEnded) to.end();
        else to.destroy();
        linger();
        open -= 1;
        if (open > 0) return;
        timer?.cancel();
        resolve({ toMember: client.bytesRead ?? 0, toClient: member.bytesRead ?? 0 });
      });
      from.pipe(to);
    };
    tie(client, member);
    tie(member, client);
    // Closed before anybody listened.
    if (client.destroyed) member.destroy();
    if (member.destroyed) client.destroy();
  });
}
