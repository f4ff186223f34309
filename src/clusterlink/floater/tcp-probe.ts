import { connect } from 'node:net';
import type { Clock } from '../../lib/clock.js';
import type { FloaterAddress } from './datagram-probes.js';
import { type Outcome, PROBE_ERRORS } from './plan.js';

/** Some dozens of full segments, so that a path that swallows them is noticed. */
const CONTENT = Buffer.alloc(64 << 10, 'kosmos');

/** Connects to a floater, and sends it more than fits into one packet, which has to come back. */
export function probeTcp({ ip, port }: FloaterAddress, clock: Clock, timeoutMs: number): Promise<Outcome> {
  const start = clock.monotonic();
  return new Promise((resolve) => {
    let connectedMs: number | undefined;
    let received = 0;
    const socket = connect({ host: ip, port });
    const end = (outcome: Outcome): void => {
      socket.destroy();
      resolve(outcome);
    };
    // Any byte on the way starts the time anew.
    socket.setTimeout(timeoutMs, () =>
      end({ ok: false, error: connectedMs === undefined ? PROBE_ERRORS.timeout : PROBE_ERRORS.stalled }),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => end({ ok: false, error: error.code ?? error.message }));
    socket.on('close', () => end({ ok: false, error: PROBE_ERRORS.stalled }));
    socket.on('connect', () => {
      connectedMs = clock.monotonic() - start;
      socket.write(CONTENT);
    });
    socket.on('data', (chunk: Buffer) => {
      if (!chunk.equals(CONTENT.subarray(received, received + chunk.length))) {
        end({ ok: false, error: PROBE_ERRORS.garbled });
        return;
      }
      received += chunk.length;
      if (received === CONTENT.length) end({ ok: true, ms: Math.round((connectedMs ?? 0) * 100) / 100 });
    });
  });
}
