import { expect } from 'chai';
import type { PersistentVolume, Pod } from '../../src/apis/core.js';
import { HOSTNAME_LABEL, MEMBER_PROVISIONER, ONE_WAY_ANNOTATION } from '../../src/apis/names.js';
import { tokenSecretName } from '../../src/clustertree/cluster/member-names.js';
import {
  claims,
  configMaps,
  namespaces,
  pods,
  secrets,
  serviceAccounts,
  storageClasses,
  volumes,
} from '../../src/kube/resource.js';
import type { CrashRig } from './crash-rig.js';
import type { CrashScript } from './crash-scripts.js';
import { eventually } from './eventually.js';
import { needsDisagreements, needsLeft } from './needs-agreement.js';
import { pathClass } from './path-provisioner.js';
import { IMAGE, boundPod, virtualPod } from './workloads.js';

const SLOW = { timeoutMs: 90_000 };
const MERGE = { type: 'merge' } as const;
const NODE = 'kosmos-member1';
/** Class of the claims, in host and member. */
export const NEEDS_CLASS = 'paths';

/** Makes what the script needs in both clusters; once, before it runs. */
export async function prepareNeeds({ federation }: CrashRig): Promise<void> {
  await federation.client('member1').create(storageClasses, pathClass(NEEDS_CLASS));
  await federation.host.create(storageClasses, pathClass(NEEDS_CLASS, { provisioner: MEMBER_PROVISIONER }));
}

/**
 * Everything that a pod needs comes, changes and goes again, and a pod that uses the host's own storage. The manager must
 * have been started to renew tokens of ten minutes within seconds, and a provisioner must run in the member.
 */
export const needsScript: CrashScript = {
  name: 'needs',
  kills: 20,
  expected: [
    'host POST serviceaccounts/token',
    'host POST persistentvolumes',
    'host PATCH persistentvolumes',
    'host PATCH persistentvolumeclaims/status',
    'host DELETE persistentvolumes',
    ...['POST', 'PUT', 'DELETE'].map((verb) => `member ${verb} configmaps`),
    ...['POST', 'PUT', 'PATCH', 'DELETE'].map((verb) => `member ${verb} secrets`),
    ...['POST', 'DELETE'].map((verb) => `member ${verb} serviceaccounts`),
    ...['POST', 'PATCH', 'DELETE'].map((verb) => `member ${verb} persistentvolumeclaims`),
    ...['POST', 'PATCH', 'DELETE'].map((verb) => `member ${verb} persistentvolumes`),
  ],
  async run(rig, namespace) {
    const { federation } = rig;
    const { host } = federation;
    const member = federation.client('member1');
    const ref = (name: string): { namespace: string; name: string } => ({ namespace, name });
    const shared = `shared-${namespace}`;
    await federation.namespace(namespace);
    await host.create(serviceAccounts, { metadata: ref('robot') });
    await host.create(configMaps, { metadata: ref('settings'), data: { color: 'red' } });
    await host.create(secrets, { metadata: ref('login'), stringData: { password: 'one' } });
    await host.create(claims, { metadata: ref('data'), spec: simpleClaimSpec(NEEDS_CLASS) });
    await host.create(volumes, reachableVolume(shared));
    await host.create(claims, { metadata: ref('files'), spec: { ...simpleClaimSpec(''), volumeName: shared } });
    await host.create(pods, needyPod(ref('user')));
    await eventually(async () => expect((await host.get(claims, ref('files'))).status?.phase).to.equal('Bound'), SLOW);
    const mounts = [{ name: 'files', persistentVolumeClaim: { claimName: 'files' } }];
    await host.create(pods, boundPod(NODE, { ...ref('reader'), spec: { volumes: mounts } }));
    await running('user', 'reader');
    await agree(rig, namespace);
    const tokens = ref(tokenSecretName((await host.get(pods, ref('user'))).metadata!.uid!));
    const { data: first } = await member.get(secrets, tokens);

    await host.patch(configMaps, ref('settings'), { data: { color: 'blue' } }, MERGE);
    await host.patch(secrets, ref('login'), { stringData: { password: 'two' } }, MERGE);
    const grown = { spec: { resources: { requests: { storage: '2Gi' } } } };
    await host.patch(claims, ref('data'), grown, MERGE);
    const { spec } = await host.get(claims, ref('data'));
    const retain = { spec: { persistentVolumeReclaimPolicy: 'Retain' } };
    await host.patch(volumes, { name: spec!.volumeName! }, retain, MERGE);
    await eventually(async () => {
      expect((await host.get(claims, ref('data'))).status?.capacity).to.deep.equal({ storage: '2Gi' });
      const copy = await member.get(claims, ref('data'));
      const volume = await member.get(volumes, { name: copy.spec!.volumeName! });
      expect(volume.spec!.persistentVolumeReclaimPolicy).to.equal('Retain');
      expect((await member.get(secrets, tokens)).data).to.not.deep.equal(first);
    }, SLOW);
    await host.patch(
      volumes,
      { name: spec!.volumeName! },
      { spec: { persistentVolumeReclaimPolicy: 'Delete' } },
      MERGE,
    );
    await agree(rig, namespace);

    for (const name of ['user', 'reader']) await host.delete(pods, ref(name));
    for (const name of ['data', 'files']) await host.delete(claims, ref(name));
    await eventually(async () => {
      const left = await needsLeft(federation, (one) => one === namespace);
      expect(left.filter((text) => text.includes(namespace))).to.deep.equal([]);
    }, SLOW);
    await agree(rig, namespace);
    await host.delete(volumes, { name: shared });
    await host.delete(namespaces, { name: namespace });

    async function running(...names: readonly string[]): Promise<void> {
      for (const name of names) await eventually(() => federation.runningPod('host', ref(name)), SLOW);
    }
  },
};

/** Waits until host and members agree about everything that pods need. */
async function agree({ federation }: CrashRig, namespace: string): Promise<void> {
  await eventually(async () => {
    expect(await needsDisagreements(federation, (one) => one === namespace)).to.deep.equal([]);
  }, SLOW);
}

/** A pod that needs one of everything; the scheduler puts it on the virtual node, as volumes of members ask for. */
export function needyPod(ref: { readonly namespace: string; readonly name: string }): Pod {
  const token = { serviceAccountToken: { path: 'token', expirationSeconds: 600 } };
  const spec = {
    nodeSelector: { [HOSTNAME_LABEL]: NODE },
    serviceAccountName: 'robot',
    containers: [{ name: 'main', image: IMAGE, envFrom: [{ secretRef: { name: 'login' } }] }],
    volumes: [
      { name: 'settings', configMap: { name: 'settings' } },
      { name: 'tokens', projected: { sources: [token] } },
      { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
    ],
  };
  return virtualPod({ ...ref, spec });
}

/** One GiB for one node. */
export function simpleClaimSpec(storageClassName: string): object {
  return { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage: '1Gi' } } };
}

/** A volume of the host that every member can reach. */
function reachableVolume(name: string): PersistentVolume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { [ONE_WAY_ANNOTATION]: 'true' } },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      storageClassName: '',
      hostPath: { path: '/srv/data' },
      persistentVolumeReclaimPolicy: 'Retain',
    },
  };
}
