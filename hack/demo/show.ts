import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Lab } from '../lab/lab.js';
import { REPOSITORY } from '../lab/paths.js';

const PROGRAM = join(REPOSITORY, 'dist/src/bin/kosmosctl.js');

/** Announces what comes next. */
export function step(text: string): void {
  console.log(`\n=== ${text}`);
}

/** Shows a command as a user would type it, runs it, and shows what it printed. */
export async function show(lab: Lab, cluster: string, args: readonly string[]): Promise<void> {
  console.log(`\n$ hack/lab.sh kubectl ${cluster} ${args.join(' ')}`);
  const { stdout, stderr } = await lab.cluster(cluster).kubectl([...args]);
  // "No resources found" is among the errors.
  process.stdout.write(stdout === '' ? stderr : stdout);
}

/** The same with `kosmosctl`, which tells its steps as they go. Throws when it fails. */
export async function showKosmosctl(lab: Lab, args: readonly string[]): Promise<void> {
  console.log(`\n$ kosmosctl ${args.join(' ')}`);
  const env = { ...process.env, KUBECONFIG: lab.host.kubeconfigPath };
  const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  });
  if (code !== 0) throw new Error(`kosmosctl ${args.join(' ')} ended with ${code}`);
}

/** Kosmos is installed into the host, and all members join. */
export async function showFederating(lab: Lab): Promise<void> {
  await showKosmosctl(lab, ['install']);
  for (const { name, kubeconfigPath } of lab.members) {
    await showKosmosctl(lab, ['join', 'cluster', '--name', name, '--kubeconfig', kubeconfigPath, '--yes']);
  }
}
