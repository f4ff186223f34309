import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { applyCrds, joinMember, startManager, waitForMembers } from '../lab/federation.js';
import type { Lab } from '../lab/lab.js';
import type { LabProcess } from '../lab/supervisor.js';
import { createFlowSchemas } from './api-calls.js';
import type { BenchOptions } from './options.js';

/** User that the manager is to every cluster. */
const USER = 'bench-manager';
const READY_LIMIT_MS = 120_000;

type ManagerFlags = Pick<BenchOptions, 'managerLog' | 'managerNodeArgs'>;

/** Starts managers for a lab, one after the other. */
export class ManagerLauncher {
  readonly #lab: Lab;
  readonly #options: ManagerFlags;
  readonly #kubeconfigs = new Map<string, string>();

  constructor(lab: Lab, options: ManagerFlags) {
    this.#lab = lab;
    this.#options = options;
  }

  /** Gives the manager a user in every cluster, so that its calls can be told from others'. */
  async prepare(): Promise<void> {
    await applyCrds(this.#lab);
    for (const cluster of this.#lab.clusters) {
      this.#kubeconfigs.set(cluster.name, await cluster.addUser({ name: USER, clusterRole: 'cluster-admin' }));
      await createFlowSchemas(cluster.api, USER);
    }
  }

  /** Starts a manager; resolves when all virtual nodes are ready. */
  async start(): Promise<LabProcess> {
    const { managerLog, managerNodeArgs: nodeArgs } = this.#options;
    const manager = await startManager(this.#lab, {
      where: 'client',
      kubeconfig: this.#kubeconfigOf('host'),
      nodeArgs,
      ...(managerLog !== undefined && { logFile: resolve(managerLog) }),
    });
    for (const member of this.#lab.members) {
      const kubeconfig = await readFile(this.#kubeconfigOf(member.name), 'utf8');
      await joinMember(this.#lab, member, { kubeconfig });
    }
    const names = this.#lab.members.map(({ name }) => name);
    await waitForMembers(this.#lab, names, READY_LIMIT_MS);
    return manager;
  }

  #kubeconfigOf(cluster: string): string {
    const path = this.#kubeconfigs.get(cluster);
    if (path === undefined) throw new Error(`the manager has no user in ${cluster}`);
    return path;
  }
}
