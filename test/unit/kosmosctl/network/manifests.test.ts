import { expect } from 'chai';
import type { ProbePlan } from '../../../../src/clusterlink/floater/plan.js';
import {
  floaterPod,
  namespaceManifest,
  probePod,
  serviceManifest,
  type FloaterSettings,
} from '../../../../src/kosmosctl/network/manifests.js';

const SETTINGS: FloaterSettings = { namespace: 'kosmos-check', image: 'kosmos:1', port: 8889, hostNetwork: false };
const PLAN: ProbePlan = { port: 8889, timeoutMs: 1000, concurrency: 4, targets: [] };
const NODE = 'ip-10-0-0-1.eu-central-1.compute.internal';

describe('pods of a check', () => {
  const pods = { floater: floaterPod(SETTINGS, NODE), probe: probePod(SETTINGS, NODE, 3, PLAN) };

  for (const [what, pod] of Object.entries(pods)) {
    it(`are on their node, whatever is tainted there (${what})`, () => {
      expect(pod.spec?.nodeName).to.equal(NODE);
      expect(pod.spec?.tolerations).to.deep.equal([{ operator: 'Exists' }]);
    });

    it(`are what the restricted Pod Security Standard allows (${what})`, () => {
      expect(namespaceManifest(SETTINGS).metadata?.labels).to.include({
        'pod-security.kubernetes.io/enforce': 'restricted',
      });
      expect(pod.spec?.securityContext).to.deep.include({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(pod.spec?.hostNetwork).to.equal(undefined);
      for (const { securityContext } of pod.spec?.containers ?? []) {
        expect(securityContext).to.deep.equal({
          ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        });
      }
    });

    it(`have no token, and end by themselves when nobody removes them (${what})`, () => {
      expect(pod.spec?.automountServiceAccountToken).to.equal(false);
      expect(pod.spec?.restartPolicy).to.equal('Never');
      expect(pod.spec?.activeDeadlineSeconds).to.equal(3600);
    });

    it(`have a valid name of their own, however long that of the node is (${what})`, () => {
      expect(pod.metadata?.name).to.match(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])$/);
      expect(floaterPod(SETTINGS, 'other').metadata?.name).not.to.equal(floaterPod(SETTINGS, NODE).metadata?.name);
    });
  }

  it('are selected by the Service only when they answer', () => {
    const selector = serviceManifest(SETTINGS).spec?.selector;
    expect(pods.floater.metadata?.labels).to.include(selector);
    expect(pods.probe.metadata?.labels).not.to.include(selector);
    expect(pods.floater.spec?.containers[0]?.readinessProbe?.tcpSocket?.port).to.equal(8889);
  });

  it('get the plan as it is', () => {
    const [env] = pods.probe.spec?.containers[0]?.env ?? [];
    expect(env?.name).to.equal('KOSMOS_PROBE_PLAN');
    expect(JSON.parse(env?.value ?? '')).to.deep.equal(PLAN);
  });

  it('have nothing but raw sockets when they probe from a node', () => {
    const settings = { ...SETTINGS, hostNetwork: true };
    const { spec } = probePod(settings, NODE, 0, PLAN);
    expect(spec).to.include({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' });
    // Settings of the kernel there are those of the node.
    expect(spec?.securityContext).to.equal(undefined);
    expect(spec?.containers[0]?.securityContext).to.deep.include({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'], add: ['NET_RAW'] },
    });
    expect(floaterPod(settings, NODE).spec?.hostNetwork).to.equal(undefined);
    expect(namespaceManifest(settings).metadata?.labels).to.include({
      'pod-security.kubernetes.io/enforce': 'privileged',
    });
  });
});
