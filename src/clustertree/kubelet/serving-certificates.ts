import type { CertificateSigningRequest, Node, Secret } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isAlreadyExists, isForbidden } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import { certificateSigningRequests, nodes, secrets, type ObjectKey } from '../../kube/resource.js';
import type { Clock } from '../../lib/clock.js';
import { createKey, createSelfSigned } from '../../pki/serving-certificate.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import { clusterOfNode } from '../cluster/virtual-node.js';
import { servingCondition, type Waiting } from './serving-condition.js';
import { approved, desiredServingRequest, servingRequestName, servingSubject } from './serving-request.js';
import {
  certificateIn,
  desiredServingSecret,
  readMaterial,
  servingSecretName,
  type ServingMaterial,
  type ServingPolicy,
} from './serving-secret.js';
import { servingStep } from './serving-step.js';

export interface ServingCertificatesOptions {
  /** Writes only while this process leads. */
  readonly host: KubeClient;
  readonly hostNodes: Informer<Node>;
  readonly secrets: Informer<Secret>;
  readonly requests: Informer<CertificateSigningRequest>;
  /** Where the Secrets are. */
  readonly namespace: string;
  readonly policy: ServingPolicy;
  readonly clock: Clock;
}

/** How often it is looked whether somebody else has approved, or may be asked again. */
const WAIT_MS = 60_000;
/** A node is looked at this often at least, since timers can't be longer than some weeks. */
const LONGEST_REST_MS = 24 * 3_600_000;
const SELF_SIGNED_MS = 365 * 24 * 3_600_000;

/** Gives each virtual node a serving certificate and renews it in time; keys are node names. On the leader only. */
export class ServingCertificates implements Reconciler {
  readonly #options: ServingCertificatesOptions;

  constructor(options: ServingCertificatesOptions) {
    this.#options = options;
  }

  async reconcile(name: ObjectKey, { signal }: { readonly signal: AbortSignal }): Promise<Result> {
    const { hostNodes, secrets: known, policy, clock } = this.#options;
    const node = hostNodes.store.get(name);
    if (node === undefined || clusterOfNode(node) === undefined) return {};
    const secret = known.store.get(this.#secretKey(name));
    const material = readMaterial(secret);
    const step = servingStep({ material, request: this.#request(material), policy, nowMs: clock.now() });
    switch (step.kind) {
      case 'rest':
        await this.#report(node, undefined, signal);
        return { requeueAfterMs: Math.min(step.renewInMs, LONGEST_REST_MS) };
      case 'makeKey':
        return this.#store(node, secret, { ...material, nextKey: createKey() }, signal);
      case 'signSelf':
        return this.#store(node, secret, this.#selfSigned(name), signal);
      case 'store':
        return this.#store(node, secret, { ...step, nextKey: undefined }, signal);
      case 'request':
        return this.#ask(name, step.key, signal);
      case 'approve':
        return this.#approve(node, step.request, signal);
      case 'await':
        return { requeueAfterMs: WAIT_MS };
      case 'refused':
        await this.#report(node, step, signal);
        return { requeueAfterMs: WAIT_MS };
    }
  }

  #secretKey(node: string): ObjectKey {
    return `${this.#options.namespace}/${servingSecretName(node)}`;
  }

  #request({ nextKey }: ServingMaterial): CertificateSigningRequest | undefined {
    const { requests, policy } = this.#options;
    return nextKey === undefined ? undefined : requests.store.get(servingRequestName(nextKey, policy.addresses));
  }

  #selfSigned(node: string): ServingMaterial {
    const { policy, clock } = this.#options;
    const key = createKey();
    const validity = { nowMs: clock.now(), durationMs: SELF_SIGNED_MS };
    return {
      key,
      certificate: createSelfSigned(servingSubject(node, policy.addresses), key, validity),
      nextKey: undefined,
    };
  }

  async #store(node: Node, old: Secret | undefined, material: ServingMaterial, signal: AbortSignal): Promise<Result> {
    const { host, namespace, secrets: known } = this.#options;
    const desired = desiredServingSecret(node, namespace, material);
    const options = { fieldManager: FIELD_MANAGER, signal };
    if (old === undefined) known.assume(await host.create(secrets, desired, options));
    else {
      // With the version of what was read: nobody's key is ever overwritten unseen.
      const { resourceVersion } = old.metadata ?? {};
      const metadata = { ...desired.metadata, resourceVersion };
      known.assume(await host.update(secrets, { ...desired, metadata }, options));
    }
    return { requeueAfterMs: 0 };
  }

  async #ask(node: string, key: string, signal: AbortSignal): Promise<Result> {
    const { host, requests, policy } = this.#options;
    const request = desiredServingRequest(node, key, policy.addresses);
    try {
      requests.assume(await host.create(certificateSigningRequests, request, { fieldManager: FIELD_MANAGER, signal }));
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const ref = { name: request.metadata?.name ?? '' };
      requests.assume(await host.get(certificateSigningRequests, ref, { signal }));
    }
    return { requeueAfterMs: 0 };
  }

  async #approve(node: Node, request: CertificateSigningRequest, signal: AbortSignal): Promise<Result> {
    const { host, requests, clock } = this.#options;
    try {
      const options = { subresource: 'approval', fieldManager: FIELD_MANAGER, signal };
      const approval = approved(request, new Date(clock.now()).toISOString());
      requests.assume(await host.update(certificateSigningRequests, approval, options));
      return { requeueAfterMs: WAIT_MS };
    } catch (error) {
      if (!isForbidden(error)) throw error;
      const name = request.metadata?.name ?? '';
      const message = `CertificateSigningRequest ${name} waits for approval, which the manager is not allowed to give`;
      await this.#report(node, { reason: 'CertificateNotApproved', message }, signal);
      return { requeueAfterMs: WAIT_MS };
    }
  }

  /** Says on the Node why it has no certificate, or takes that back. While its old one is good, it is not blamed. */
  async #report(node: Node, waiting: Waiting | undefined, signal: AbortSignal): Promise<void> {
    const { host, hostNodes, clock, secrets: known, policy } = this.#options;
    const { name = '', uid } = node.metadata ?? {};
    const current = certificateIn(readMaterial(known.store.get(this.#secretKey(name))), policy);
    const serves = current !== undefined && clock.now() < current.notAfterMs;
    const condition = servingCondition(node, serves ? undefined : waiting, new Date(clock.now()).toISOString());
    if (condition === undefined) return;
    const patch = { metadata: { uid }, status: { conditions: [condition] } };
    const options = { type: 'strategic', subresource: 'status', fieldManager: FIELD_MANAGER, signal } as const;
    hostNodes.assume(await host.patch(nodes, { name }, patch, options));
  }
}
