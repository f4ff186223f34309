import type { DaemonSet } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isConflict, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { servesResource } from '../../kube/discovery.js';
import type { Informer } from '../../kube/informer.js';
import {
  daemonSets,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  splitKey,
  type ObjectKey,
} from '../../kube/resource.js';
import { isAborted } from '../../lib/abort.js';
import type { Clock } from '../../lib/clock.js';
import { errorMessage } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import { exclusionPatch, exclusionPolicy, type PolicyObject } from './exclusion.js';

export interface ExclusionPolicyOptions {
  readonly host: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

const RETRY_MS = 60_000;

/**
 * Installs the admission policy that keeps new DaemonSets off virtual nodes, where the host's API server serves the
 * kind (Kubernetes 1.36 by default). Resolves when it is there, or can't be.
 */
export async function installExclusionPolicy(options: ExclusionPolicyOptions, signal: AbortSignal): Promise<void> {
  const { host, clock, logger } = options;
  while (!signal.aborted) {
    try {
      if (!(await servesResource(host, mutatingAdmissionPolicies, { signal }))) {
        logger.info(
          'the API server has no mutating admission policies; DaemonSets must exclude virtual nodes themselves',
        );
        return;
      }
      for (const object of exclusionPolicy()) await apply(host, object, signal);
      return;
    } catch (error) {
      if (isAborted(signal)) return;
      logger.warn('the admission policy for DaemonSets could not be installed', { error: errorMessage(error) });
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }
}

async function apply(host: KubeClient, object: PolicyObject, signal: AbortSignal): Promise<void> {
  const isPolicy = object.kind === 'MutatingAdmissionPolicy';
  const type = isPolicy ? mutatingAdmissionPolicies : mutatingAdmissionPolicyBindings;
  const options = { type: 'apply', force: true, fieldManager: FIELD_MANAGER, signal } as const;
  await host.patch(type, { name: object.metadata.name }, object, options);
}

/** Excludes DaemonSets that were there before the policy; only used when the operator has agreed to their restart. */
export class ExistingDaemonSets implements Reconciler {
  readonly #host: KubeClient;
  readonly #daemonSets: Informer<DaemonSet>;

  constructor(host: KubeClient, informer: Informer<DaemonSet>) {
    this.#host = host;
    this.#daemonSets = informer;
  }

  async reconcile(key: ObjectKey, context: { readonly signal: AbortSignal }): Promise<Result> {
    const daemonSet = this.#daemonSets.store.get(key);
    const patch = daemonSet && exclusionPatch(daemonSet);
    if (patch === undefined) return {};
    try {
      const options = { type: 'merge', fieldManager: FIELD_MANAGER, signal: context.signal } as const;
      this.#daemonSets.assume(await this.#host.patch(daemonSets, splitKey(key), patch, options));
    } catch (error) {
      if (isConflict(error)) return { requeueAfterMs: 1_000 };
      if (!isNotFound(error)) throw error;
    }
    return {};
  }
}
