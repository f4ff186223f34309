import type { Secret as SecretObject } from '../../apis/core.js';
import { FIELD_MANAGER, KUBECONFIG_SECRET_KEY, MEMBER_CREDENTIAL_LABEL } from '../../apis/names.js';
import type { KubeClient } from '../../kube/client.js';
import { secrets, tokenRequests } from '../../kube/resource.js';
import { Secret } from '../../kube/secret.js';
import { readServiceAccountToken, type ServiceAccountToken } from '../../kube/service-account-token.js';
import { tokenOf, withToken } from '../../kube/token-kubeconfig.js';
import { isAborted } from '../../lib/abort.js';
import type { Clock } from '../../lib/clock.js';
import { errorMessage, FederationError } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import type { MemberFeature } from './member.js';
import type { KubeconfigSource } from './options.js';

export interface CredentialOptions {
  readonly host: KubeClient;
  readonly clock: Clock;
  /** Told when the token expires, by this machine's clock; undefined when it isn't one that is renewed. */
  readonly onExpiry: (cluster: string, expiresAtMs: number | undefined) => void;
  /** Whether nobody else in this process renews the token of the cluster. @default always */
  readonly isOurs?: (cluster: string) => boolean;
}

/** A joined cluster, as far as this is concerned. */
export interface CredentialHolder {
  readonly config: { readonly name: string; readonly kubeconfig: KubeconfigSource | undefined };
  readonly client: Pick<KubeClient, 'create' | 'serverTime'>;
  readonly logger: Logger;
}

/** Long before its end, so that a host or a member may be away for days. */
const RENEWAL_FRACTION = 0.5;
/** A Secret may be replaced, or labelled, at any time. */
const LONGEST_WAIT_MS = 10 * 60_000;
const RETRY_MS = 30_000;

/** How long the token needs no renewal; 0 when it is time. All times are of the member's clock. */
export function waitMs(token: ServiceAccountToken, nowMs: number): number {
  const due = token.issuedAtMs + (token.expiresAtMs - token.issuedAtMs) * RENEWAL_FRACTION;
  return Math.max(0, due - nowMs);
}

/** {@link CredentialRenewal} as a part of ClusterTree. */
export function createCredentialFeature(options: CredentialOptions): MemberFeature {
  return {
    name: 'credential',
    open: (member) => {
      const renewal = new CredentialRenewal(options, member);
      return { synced: true, run: () => Promise.resolve(), lead: (signal) => renewal.lead(signal) };
    },
  };
}

/**
 * Renews the token by which the manager gets into a member, when the kubeconfig is in a Secret that asks for it. All
 * replicas read the Secret again every few seconds, and go on with the new token on the connections that they have.
 */
export class CredentialRenewal {
  readonly #options: CredentialOptions;
  readonly #member: CredentialHolder;

  constructor(options: CredentialOptions, member: CredentialHolder) {
    this.#options = options;
    this.#member = member;
  }

  /** Renews, on the leader only, until aborted. */
  async lead(signal: AbortSignal): Promise<void> {
    const source = this.#member.config.kubeconfig;
    if (source?.kind !== 'secret') return;
    while (!signal.aborted) {
      let pause = RETRY_MS;
      try {
        pause = await this.#step(source, signal);
      } catch (error) {
        if (isAborted(signal)) return;
        this.#member.logger.warn("the token for the member can't be renewed yet", { error: errorMessage(error) });
      }
      await this.#options.clock.sleep(pause, signal).catch(() => undefined);
    }
  }

  /** Returns after how many milliseconds to look again. */
  async #step(source: KubeconfigSource & { kind: 'secret' }, signal: AbortSignal): Promise<number> {
    const { namespace, name } = source;
    const { host, isOurs } = this.#options;
    if (isOurs?.(this.#member.config.name) === false) return RETRY_MS;
    const secret = await host.get(secrets, { namespace, name }, { signal });
    const kubeconfig = Buffer.from(secret.data?.[KUBECONFIG_SECRET_KEY] ?? '', 'base64').toString('utf8');
    const token = readServiceAccountToken(tokenOf(kubeconfig) ?? '');
    if (secret.metadata?.labels?.[MEMBER_CREDENTIAL_LABEL] !== 'true' || token === undefined) {
      this.#tell(undefined, 0);
      return LONGEST_WAIT_MS;
    }
    const now = await this.#member.client.serverTime({ signal });
    this.#tell(token, now);
    const wait = waitMs(token, now);
    if (wait > 0) return Math.min(wait, LONGEST_WAIT_MS);
    const issued = await this.#issue(token, signal);
    await this.#store(secret, withToken(kubeconfig, issued), signal);
    this.#member.logger.info('the token for the member was renewed');
    const next = readServiceAccountToken(issued.reveal());
    this.#tell(next, now);
    // One of ten minutes, the shortest that Kubernetes issues, must not end before anybody looks again.
    return next === undefined ? LONGEST_WAIT_MS : Math.min(Math.max(waitMs(next, now), RETRY_MS), LONGEST_WAIT_MS);
  }

  /** What is left of a life by the member's clock is as long by ours. */
  #tell(token: ServiceAccountToken | undefined, memberNowMs: number): void {
    const { clock, onExpiry } = this.#options;
    const expiresAtMs = token === undefined ? undefined : clock.now() + token.expiresAtMs - memberNowMs;
    onExpiry(this.#member.config.name, expiresAtMs);
  }

  async #issue(token: ServiceAccountToken, signal: AbortSignal): Promise<Secret> {
    const { namespace, name, issuedAtMs, expiresAtMs } = token;
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { namespace, name },
      spec: { audiences: [], expirationSeconds: Math.round((expiresAtMs - issuedAtMs) / 1000) },
    };
    const { status } = await this.#member.client.create(tokenRequests, request, { subresource: 'token', signal });
    if (!status?.token) throw new FederationError('API_ERROR', 'the member issued no token');
    return new Secret(status.token);
  }

  /** Fails with a conflict when somebody else has replaced it meanwhile. */
  async #store(secret: SecretObject, kubeconfig: string, signal: AbortSignal): Promise<void> {
    const data = { ...secret.data, [KUBECONFIG_SECRET_KEY]: Buffer.from(kubeconfig).toString('base64') };
    await this.#options.host.update(secrets, { ...secret, data }, { fieldManager: FIELD_MANAGER, signal });
  }
}
