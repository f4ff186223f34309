import type { Pod } from '../../apis/core.js';
import type { ObjectKey } from '../../kube/resource.js';
import { informerProblem } from '../cluster/informer-problem.js';
import type { Member, MemberFeature, MemberModule } from '../cluster/member.js';
import type { PodNeeds, PodRequirements, UnmetNeed } from '../cluster/pod-needs.js';
import { CopiesOfKind } from './copies-of-kind.js';
import { CONFIG_MAP_KIND, SECRET_KIND } from './kinds.js';
import type { ConfigFeatureOptions } from './options.js';

/** Copies of the ConfigMaps and Secrets that pods need, in each member. */
export function createConfigFeature(options: ConfigFeatureOptions): MemberFeature {
  return { name: 'config', open: (member) => new ConfigModule(options, member) };
}

class ConfigModule implements MemberModule, PodNeeds {
  readonly #kinds: readonly CopiesOfKind[];

  constructor(options: ConfigFeatureOptions, member: Member) {
    const { hostConfigMaps, hostSecrets, ...shared } = options;
    this.#kinds = [
      new CopiesOfKind({ ...shared, member, kind: CONFIG_MAP_KIND, hostObjects: hostConfigMaps }),
      new CopiesOfKind({ ...shared, member, kind: SECRET_KIND, hostObjects: hostSecrets }),
    ];
  }

  get needs(): PodNeeds {
    return this;
  }

  get synced(): boolean {
    return this.#kinds.every(({ copyObjects }) => copyObjects.hasSynced);
  }

  get problem(): string | undefined {
    return informerProblem(this.#kinds.map(({ copyObjects }) => copyObjects));
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#kinds.map((kind) => kind.run(signal)));
  }

  async lead(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#kinds.map((kind) => kind.lead(signal)));
  }

  async ensure(_hostPod: Pod, requirements: PodRequirements, signal: AbortSignal): Promise<readonly UnmetNeed[]> {
    const unmet = await Promise.all(this.#kinds.map((kind) => kind.ensure(requirements, signal)));
    return unmet.flat();
  }

  onMet(listener: (pod: ObjectKey) => void): () => void {
    const stops = this.#kinds.map((kind) => kind.onMet(listener));
    return () => {
      for (const stop of stops) stop();
    };
  }
}
