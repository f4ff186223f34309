import type { Pod } from '../../apis/core.js';
import { informerProblem } from '../cluster/informer-problem.js';
import type { Member, MemberFeature, MemberModule } from '../cluster/member.js';
import type { PodNeeds, PodRequirements, UnmetNeed } from '../cluster/pod-needs.js';
import { Accounts } from './accounts.js';
import { Tokens } from './tokens.js';
import type { IdentityFeatureOptions } from './options.js';

/** Service accounts and tokens of the host's pods, in each member. */
export function createIdentityFeature(options: IdentityFeatureOptions): MemberFeature {
  return { name: 'identity', open: (member) => new IdentityModule(options, member) };
}

class IdentityModule implements MemberModule, PodNeeds {
  readonly #tokens: Tokens;
  readonly #accounts: Accounts;

  constructor(options: IdentityFeatureOptions, member: Member) {
    this.#tokens = new Tokens({ ...options, member });
    this.#accounts = new Accounts({ ...options, member });
  }

  get needs(): PodNeeds {
    return this;
  }

  get synced(): boolean {
    return this.#tokens.secretObjects.hasSynced && this.#accounts.accountObjects.hasSynced;
  }

  get problem(): string | undefined {
    return informerProblem([this.#tokens.secretObjects, this.#accounts.accountObjects]);
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#tokens.run(signal), this.#accounts.run(signal)]);
  }

  async lead(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#tokens.lead(signal), this.#accounts.lead(signal)]);
  }

  async ensure(hostPod: Pod, requirements: PodRequirements, signal: AbortSignal): Promise<readonly UnmetNeed[]> {
    const unmet = [this.#accounts.ensure(requirements, signal), this.#tokens.ensure(hostPod, requirements, signal)];
    return (await Promise.all(unmet)).flat();
  }

  /** Accounts and tokens that can't be had are asked for again after the usual time. */
  onMet(): () => void {
    return () => undefined;
  }
}
