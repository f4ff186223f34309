import type { KubeObject } from '../../apis/core.js';
import type { Informer } from '../../kube/informer.js';
import { splitKey, type ObjectKey } from '../../kube/resource.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import type { HostPods } from '../cluster/host-pods.js';
import type { Member } from '../cluster/member.js';
import { hostUidOf } from '../cluster/ownership.js';
import { type MemberTokens, secretKeyOf } from './member-tokens.js';
import type { TokenSecret } from './token-secret.js';
import { decideToken, type TokenState } from './token-verdict.js';

export interface TokenReconcilerOptions {
  readonly member: Member;
  readonly hostPods: Pick<HostPods, 'get'>;
  readonly secretObjects: Pick<Informer<KubeObject, TokenSecret>, 'store'>;
  readonly tokens: MemberTokens;
  /** The host pod whose tokens the Secret of that key is for; at most one. */
  readonly podsOf: (secretKey: ObjectKey) => ReadonlySet<ObjectKey>;
  /** The same, read from the host's API server: whether there is one. */
  readonly isUsedLive: (secretKey: ObjectKey, signal: AbortSignal) => Promise<boolean>;
  readonly isCurrent: () => boolean;
  /** Called with a key that can't be judged before that changes. */
  readonly onWaiting: (secretKey: ObjectKey) => void;
}

const UNKNOWN_RETRY_MS = 1_000;
/** Not less than this between two looks at one pod's tokens. */
const SHORTEST_WAIT_MS = 1_000;

/** Keeps the tokens of one host pod in one member fresh, and removes them with the pod. Keys are those of Secrets. */
export class TokenReconciler implements Reconciler {
  readonly #options: TokenReconcilerOptions;

  constructor(options: TokenReconcilerOptions) {
    this.#options = options;
  }

  async reconcile(key: ObjectKey, { signal }: { readonly signal: AbortSignal }): Promise<Result> {
    const { tokens, onWaiting, isUsedLive } = this.#options;
    const state = this.#read(key);
    let action = decideToken(state);
    if (action.kind === 'confirm-unused') {
      const isUsed = await isUsedLive(key, signal);
      // The cache is about to show the pod.
      if (isUsed) return { requeueAfterMs: UNKNOWN_RETRY_MS };
      action = decideToken({ ...this.#read(key), unusedLive: true });
    }
    switch (action.kind) {
      case 'wait':
        onWaiting(key);
        return {};
      case 'nothing':
        return {};
      case 'confirm-unused':
        return { requeueAfterMs: UNKNOWN_RETRY_MS };
      case 'remove':
        await tokens.remove(splitKey(key), action.uid, signal);
        return {};
      case 'issue': {
        const nextMs = state.hostPod === undefined ? undefined : await tokens.ensure(state.hostPod, signal);
        return nextMs === undefined ? {} : { requeueAfterMs: Math.max(nextMs, SHORTEST_WAIT_MS) };
      }
    }
  }

  #read(key: ObjectKey): TokenState {
    const { member, hostPods, secretObjects, podsOf, isCurrent } = this.#options;
    const [podKey] = podsOf(key);
    const found = podKey === undefined ? undefined : hostPods.get(member.config.name, podKey);
    const hostPod = found !== undefined && secretKeyOf(found) === key ? found : undefined;
    const copy = podKey === undefined ? undefined : member.pods.store.get(podKey);
    const isCopy = copy !== undefined && hostPod !== undefined && hostUidOf(copy) === hostPod.metadata?.uid;
    return {
      ownership: member.ownership,
      current: isCurrent(),
      hostPod,
      memberPod: isCopy ? copy : undefined,
      secret: secretObjects.store.get(key),
    };
  }
}
