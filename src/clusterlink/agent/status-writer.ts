import { renameSync, writeFileSync } from 'node:fs';
import type { NodeConfig, NodeConfigStatus } from '../../apis/kosmos/v1alpha1/node-config.js';
import { isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { nodeConfigs } from '../../kube/kosmos-resources.js';

/** Where the agent's status goes. */
export interface StatusWriter {
  /** Writes the status of a config. Rejects when that can't be done now. */
  write(config: NodeConfig, status: NodeConfigStatus, signal: AbortSignal): Promise<void>;
}

/** Into the config's status in the API server. The UID makes sure that it is that config, and no later one of its name. */
export function apiStatusWriter(client: Pick<KubeClient, 'patch'>): StatusWriter {
  return {
    write: async ({ metadata }, status, signal) => {
      const patch = { metadata: { uid: metadata?.uid }, status };
      const options = { type: 'merge', subresource: 'status', signal } as const;
      try {
        await client.patch(nodeConfigs, { name: metadata?.name ?? '' }, patch, options);
      } catch (error) {
        // It has gone meanwhile, and its status with it.
        if (!isNotFound(error)) throw error;
      }
    },
  };
}

/** Into a file beside the one that the config comes from. */
export function fileStatusWriter(path: string): StatusWriter {
  return {
    write: (_config, status) => {
      writeFileSync(`${path}.new`, `${JSON.stringify(status, undefined, 2)}\n`);
      renameSync(`${path}.new`, path);
      return Promise.resolve();
    },
  };
}
