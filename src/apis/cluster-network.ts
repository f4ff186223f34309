import type { V1ServiceCIDR } from '@kubernetes/client-node';
import type { KubeObject } from './core.js';
import type { Wire } from './wire.js';

/** `servicecidrs.networking.k8s.io` (KEP-1880): a range from which ClusterIPs are taken. */
export type ServiceCidr = Wire<V1ServiceCIDR>;

/** `ippools.crd.projectcalico.org`: a range from which Calico takes pod addresses. */
export interface IpPool extends KubeObject {
  readonly spec?:
    | {
        readonly cidr?: string | undefined;
        readonly natOutgoing?: boolean | undefined;
        readonly disabled?: boolean | undefined;
        readonly disableBGPExport?: boolean | undefined;
        readonly vxlanMode?: string | undefined;
        readonly ipipMode?: string | undefined;
        readonly nodeSelector?: string | undefined;
      }
    | undefined;
}

/** `blockaffinities.crd.projectcalico.org`: a block of an IPPool that belongs to a node. */
export interface BlockAffinity extends KubeObject {
  readonly spec?:
    | {
        readonly cidr?: string | undefined;
        readonly node?: string | undefined;
        /** `pending`, `confirmed` or `pendingDeletion`. */
        readonly state?: string | undefined;
        /** The text `true` or `false`. */
        readonly deleted?: string | undefined;
      }
    | undefined;
}

/** `ciliumnodes.cilium.io`: what Cilium's operator gives a node; named like it. */
export interface CiliumNode extends KubeObject {
  readonly spec?: { readonly ipam?: { readonly podCIDRs?: readonly string[] | undefined } | undefined } | undefined;
}
