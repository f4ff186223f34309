import { expect } from 'chai';
import type { Container, EnvVar } from '../../../../src/apis/core.js';
import { type ContainerContext, translateContainer } from '../../../../src/clustertree/pod/containers.js';
import { Findings } from '../../../../src/clustertree/pod/findings.js';
import { asJson, deepFreeze } from '../../../support/pods.js';

const CONTEXT: ContainerContext = {
  hostUid: 'host-uid',
  serviceAccountName: 'robot',
  serviceEnvironment: [{ name: 'DB_SERVICE_HOST', value: '10.96.0.9' }],
  removedVolumes: new Set(['kube-api-access-x']),
};

function translate(container: Partial<Container>, context: Partial<ContainerContext> = {}): [Container, Findings] {
  const findings = new Findings();
  const whole = deepFreeze({ name: 'app', ...container });
  const merged = { ...CONTEXT, serviceEnvironment: [], ...context };
  return [translateContainer(whole, 'spec.containers[app]', merged, findings), findings];
}

function env(variable: EnvVar): [unknown, Findings] {
  const [container, findings] = translate({ env: [variable] });
  return [asJson(container.env ?? []), findings];
}

describe('translateContainer', () => {
  it('keeps everything that it has no rule for, also fields that it does not know', () => {
    const container = { name: 'app', image: 'a:1', tty: true, fieldOf2030: { a: 1 } };
    expect(asJson(translate(container)[0])).to.deep.equal(container);
  });

  it("puts the host's service variables first, so that the pod's own can refer to them", () => {
    const [container] = translate({ env: [{ name: 'URL', value: 'http://$(DB_SERVICE_HOST)' }] }, CONTEXT);
    expect(container.env?.map(({ name }) => name)).to.deep.equal(['DB_SERVICE_HOST', 'URL']);
  });

  it("never overrides the pod's own variable with a service's", () => {
    const own = { name: 'DB_SERVICE_HOST', value: 'mine' };
    expect(translate({ env: [own] }, CONTEXT)[0].env).to.deep.equal([own]);
  });

  it('gives the service variable when an optional reference of the same name is dropped', () => {
    const reference = { configMapKeyRef: { name: 'c', key: 'k', optional: true } };
    const [container] = translate({ env: [{ name: 'DB_SERVICE_HOST', valueFrom: reference }] }, CONTEXT);
    expect(container.env).to.deep.equal(CONTEXT.serviceEnvironment);
  });

  it('keeps the order and the duplicates of own variables', () => {
    const own = [
      { name: 'B', value: '1' },
      { name: 'A', value: '2' },
      { name: 'B', value: '3' },
    ];
    expect(translate({ env: own })[0].env).to.deep.equal(own);
  });

  it('writes the UID of the host pod in place of a reference to it', () => {
    const [result] = env({ name: 'UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } });
    expect(result).to.deep.equal([{ name: 'UID', value: 'host-uid' }]);
  });

  it('writes the service account of the host pod in place of a reference to it', () => {
    const [result] = env({ name: 'SA', valueFrom: { fieldRef: { fieldPath: 'spec.serviceAccountName' } } });
    expect(result).to.deep.equal([{ name: 'SA', value: 'robot' }]);
  });

  for (const fieldPath of [
    'metadata.name',
    'metadata.namespace',
    "metadata.labels['app']",
    "metadata.annotations['a']",
    'spec.nodeName',
    'status.hostIP',
    'status.podIPs',
  ]) {
    it(`leaves ${fieldPath} to the member's kubelet`, () => {
      const variable = { name: 'X', valueFrom: { fieldRef: { fieldPath } } };
      expect(env(variable)[0]).to.deep.equal([variable]);
    });
  }

  for (const valueFrom of [
    { resourceFieldRef: { resource: 'limits.cpu' } },
    { fileKeyRef: { volumeName: 'v', path: 'p', key: 'k' } },
  ]) {
    it(`leaves ${Object.keys(valueFrom).join()} to the member's kubelet`, () => {
      const variable = { name: 'X', valueFrom };
      expect(env(variable)[0]).to.deep.equal([variable]);
    });
  }

  for (const [field, reason] of [
    ['configMapKeyRef', 'NeedsConfigMap'],
    ['secretKeyRef', 'NeedsSecret'],
  ] as const) {
    it(`refuses a mandatory ${field}`, () => {
      const [, findings] = env({ name: 'X', valueFrom: { [field]: { name: 'n', key: 'k' } } });
      expect(findings.refusals).to.have.lengthOf(1);
      expect(findings.refusals[0]).to.include({ reason, path: `spec.containers[app].env[X].valueFrom.${field}` });
    });

    it(`drops an optional ${field}, as a kubelet does when the object is missing`, () => {
      const [result, findings] = env({ name: 'X', valueFrom: { [field]: { name: 'n', key: 'k', optional: true } } });
      expect(result).to.deep.equal([]);
      expect(findings.refusals).to.be.empty;
      expect(findings.dropped.map(({ path }) => path)).to.deep.equal([
        `spec.containers[app].env[X].valueFrom.${field}`,
      ]);
    });
  }

  it('names the field and the cure in a refusal', () => {
    const [, findings] = env({ name: 'X', valueFrom: { secretKeyRef: { name: 'n', key: 'k' } } });
    expect(findings.refusals[0]?.message)
      .to.contain('spec.containers[app].env[X].valueFrom.secretKeyRef')
      .and.contain('keep the pod on nodes of the host');
  });

  for (const [field, reason] of [
    ['configMapRef', 'NeedsConfigMap'],
    ['secretRef', 'NeedsSecret'],
  ] as const) {
    it(`refuses envFrom with a mandatory ${field} and drops an optional one`, () => {
      const [container, findings] = translate({
        envFrom: [{ prefix: 'P_', [field]: { name: 'a' } }, { [field]: { name: 'b', optional: true } }],
      });
      expect(container.envFrom).to.be.undefined;
      expect(findings.refusals.map((refusal) => [refusal.reason, refusal.path])).to.deep.equal([
        [reason, `spec.containers[app].envFrom[0].${field}`],
      ]);
      expect(findings.dropped.map(({ path }) => path)).to.deep.equal([`spec.containers[app].envFrom[1].${field}`]);
    });
  }

  it('keeps an envFrom source that names nothing it knows', () => {
    expect(translate({ envFrom: [{ prefix: 'P_' }] })[0].envFrom).to.deep.equal([{ prefix: 'P_' }]);
  });

  it('drops the mounts of removed volumes and keeps all others', () => {
    const [container] = translate({
      volumeMounts: [
        { name: 'kube-api-access-x', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
        { name: 'data', mountPath: '/data' },
      ],
    });
    expect(container.volumeMounts).to.deep.equal([{ name: 'data', mountPath: '/data' }]);
  });

  it('leaves no empty lists behind', () => {
    const [container] = translate({ env: [], envFrom: [], volumeMounts: [] });
    expect(asJson(container)).to.deep.equal({ name: 'app' });
  });
});
