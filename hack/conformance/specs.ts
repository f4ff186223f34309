/** A part of the Kubernetes end-to-end suite that runs in a process of its own. */
export interface SpecGroup {
  readonly name: string;
  /** Regular expression over the whole names of specs, as ginkgo's `--focus` takes it. */
  readonly focus: string;
  /** The same for those of them that another group has. */
  readonly except?: string;
}

/** Specs that are left out, and why. */
export interface Exception {
  readonly pattern: string;
  readonly why: string;
}

const conformance = (sig: string): SpecGroup => ({ name: sig, focus: `\\[sig-${sig}\\].*\\[Conformance\\]` });
const PROBES = '\\[sig-node\\] Probing container';

/** What is about pods, their volumes and their controllers: all that virtual nodes have a part in. */
export const GROUPS: readonly SpecGroup[] = [
  { ...conformance('node'), except: PROBES },
  // These wait for minutes to see that nothing happens.
  { name: 'probes', focus: `${PROBES}.*\\[Conformance\\]` },
  conformance('storage'),
  conformance('apps'),
];

export const EXCEPTIONS: readonly Exception[] = [
  { pattern: '\\[Serial\\]|\\[Disruptive\\]', why: 'takes nodes, or the whole cluster, for itself' },
  {
    pattern: 'recreate evicted statefulset',
    why: 'expects that a kubelet refuses a pod whose port is taken; the scheduler of a member lets it wait',
  },
  { pattern: 'ImageVolume', why: 'pulls from a registry, which a lab can not reach' },
  { pattern: 'AllowPrivilegeEscalation', why: 'needs an image with a set-user-id program, which is not made here' },
];

/** What ginkgo's `--skip` takes. */
export function skipPattern({ except }: Pick<SpecGroup, 'except'>): string {
  return [...EXCEPTIONS.map(({ pattern }) => pattern), ...(except === undefined ? [] : [except])].join('|');
}

/** @throws Error that names the groups when there is none of that name. */
export function groupsNamed(names: readonly string[]): readonly SpecGroup[] {
  if (names.length === 0) return GROUPS;
  return names.map((name) => {
    const group = GROUPS.find((candidate) => candidate.name === name);
    if (group !== undefined) return group;
    throw new Error(`there is no group "${name}"; choose from ${GROUPS.map((known) => known.name).join(', ')}`);
  });
}
