import fc from 'fast-check';
import PQueue from 'p-queue';
import type { ConfigMap, EnvVar, PodSpec, Secret, Volume } from '../../src/apis/core.js';
import { HOSTNAME_LABEL } from '../../src/apis/names.js';
import { ApiError } from '../../src/kube/api-error.js';
import {
  claims,
  configMaps,
  metadataOf,
  pods,
  secrets,
  serviceAccounts,
  type ObjectRef,
  type ResourceType,
} from '../../src/kube/resource.js';
import type { Federation } from './federation.js';
import { IMAGE, virtualPod } from './workloads.js';

type Word = 'configmap' | 'secret';

/** How a pod uses things that may or may not be there. */
interface Uses {
  readonly configMap: 'volume' | 'env' | 'optional' | 'no';
  readonly secret: 'volume' | 'env' | 'optional' | 'no';
  readonly claim: boolean;
  readonly account: boolean;
  readonly token: boolean;
}

/** One thing that a user does, or somebody in a member. */
export type NeedsStep =
  /** Made, or given other contents. */
  | { readonly kind: 'write'; readonly word: Word; readonly value: number }
  | { readonly kind: 'drop'; readonly word: Word }
  | { readonly kind: 'pod'; readonly place: number; readonly member: number; readonly uses: Uses }
  | { readonly kind: 'unpod'; readonly place: number; readonly force: boolean }
  | { readonly kind: 'claim' }
  | { readonly kind: 'grow' }
  | { readonly kind: 'unclaim' }
  | { readonly kind: 'account'; readonly there: boolean }
  /** A copy in a member is deleted, or edited. */
  | { readonly kind: 'tamper'; readonly word: Word; readonly member: number; readonly edit: boolean };

const word = fc.constantFrom<Word>('configmap', 'secret');
const use = fc.constantFrom('volume', 'env', 'optional', 'no');
const uses = fc.record({
  configMap: use,
  secret: use,
  claim: fc.boolean(),
  account: fc.boolean(),
  token: fc.boolean(),
});
const place = fc.integer({ min: 0, max: 1 });
const member = place;

const step: fc.Arbitrary<NeedsStep> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), word, value: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop' as const), word }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pod' as const), place, member, uses }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('unpod' as const), place, force: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('claim' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('grow' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unclaim' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('account' as const), there: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tamper' as const), word, member, edit: fc.boolean() }) },
);

/** As many sequences of that length as asked; the same ones for the same seed. */
export function randomSequences(count: number, length: number, seed: number): readonly (readonly NeedsStep[])[] {
  return fc.sample(fc.array(step, { minLength: length, maxLength: length }), { numRuns: count, seed });
}

/** Refusals of an API server that a step may well meet: there is no such object any more, or there is one already. */
const REFUSALS: ReadonlySet<number> = new Set([403, 404, 409, 422]);
const CONCURRENCY = 16;
const MERGE = { type: 'merge' } as const;

export interface NeedsSequencesOptions {
  readonly federation: Federation;
  /** They take turns in these. */
  readonly namespaces: readonly string[];
  readonly storageClass: string;
  readonly sequences: readonly (readonly NeedsStep[])[];
}

/** Plays many sequences side by side, each with objects of its own. */
export class NeedsSequences {
  readonly #options: NeedsSequencesOptions;
  #done = 0;

  constructor(options: NeedsSequencesOptions) {
    this.#options = options;
  }

  /** Number of steps that no API server refused. */
  get done(): number {
    return this.#done;
  }

  /** The steps of one place in all sequences, some at a time. */
  async play(index: number): Promise<void> {
    await this.#forEach(async (steps, sequence) => {
      const next = steps[index];
      if (next !== undefined) await this.#allowed(this.#do(next, sequence));
    });
  }

  /** Deletes all pods and claims. */
  async end(): Promise<void> {
    const { federation, namespaces } = this.#options;
    for (const namespace of namespaces) {
      for (const type of [metadataOf(pods), metadataOf(claims)]) {
        for (const { metadata } of (await federation.host.list(type, { namespace })).items) {
          await this.#allowed(federation.host.delete(type, { namespace, name: metadata!.name! }));
        }
      }
    }
  }

  async #forEach(act: (steps: readonly NeedsStep[], sequence: number) => Promise<void>): Promise<void> {
    const queue = new PQueue({ concurrency: CONCURRENCY });
    await queue.addAll(this.#options.sequences.map((steps, sequence) => () => act(steps, sequence)));
  }

  async #allowed(call: Promise<unknown>): Promise<void> {
    try {
      await call;
      this.#done += 1;
    } catch (error) {
      if (!(error instanceof ApiError) || !REFUSALS.has(error.statusCode)) throw error;
    }
  }

  async #do(next: NeedsStep, sequence: number): Promise<unknown> {
    const { host } = this.#options.federation;
    const ref = (name: string): ObjectRef => this.#ref(sequence, name);
    switch (next.kind) {
      case 'write':
        return this.#write(next.word, ref(next.word), { value: String(next.value) });
      case 'drop':
        return host.delete(typeOf(next.word), ref(next.word));
      case 'pod':
        return this.#createPod(next, sequence);
      case 'unpod':
        return host.delete(pods, ref(`pod-${next.place}`), { gracePeriodSeconds: next.force ? 0 : 1 });
      case 'claim':
        return host.create(claims, { metadata: ref('claim'), spec: this.#claimSpec('1Gi') });
      case 'grow':
        return host.patch(claims, ref('claim'), { spec: { resources: { requests: { storage: '2Gi' } } } }, MERGE);
      case 'unclaim':
        return host.delete(claims, ref('claim'));
      case 'account':
        return next.there
          ? host.create(serviceAccounts, { metadata: ref('account') })
          : host.delete(serviceAccounts, ref('account'));
      case 'tamper':
        return this.#tamper(next, ref(next.word));
    }
  }

  async #write(kind: Word, ref: ObjectRef, texts: Readonly<Record<string, string>>): Promise<void> {
    const { host } = this.#options.federation;
    const content = kind === 'configmap' ? { data: texts } : { stringData: texts };
    try {
      await host.create(typeOf(kind), { metadata: ref, ...content });
    } catch (error) {
      if (!(error instanceof ApiError) || error.statusCode !== 409) throw error;
      await host.patch(typeOf(kind), ref, content, MERGE);
    }
  }

  async #tamper(
    { word: kind, member: place, edit }: Extract<NeedsStep, { kind: 'tamper' }>,
    ref: ObjectRef,
  ): Promise<void> {
    const { federation } = this.#options;
    const client = federation.client(federation.lab.members[place]!.name);
    if (edit) await client.patch(typeOf(kind), ref, { data: { value: 'b29wcw==' } }, MERGE);
    else await client.delete(typeOf(kind), ref);
  }

  async #createPod(
    { place: number, member: where, uses: wanted }: Extract<NeedsStep, { kind: 'pod' }>,
    sequence: number,
  ): Promise<void> {
    const { federation } = this.#options;
    const names = (name: string): string => this.#ref(sequence, name).name;
    const nodeName = `kosmos-${federation.lab.members[where]!.name}`;
    const spec = podSpec(wanted, names);
    const { namespace, name } = this.#ref(sequence, `pod-${number}`);
    const nodeSelector = { [HOSTNAME_LABEL]: nodeName };
    await federation.host.create(pods, virtualPod({ namespace, name, spec: { ...spec, nodeSelector } }));
  }

  #ref(sequence: number, name: string): { readonly namespace: string; readonly name: string } {
    const { namespaces } = this.#options;
    return { namespace: namespaces[sequence % namespaces.length]!, name: `s${sequence}-${name}` };
  }

  #claimSpec(storage: string): object {
    const { storageClass: storageClassName } = this.#options;
    return { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage } } };
  }
}

function typeOf(kind: Word): ResourceType<ConfigMap & Secret> {
  return kind === 'configmap' ? configMaps : secrets;
}

function podSpec(wanted: Uses, nameOf: (name: string) => string): Partial<PodSpec> {
  const name = nameOf('claim');
  const claim: Volume = { name: 'claim', persistentVolumeClaim: { claimName: name } };
  const volumes = [
    ...configMapVolumes(wanted.configMap, nameOf('configmap')),
    ...secretVolumes(wanted.secret, nameOf('secret')),
    ...(wanted.claim ? [claim] : []),
  ];
  const key = 'value';
  const env: EnvVar[] = [
    { name: 'CONFIG', valueFrom: { configMapKeyRef: { name: nameOf('configmap'), key } } },
    { name: 'SECRET', valueFrom: { secretKeyRef: { name: nameOf('secret'), key } } },
  ];
  const isUsed = [wanted.configMap === 'env', wanted.secret === 'env'];
  return {
    containers: [{ name: 'main', image: IMAGE, env: env.filter((_, index) => isUsed[index]) }],
    volumes,
    automountServiceAccountToken: wanted.token,
    ...(wanted.account && { serviceAccountName: nameOf('account') }),
  };
}

function configMapVolumes(how: Uses['configMap'], name: string): readonly Volume[] {
  if (how === 'no' || how === 'env') return [];
  return [{ name: 'config', configMap: { name, optional: how === 'optional' } }];
}

function secretVolumes(how: Uses['secret'], secretName: string): readonly Volume[] {
  if (how === 'no' || how === 'env') return [];
  return [{ name: 'secret', secret: { secretName, optional: how === 'optional' } }];
}
