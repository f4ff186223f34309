import { expect } from 'chai';
import type { Volume } from '../../../../src/apis/core.js';
import { VOLUME_ROWS } from '../../../../src/clustertree/pod/field-rows.js';
import { Findings } from '../../../../src/clustertree/pod/findings.js';
import { translateVolumes } from '../../../../src/clustertree/pod/volumes.js';
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

function translate(...volumes: Volume[]): { volumes: unknown; findings: Findings } {
  const findings = new Findings();
  return {
    volumes: asJson(translateVolumes(deepFreeze(volumes), { uid: 'host-uid', name: 'web' }, findings)),
    findings,
  };
}

function projected(...sources: NonNullable<NonNullable<Volume['projected']>['sources']>): Volume {
  return { name: 'v', projected: { defaultMode: 420, sources } };
}

describe('translateVolumes', () => {
  it("gives the automatic token volume the host's token and the host's root certificates", () => {
    const { volumes, findings } = translate({ name: 'data', emptyDir: {} }, AUTOMATIC);
    const token = { secret: { name: 'kosmos-token-host-uid', items: [{ key: 'token-1-0', path: 'token' }] } };
    const authority = { configMap: { ...AUTHORITY.configMap, name: 'master-root-ca.crt' } };
    expect(volumes).to.deep.equal([
      { name: 'data', emptyDir: {} },
      { ...AUTOMATIC, projected: { defaultMode: 420, sources: [token, authority, NAMESPACE] } },
    ]);
    expect(findings.refusals).to.be.empty;
    expect(findings.dropped).to.be.empty;
  });

  it('gives every explicit token projection an item of its own', () => {
    const vault = { serviceAccountToken: { path: 'vault', audience: 'vault', expirationSeconds: 600 } };
    const { volumes } = translate(projected(NAMESPACE, TOKEN, vault), projected(vault));
    const item = (key: string, path: string): object => ({
      secret: { name: 'kosmos-token-host-uid', items: [{ key, path }] },
    });
    expect(JSON.stringify(volumes)).not.to.contain('serviceAccountToken');
    expect(volumes).to.deep.equal([
      {
        name: 'v',
        projected: { defaultMode: 420, sources: [NAMESPACE, item('token-0-1', 'token'), item('token-0-2', 'vault')] },
      },
      { name: 'v', projected: { defaultMode: 420, sources: [item('token-1-0', 'vault')] } },
    ]);
  });

  it("mounts the host's root certificates by the name that they have in the member", () => {
    const { volumes } = translate({ name: 'v', configMap: { name: 'kube-root-ca.crt' } });
    expect(volumes).to.deep.equal([{ name: 'v', configMap: { name: 'master-root-ca.crt' } }]);
  });

  it('mounts the claim that the host made for a generic ephemeral volume', () => {
    const { volumes, findings } = translate({ name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: {} } } });
    expect(volumes).to.deep.equal([{ name: 'scratch', persistentVolumeClaim: { claimName: 'web-scratch' } }]);
    expect(findings.refusals).to.be.empty;
  });

  const copied: Volume[] = [
    { name: 'v', persistentVolumeClaim: { claimName: 'c', readOnly: true } },
    { name: 'v', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
    { name: 'v', hostPath: { path: '/var/log', type: 'Directory' } },
    { name: 'v', nfs: { server: 'nfs', path: '/' } },
    { name: 'v', image: { reference: 'data:1', pullPolicy: 'IfNotPresent' } },
    { name: 'v', csi: { driver: 'd', volumeAttributes: { a: 'b' } } },
    { name: 'v', iscsi: { iqn: 'i', lun: 0, targetPortal: 't' } },
    { name: 'v', configMap: { name: 'c', optional: true, defaultMode: 288, items: [{ key: 'a', path: 'b' }] } },
    { name: 'v', secret: { secretName: 's', optional: false, defaultMode: 288 } },
    { name: 'v', azureFile: { secretName: 's', shareName: 'n' } },
    { name: 'v', cephfs: { monitors: [], secretRef: { name: 's' } } },
    projected({ configMap: { name: 'c' } }, { secret: { name: 's', optional: true } }, { configMap: {} }),
  ];
  for (const volume of copied) {
    it(`copies ${Object.keys(volume)[1]} as it is`, () => {
      const { volumes, findings } = translate(volume);
      expect(volumes).to.deep.equal([volume]);
      expect(findings.refusals).to.be.empty;
    });
  }

  const refused: [Volume, string, string][] = [
    [{ name: 'v', configMap: { name: 'master-root-ca.crt' } }, 'configMap', 'ReservedName'],
    [{ name: 'v', secret: { secretName: 'kosmos-token-1' } }, 'secret', 'ReservedName'],
    [{ name: 'v', glusterfs: { endpoints: 'e', path: '/' } }, 'glusterfs.endpoints', 'NeedsEndpoints'],
    [projected({ configMap: { name: 'master-root-ca.crt' } }), 'projected.sources[0].configMap', 'ReservedName'],
    [projected({ secret: { name: 'kosmos-token-1' } }), 'projected.sources[0].secret', 'ReservedName'],
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

  it('drops optional trust bundles and keeps the other sources', () => {
    const { volumes, findings } = translate(
      projected({ clusterTrustBundle: { path: 'p', name: 'n', optional: true } }, NAMESPACE),
    );
    expect(volumes).to.deep.equal([projected(NAMESPACE)]);
    expect(findings.dropped).to.have.lengthOf(1);
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

  it('copies a volume source that it does not know, and reports it', () => {
    const volume = { name: 'v', sourceOf2030: { a: 1 } };
    const { volumes, findings } = translate(volume);
    expect(volumes).to.deep.equal([volume]);
    expect(findings.dropped).to.have.lengthOf(1);
    expect(findings.dropped[0]).to.include({ path: 'spec.volumes[v].sourceOf2030', event: 'UnknownVolumeSource' });
  });

  it('knows every volume source of the API', () => {
    const known = VOLUME_ROWS.filter(([path]) => !path.includes('.') && path !== 'name').map(([path]) => path);
    expect(known.length).to.be.greaterThan(25);
    for (const source of [...known, 'projected']) {
      expect(translate({ name: 'v', [source]: {} }).findings.dropped, source).to.be.empty;
    }
  });
});
