import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Runs `action` while holding an exclusive lock on `file` that other processes respect too.
 * The kernel drops the lock when this process dies: the holder is a child that lives as long as its input is open.
 */
export async function withFileLock<T>(file: string, timeoutMs: number, action: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const seconds = String(Math.ceil(timeoutMs / 1000));
  const holder = spawn('flock', ['--exclusive', '--timeout', seconds, file, 'sh', '-c', 'echo locked; read -r _'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((done) => holder.once('close', () => done()));
  await new Promise<void>((locked, failed) => {
    holder.stdout.once('data', () => locked());
    holder.once('error', failed);
    holder.once('exit', () => failed(new Error(`${file} is locked by another process for more than ${seconds} s`)));
  });
  try {
    return await action();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
