import { expect } from 'chai';
import type { Volume } from '../../../../src/apis/core.js';
import { Findings } from '../../../../src/clustertree/pod/findings.js';
import { isAutomaticToken, translateVolumes } from '../../../../src/clustertree/pod/volumes.js';
import { asJson, deepFreeze } from '../../../support/pods.js';

const TOKEN = { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } };
const AUTHORITY = { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } };
const NAMESPACE = {
  downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] },
};
const AUTOMATIC: Volume = {
  name: 'kube-api-access-x7k2p',
  projected: { defaultMode: 420, sources: [TOKEN, AUTHORITY, NAMESPACE] },
};

function translate(...volumes: Volume[]): { volumes: unknown; removed: string[]; findings: Findings } {
  const findings = new Findings();
  const result = translateVolumes(deepFreeze(volumes), findings);
  return { volumes: asJson(result.volumes), removed: [...result.removed], findings };
}

function projected(...sources: NonNullable<NonNullable<Volume['projected']>['sources']>): Volume {
  return { name: 'v', projected: { defaultMode: 420, sources } };
}

describe('isAutomaticToken', () => {
  it('knows the volume that the ServiceAccount admission adds', () => {
    expect(isAutomaticToken(AUTOMATIC)).to.be.true;
  });

  it('does not mind the lifetime of the token', () => {
    const token = { serviceAccountToken: { path: 'token', expirationSeconds: 600 } };
    expect(isAutomaticToken({ ...AUTOMATIC, projected: { sources: [token, AUTHORITY, NAMESPACE] } })).to.be.true;
  });

  const others: [string, Volume][] = [
    ['a volume of another name', { ...AUTOMATIC, name: 'token' }],
    ['another kind of volume', { name: 'kube-api-access-x', emptyDir: {} }],
    ['one without sources', { name: 'kube-api-access-x', projected: {} }],
    ['a further source', { ...AUTOMATIC, projected: { sources: [TOKEN, AUTHORITY, NAMESPACE, NAMESPACE] } }],
    [
      'a token for another audience',
      {
        ...AUTOMATIC,
        projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'vault' } }, AUTHORITY, NAMESPACE] },
      },
    ],
    [
      'another ConfigMap',
      {
        ...AUTOMATIC,
        projected: { sources: [TOKEN, { configMap: { ...AUTHORITY.configMap, name: 'mine' } }, NAMESPACE] },
      },
    ],
  ];
  for (const [name, volume] of others) {
    it(`does not take ${name} for it`, () => {
      expect(isAutomaticToken(volume)).to.be.false;
    });
  }
});

describe('translateVolumes', () => {
  it('drops the automatic token volume and says which', () => {
    const { volumes, removed, findings } = translate(AUTOMATIC, { name: 'data', emptyDir: {} });
    expect(volumes).to.deep.equal([{ name: 'data', emptyDir: {} }]);
    expect(removed).to.deep.equal(['kube-api-access-x7k2p']);
    expect(findings.dropped[0]?.path).to.equal('spec.volumes[kube-api-access-x7k2p]');
    expect(findings.dropped[0]).not.to.have.property('event');
  });

  const copied: Volume[] = [
    { name: 'v', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
    { name: 'v', hostPath: { path: '/var/log', type: 'Directory' } },
    { name: 'v', nfs: { server: 'nfs', path: '/' } },
    { name: 'v', image: { reference: 'data:1', pullPolicy: 'IfNotPresent' } },
    { name: 'v', csi: { driver: 'd', volumeAttributes: { a: 'b' } } },
    { name: 'v', iscsi: { iqn: 'i', lun: 0, targetPortal: 't' } },
  ];
  for (const volume of copied) {
    it(`copies ${Object.keys(volume)[1]} as it is`, () => {
      const { volumes, findings } = translate(volume);
      expect(volumes).to.deep.equal([volume]);
      expect(findings.refusals).to.be.empty;
    });
  }

  const refused: [Volume, string, string][] = [
    [{ name: 'v', configMap: { name: 'c' } }, 'configMap', 'NeedsConfigMap'],
    [{ name: 'v', secret: { secretName: 's', optional: false } }, 'secret', 'NeedsSecret'],
    [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }, 'persistentVolumeClaim', 'NeedsClaim'],
    [{ name: 'v', ephemeral: { volumeClaimTemplate: { spec: {} } } }, 'ephemeral', 'NeedsClaim'],
    [{ name: 'v', glusterfs: { endpoints: 'e', path: '/' } }, 'glusterfs.endpoints', 'NeedsEndpoints'],
    [{ name: 'v', azureFile: { secretName: 's', shareName: 'n' } }, 'azureFile.secretName', 'NeedsSecret'],
    [{ name: 'v', cephfs: { monitors: [], secretRef: { name: 's' } } }, 'cephfs.secretRef', 'NeedsSecret'],
    [{ name: 'v', cinder: { volumeID: 'i', secretRef: { name: 's' } } }, 'cinder.secretRef', 'NeedsSecret'],
    [
      { name: 'v', csi: { driver: 'd', nodePublishSecretRef: { name: 's' } } },
      'csi.nodePublishSecretRef',
      'NeedsSecret',
    ],
    [{ name: 'v', flexVolume: { driver: 'd', secretRef: { name: 's' } } }, 'flexVolume.secretRef', 'NeedsSecret'],
    [projected({ configMap: { name: 'c' } }), 'projected.sources[0].configMap', 'NeedsConfigMap'],
    [projected({ secret: { name: 's' } }), 'projected.sources[0].secret', 'NeedsSecret'],
    [projected(TOKEN), 'projected.sources[0].serviceAccountToken', 'NeedsToken'],
    [
      projected({ clusterTrustBundle: { path: 'p', name: 'n' } }),
      'projected.sources[0].clusterTrustBundle',
      'NeedsTrustBundle',
    ],
    [
      projected({ podCertificate: { keyType: 'ED25519', signerName: 's' } }),
      'projected.sources[0].podCertificate',
      'NeedsPodCertificate',
    ],
  ];
  for (const [volume, path, reason] of refused) {
    it(`refuses ${path} with ${reason}`, () => {
      const { findings } = translate(volume);
      expect(findings.refusals.map((refusal) => [refusal.path, refusal.reason])).to.deep.equal([
        [`spec.volumes[v].${path}`, reason],
      ]);
    });
  }

  for (const volume of [
    { name: 'v', configMap: { name: 'c', optional: true, defaultMode: 288 } },
    { name: 'v', secret: { secretName: 's', optional: true, defaultMode: 288 } },
  ]) {
    it(`mounts an empty volume for an optional ${Object.keys(volume)[1]}`, () => {
      const { volumes, findings } = translate(volume);
      expect(volumes).to.deep.equal([{ name: 'v', projected: { defaultMode: 288, sources: [] } }]);
      expect(findings.refusals).to.be.empty;
      expect(findings.dropped).to.have.lengthOf(1);
    });
  }

  it('drops optional projected sources and keeps the others', () => {
    const { volumes, findings } = translate(
      projected(
        { configMap: { name: 'c', optional: true } },
        { secret: { name: 's', optional: true } },
        { clusterTrustBundle: { path: 'p', name: 'n', optional: true } },
        NAMESPACE,
      ),
    );
    expect(volumes).to.deep.equal([projected(NAMESPACE)]);
    expect(findings.dropped).to.have.lengthOf(3);
    expect(findings.refusals).to.be.empty;
  });

  it('shows the host UID in files of the downward API', () => {
    const uid = { path: 'uid', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.uid' } };
    const shown = {
      path: 'uid',
      fieldRef: { apiVersion: 'v1', fieldPath: "metadata.annotations['kosmos.io/host-uid']" },
    };
    const name = { path: 'name', fieldRef: { fieldPath: 'metadata.name' } };
    const cpu = { path: 'cpu', resourceFieldRef: { containerName: 'app', resource: 'limits.cpu' } };
    const { volumes } = translate(
      { name: 'd', downwardAPI: { items: [uid, name, cpu] } },
      projected({ downwardAPI: { items: [uid] } }),
    );
    expect(volumes).to.deep.equal([
      { name: 'd', downwardAPI: { items: [shown, name, cpu] } },
      projected({ downwardAPI: { items: [shown] } }),
    ]);
  });

  it('keeps an empty projected volume', () => {
    const { volumes } = translate({ name: 'v', projected: {} });
    expect(volumes).to.deep.equal([{ name: 'v', projected: { sources: [] } }]);
  });

  it('copies a volume source that it does not know', () => {
    const volume = { name: 'v', sourceOf2030: { a: 1 } };
    expect(translate(volume).volumes).to.deep.equal([volume]);
  });
});
