import type { LibraryHandle } from 'koffi';
import { KernelError } from './kernel-error.js';

/** The few functions of the C library that the agent needs. All return -1 on failure, as in C; see {@link Libc.error}. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  send(fd: number, buffer: Uint8Array, length: number, flags: number): number;
  recv(fd: number, buffer: Uint8Array, length: number, flags: number): number;
  close(fd: number): number;
  /** Number of the error of the last call that failed. */
  errno(): number;
  /** Name of an error's number, for instance `EEXIST`. */
  errnoName(errno: number): string;
}

/** What the floater's probes need beside that. */
export interface SocketLibc extends Libc {
  connect(fd: number, address: Uint8Array, length: number): number;
}

/** What keeps a process small. */
export interface AllocatorLibc {
  /** Gives memory that was freed back to the kernel; does nothing where the C library can't do that. */
  trim(): void;
}

/**
 * Loads the C library that this process runs on already. Koffi, the foreign function interface, is loaded only now:
 * programs and tests that never talk to the kernel go without it. Throws KernelError where it has no binary for the
 * platform.
 */
export async function loadLibc(): Promise<SocketLibc & AllocatorLibc> {
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(null);
    // Some numbers have two names, for instance EAGAIN and EWOULDBLOCK; the first one in the alphabet is the usual one.
    const names = new Map(
      Object.entries(koffi.os.errno)
        .sort(([one], [other]) => (one < other ? 1 : -1))
        .map(([name, number]) => [number, name]),
    );
    return {
      socket: library.func('int socket(int, int, int)'),
      connect: library.func('int connect(int, void *, unsigned int)'),
      bind: library.func('int bind(int, void *, unsigned int)'),
      setsockopt: library.func('int setsockopt(int, int, int, void *, unsigned int)'),
      send: library.func('intptr_t send(int, void *, size_t, int)'),
      recv: library.func('intptr_t recv(int, void *, size_t, int)'),
      close: library.func('int close(int)'),
      trim: trimOf(library),
      errno: () => koffi.errno(),
      errnoName: (errno) => names.get(errno) ?? '',
    };
  } catch (error) {
    throw new KernelError("the C library can't be used", { cause: error });
  }
}

function trimOf(library: LibraryHandle): () => void {
  try {
    const trim = library.func('int malloc_trim(size_t)');
    return () => void trim(0);
  } catch {
    // The library has no such function: musl gives memory back by itself.
    return () => undefined;
  }
}
