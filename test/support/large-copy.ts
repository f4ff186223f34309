import { expect } from 'chai';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kubectl, Protocol } from './kubectl.js';

/** How long kubectl may take for one way. */
const LIMIT = { timeoutMs: 110_000 };

/** Copies random bytes into pod `box` with `kubectl cp` and back again, and checks that they are the same both times. */
export async function copyThereAndBack(
  kubectl: Kubectl,
  protocol: Protocol,
  { bytes, folder }: { readonly bytes: number; readonly folder: string },
): Promise<void> {
  const [source, back] = [join(folder, 'source'), join(folder, 'back')];
  const content = randomBytes(bytes);
  writeFileSync(source, content);
  const digest = sha256(content);
  await kubectl.output(['cp', source, 'box:/tmp/copy'], protocol, LIMIT);
  const inside = await kubectl.output(['exec', 'box', '--', 'sha256sum', '/tmp/copy'], protocol);
  expect(inside.split(' ')[0]).to.equal(digest);
  await kubectl.output(['cp', '--retries=3', 'box:/tmp/copy', back], protocol, LIMIT);
  expect(sha256(readFileSync(back))).to.equal(digest);
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
