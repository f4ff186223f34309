import type { Findings } from './findings.js';

/** Things outside the pod that a member does not have yet, by the reason that refuses a pod that must have them. */
const NEEDS = {
  NeedsResourceClaim: { what: 'a ResourceClaim', cure: 'Request an extended resource instead' },
  NeedsTrustBundle: { what: 'a ClusterTrustBundle', cure: 'Mark the projection optional' },
  NeedsPodCertificate: { what: 'a certificate of the host cluster', cure: 'Remove the projection' },
  NeedsEndpoints: { what: 'an Endpoints object', cure: 'Use another volume type' },
} as const;

export type Need = keyof typeof NEEDS;

/** Every reason that {@link refuseNeed} can give. */
export const NEED_REASONS: readonly Need[] = Object.keys(NEEDS) as Need[];

/** Refuses the pod because of a mandatory reference; the message names the field and the cure. */
export function refuseNeed(findings: Findings, path: string, need: Need): void {
  const { what, cure } = NEEDS[need];
  const message = `${path} needs ${what}, which is not copied to member clusters. ${cure}, or keep the pod on nodes of the host.`;
  findings.refuse(path, need, message);
}

/** Refuses a reference to an object whose name means something else in members. */
export function refuseReserved(findings: Findings, path: string, name: string): void {
  const message = `The name ${name} is reserved in member clusters, so that an object of this name is not copied. Rename it.`;
  findings.refuse(path, 'ReservedName', message);
}
