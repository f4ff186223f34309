import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../hack/lab/lab.js';
import { DEFAULT_VALUES } from '../../src/kosmosctl/manifests/values.js';

/** Removes what agents in pods of a lab remember: its nodes share the machine's own folders. */
export function removeAgentState({ clusters }: Pick<Lab, 'clusters'>): void {
  const { stateDir } = DEFAULT_VALUES.clusterLink.agent;
  for (const { machines } of clusters) {
    for (const { name } of machines) rmSync(join(stateDir, name), { recursive: true, force: true });
  }
}
