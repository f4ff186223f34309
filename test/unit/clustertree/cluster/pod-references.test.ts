import { expect } from 'chai';
import type { Pod, PodSpec, Volume } from '../../../../src/apis/core.js';
import { podReferences, type PodReferences } from '../../../../src/clustertree/cluster/pod-references.js';
import { deepFreeze } from '../../../support/pods.js';

function references(spec: Partial<PodSpec>): PodReferences {
  const pod: Pod = { metadata: { namespace: 'shop', name: 'web-0' }, spec: { containers: [], ...spec } };
  return podReferences(deepFreeze(pod));
}

const ofVolumes = (...volumes: Volume[]): PodReferences => references({ volumes });

describe('podReferences', () => {
  it('finds nothing in a pod that refers to nothing', () => {
    const nothing = { configMaps: [], secrets: [], serviceAccountName: 'default', tokens: [], claims: [] };
    expect(references({})).to.deep.equal(nothing);
    expect(podReferences({})).to.deep.equal(nothing);
  });

  it('finds the service account', () => {
    expect(references({ serviceAccountName: 'robot' }).serviceAccountName).to.equal('robot');
  });

  it('finds volumes of ConfigMaps and Secrets, and says where they are', () => {
    const found = ofVolumes(
      { name: 'a', configMap: { name: 'settings' } },
      { name: 'b', secret: { secretName: 'login', optional: true } },
    );
    expect(found.configMaps).to.deep.equal([{ name: 'settings', optional: false, use: { volume: 'a' } }]);
    expect(found.secrets).to.deep.equal([{ name: 'login', optional: true, use: { volume: 'b' } }]);
  });

  const secretSources: Volume[] = [
    { name: 'v', azureFile: { secretName: 's', shareName: 'n' } },
    { name: 'v', cephfs: { monitors: [], secretRef: { name: 's' } } },
    { name: 'v', cinder: { volumeID: 'i', secretRef: { name: 's' } } },
    { name: 'v', csi: { driver: 'd', nodePublishSecretRef: { name: 's' } } },
    { name: 'v', flexVolume: { driver: 'd', secretRef: { name: 's' } } },
    { name: 'v', iscsi: { iqn: 'i', lun: 0, targetPortal: 't', secretRef: { name: 's' } } },
    { name: 'v', rbd: { image: 'i', monitors: [], secretRef: { name: 's' } } },
    { name: 'v', scaleIO: { gateway: 'g', system: 'y', secretRef: { name: 's' } } },
    { name: 'v', storageos: { secretRef: { name: 's' } } },
  ];
  for (const volume of secretSources) {
    it(`finds the Secret of ${Object.keys(volume)[1]}, which is always mandatory`, () => {
      expect(ofVolumes(volume).secrets).to.deep.equal([{ name: 's', optional: false, use: { volume: 'v' } }]);
    });
  }

  it('finds nothing in such a source that names no Secret', () => {
    expect(ofVolumes({ name: 'v', csi: { driver: 'd' } }).secrets).to.be.empty;
    expect(ofVolumes({ name: 'v', rbd: { image: 'i', monitors: [], secretRef: {} } }).secrets).to.be.empty;
  });

  it('finds the sources of projected volumes', () => {
    const found = ofVolumes({
      name: 'p',
      projected: {
        sources: [
          { configMap: { name: 'settings', optional: true } },
          { secret: { name: 'login' } },
          { downwardAPI: {} },
        ],
      },
    });
    expect(found.configMaps).to.deep.equal([{ name: 'settings', optional: true, use: { volume: 'p' } }]);
    expect(found.secrets).to.deep.equal([{ name: 'login', optional: false, use: { volume: 'p' } }]);
  });

  it('finds token projections and gives each a key of its own', () => {
    const token = { serviceAccountToken: { path: 'token' } };
    const vault = { serviceAccountToken: { path: 'vault', audience: 'vault', expirationSeconds: 600 } };
    const found = ofVolumes(
      { name: 'data', emptyDir: {} },
      { name: 'a', projected: { sources: [token, vault] } },
      { name: 'b', projected: { sources: [{ downwardAPI: {} }, vault] } },
    );
    expect(found.tokens).to.deep.equal([
      { volume: 'a', key: 'token-1-0', audience: undefined, expirationSeconds: undefined },
      { volume: 'a', key: 'token-1-1', audience: 'vault', expirationSeconds: 600 },
      { volume: 'b', key: 'token-2-1', audience: 'vault', expirationSeconds: 600 },
    ]);
  });

  it('finds claims, also those that are made for the pod', () => {
    const found = ofVolumes(
      { name: 'data', persistentVolumeClaim: { claimName: 'data-web-0' } },
      { name: 'shared', persistentVolumeClaim: { claimName: 'shared', readOnly: true } },
      { name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: {} } } },
    );
    expect(found.claims).to.deep.equal([
      { claimName: 'data-web-0', volume: 'data', ephemeral: false, readOnly: false },
      { claimName: 'shared', volume: 'shared', ephemeral: false, readOnly: true },
      { claimName: 'web-0-scratch', volume: 'scratch', ephemeral: true, readOnly: false },
    ]);
  });

  it('finds variables of all containers, in order', () => {
    const env = [
      { name: 'A', value: 'plain' },
      { name: 'B', valueFrom: { secretKeyRef: { name: 'login', key: 'k' } } },
    ];
    const envFrom = [{ configMapRef: { name: 'settings', optional: true } }, { secretRef: { name: 'more' } }];
    const found = references({
      initContainers: [{ name: 'init', env }],
      containers: [
        { name: 'app', envFrom },
        { name: 'side', env: [{ name: 'C', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }] },
      ],
    });
    expect(found.secrets).to.deep.equal([
      { name: 'login', optional: false, use: { container: 'init' } },
      { name: 'more', optional: false, use: { container: 'app' } },
    ]);
    expect(found.configMaps).to.deep.equal([
      { name: 'settings', optional: true, use: { container: 'app' } },
      { name: 'c', optional: false, use: { container: 'side' } },
    ]);
  });

  it('takes what a debug container refers to for optional: the pod runs already', () => {
    const env = [{ name: 'B', valueFrom: { secretKeyRef: { name: 'login', key: 'k' } } }];
    const envFrom = [{ configMapRef: { name: 'settings' } }];
    const found = references({ ephemeralContainers: [{ name: 'debug', env, envFrom }] });
    expect(found.secrets).to.deep.equal([{ name: 'login', optional: true, use: { container: 'debug' } }]);
    expect(found.configMaps).to.deep.equal([{ name: 'settings', optional: true, use: { container: 'debug' } }]);
  });

  it('takes pull secrets for optional, as a kubelet does', () => {
    const { secrets } = references({ imagePullSecrets: [{ name: 'registry' }, {}] });
    expect(secrets).to.deep.equal([{ name: 'registry', optional: true, use: { pull: true } }]);
  });

  it('finds an object once, mandatory as soon as one reference is', () => {
    const found = references({
      volumes: [
        { name: 'a', configMap: { name: 'settings', optional: true } },
        { name: 'b', configMap: { name: 'settings' } },
        { name: 'c', configMap: { name: 'settings', optional: true } },
      ],
      containers: [{ name: 'app', envFrom: [{ configMapRef: { name: 'settings' } }] }],
    });
    expect(found.configMaps).to.deep.equal([{ name: 'settings', optional: false, use: { volume: 'b' } }]);
  });
});
