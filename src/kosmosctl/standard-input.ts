import type { ReadStream } from 'node:tty';
import type { TerminalInput, TerminalSize } from './context.js';

type Input = Pick<ReadStream, 'on' | 'off' | 'pause' | 'resume' | 'isTTY'> & Partial<Pick<ReadStream, 'setRawMode'>>;
interface Screen {
  readonly columns?: number;
  readonly rows?: number;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

/** The standard input of this process; the screen is where its size is known. */
export class StandardInput implements TerminalInput {
  readonly #input: Input;
  readonly #screen: Screen;

  constructor(input: Input, screen: Screen) {
    this.#input = input;
    this.#screen = screen;
  }

  get isTerminal(): boolean {
    return this.#input.isTTY;
  }

  /** Nothing is read before it is asked for, so that what nobody takes stays for others. */
  async *read(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const arrived: Uint8Array[] = [];
    let isOver = signal.aborted;
    let wake: () => void = () => undefined;
    const onData = (chunk: Buffer): void => {
      arrived.push(chunk);
      this.#input.pause();
      wake();
    };
    const onEnd = (): void => {
      isOver = true;
      wake();
    };
    this.#input.on('data', onData).on('end', onEnd).on('error', onEnd);
    signal.addEventListener('abort', onEnd, { once: true });
    try {
      for (;;) {
        const chunk = arrived.shift();
        if (chunk !== undefined) yield chunk;
        else if (isOver) return;
        else {
          const woken = new Promise<void>((resolve) => (wake = resolve));
          this.#input.resume();
          await woken;
        }
      }
    } finally {
      signal.removeEventListener('abort', onEnd);
      this.#input.off('data', onData).off('end', onEnd).off('error', onEnd);
      this.#input.pause();
    }
  }

  raw(): () => void {
    this.#input.setRawMode?.(true);
    return () => void this.#input.setRawMode?.(false);
  }

  size(): TerminalSize | undefined {
    const { columns, rows } = this.#screen;
    return columns === undefined || rows === undefined ? undefined : { columns, rows };
  }

  onResize(listener: () => void): () => void {
    this.#screen.on('resize', listener);
    return () => void this.#screen.off('resize', listener);
  }
}
