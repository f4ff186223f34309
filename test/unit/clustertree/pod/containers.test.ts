import { expect } from 'chai';
import type { Container, EnvVar } from '../../../../src/apis/core.js';
import { type ContainerContext, translateContainer } from '../../../../src/clustertree/pod/containers.js';
import { Findings } from '../../../../src/clustertree/pod/findings.js';
import { asJson, deepFreeze } from '../../../support/pods.js';

const CONTEXT: ContainerContext = {
  hostUid: 'host-uid',
  serviceEnvironment: [{ name: 'DB_SERVICE_HOST', value: '10.96.0.9' }],
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

  for (const fieldPath of [
    'metadata.name',
    'metadata.namespace',
    "metadata.labels['app']",
    "metadata.annotations['a']",
    'spec.nodeName',
    'spec.serviceAccountName',
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

  for (const [field, name] of [
    ['configMapKeyRef', 'settings'],
    ['secretKeyRef', 'login'],
  ] as const) {
    for (const optional of [undefined, false, true]) {
      it(`keeps a ${field} a reference, optional: ${optional}`, () => {
        const variable = { name: 'X', valueFrom: { [field]: { name, key: 'k', optional } } };
        const [result, findings] = env(variable);
        expect(result).to.deep.equal(asJson([variable]));
        expect(findings.refusals).to.be.empty;
        expect(findings.dropped).to.be.empty;
      });
    }
  }

  it('keeps envFrom references', () => {
    const envFrom = [
      { prefix: 'P_', configMapRef: { name: 'settings' } },
      { secretRef: { name: 'login', optional: true } },
    ];
    expect(translate({ envFrom })[0].envFrom).to.deep.equal(envFrom);
  });

  it("asks for the host's root certificates by the name that they have in the member", () => {
    const name = 'kube-root-ca.crt';
    const [container] = translate({
      env: [{ name: 'CA', valueFrom: { configMapKeyRef: { name, key: 'ca.crt' } } }],
      envFrom: [{ configMapRef: { name } }, { secretRef: { name } }],
    });
    expect(container.env).to.have.nested.property('[0].valueFrom.configMapKeyRef.name', 'master-root-ca.crt');
    expect(container.envFrom).to.deep.equal([
      { configMapRef: { name: 'master-root-ca.crt' } },
      { secretRef: { name } },
    ]);
  });

  it('refuses names that stand for something else in the member, and says so', () => {
    const token = 'kosmos-token-0';
    const [, findings] = translate({
      env: [
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'master-root-ca.crt', key: 'k' } } },
        { name: 'B', valueFrom: { secretKeyRef: { name: token, key: 'k', optional: true } } },
      ],
      envFrom: [{ configMapRef: { name: 'master-root-ca.crt' } }, { secretRef: { name: token } }],
    });
    expect(findings.refusals.map(({ path, reason }) => `${path} ${reason}`)).to.deep.equal([
      'spec.containers[app].env[A].valueFrom.configMapKeyRef ReservedName',
      'spec.containers[app].env[B].valueFrom.secretKeyRef ReservedName',
      'spec.containers[app].envFrom[0].configMapRef ReservedName',
      'spec.containers[app].envFrom[1].secretRef ReservedName',
    ]);
    expect(findings.refusals[1]?.message).to.contain(token).and.contain('Rename');
  });

  it('keeps an envFrom source that names nothing it knows', () => {
    expect(translate({ envFrom: [{ prefix: 'P_' }] })[0].envFrom).to.deep.equal([{ prefix: 'P_' }]);
  });

  it('leaves no empty lists behind', () => {
    const [container] = translate({ env: [], envFrom: [] });
    expect(asJson(container)).to.deep.equal({ name: 'app' });
  });
});
