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
 * Ties two connections together: bytes go both ways, as fast as the slower side takes them. When one side ends or breaks,
 * the other gets everything first; then it is ended, or cut. An API server that has said its last word often resets the
 * connection, and a client takes an exec whose output and status were lost for one that went well and printed nothing.
 * Resolves when both are closed.
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
      from.on('error', () => undefined);
      from.on('end', linger);
      from.on('close', () => {
        deliver(from, to);
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

/** Lets arrive what a closed side has said: some of it may still be in its buffer, or on the way. */
function deliver(from: Side, to: Side): void {
  if (to.destroyed) return;
  if (from.readableEnded) {
    to.end();
    return;
  }
  for (let rest: unknown = from.read(); rest !== null; rest = from.read()) to.write(rest);
  // An empty write is done when all before it are.
  if (to.writableLength > 0) to.write('', () => to.destroy());
  else to.destroy();
}
