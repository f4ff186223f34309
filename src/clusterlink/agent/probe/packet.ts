/** What agents send each other through tunnels: a question, or the same thing back as an answer. */
export interface ProbePacket {
  readonly kind: 'question' | 'answer';
  /** Tells probes of one process from those of its predecessor. */
  readonly session: number;
  readonly sequence: number;
}

/**
 * ```
 * 0      4         5      6          8         12         16
 * "KSMS" version=1 kind   (zero)     session   sequence
 * ```
 */
const MAGIC = Buffer.from('KSMS');
const VERSION = 1;
const BYTES = 16;
const KINDS = { question: 1, answer: 2 } as const;

export function encodeProbe({ kind, session, sequence }: ProbePacket): Buffer {
  const bytes = Buffer.alloc(BYTES);
  MAGIC.copy(bytes);
  bytes[4] = VERSION;
  bytes[5] = KINDS[kind];
  bytes.writeUInt32BE(session, 8);
  bytes.writeUInt32BE(sequence, 12);
  return bytes;
}

/** Undefined for anything else; an answer is never longer than its question, so nobody can amplify anything with it. */
export function decodeProbe(bytes: Buffer): ProbePacket | undefined {
  if (bytes.length !== BYTES || !bytes.subarray(0, 4).equals(MAGIC) || bytes[4] !== VERSION) return undefined;
  const kind = bytes[5] === KINDS.question ? 'question' : bytes[5] === KINDS.answer ? 'answer' : undefined;
  return kind && { kind, session: bytes.readUInt32BE(8), sequence: bytes.readUInt32BE(12) };
}
