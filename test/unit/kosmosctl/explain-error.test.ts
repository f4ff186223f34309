import { expect } from 'chai';
import { ApiError } from '../../../src/kube/api-error.js';
import type { KubeClient } from '../../../src/kube/client.js';
import { clusters } from '../../../src/kube/kosmos-resources.js';
import { KubeconfigError } from '../../../src/kube/kubeconfig.js';
import { pods } from '../../../src/kube/resource.js';
import { TransportError } from '../../../src/kube/transport-error.js';
import { FederationError } from '../../../src/lib/errors.js';
import { explainError } from '../../../src/kosmosctl/explain-error.js';
import { CliError } from '../../../src/kosmosctl/failure.js';
import { originOf, withOrigin } from '../../../src/kosmosctl/origin.js';
import { FakeKubeClient } from '../../support/fake-kube-client.js';

const ORIGIN = { label: 'member', server: 'https://m:6443' };

async function from(error: Error): Promise<unknown> {
  const fake = new FakeKubeClient();
  fake.fail({ error });
  const client: KubeClient = withOrigin(fake, ORIGIN);
  return client.list(clusters).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

const answer = (statusCode: number, more: object = {}): ApiError =>
  new ApiError({ message: 'its words', code: statusCode, ...more }, { statusCode });
const unreachable = (code: string): TransportError =>
  new TransportError('API_UNREACHABLE', 'no connection', {
    mayHaveArrived: false,
    cause: Object.assign(new Error('deep down'), { code }),
  });

describe('explainError', () => {
  const table: readonly (readonly [string, Error, string, string | undefined])[] = [
    ['an API server that is not there', unreachable('ECONNREFUSED'), "(https://m:6443) can't be reached", 'firewalls'],
    [
      'a certificate of nobody known',
      unreachable('SELF_SIGNED_CERT_IN_CHAIN'),
      "doesn't trust",
      'certificate-authority',
    ],
    ['a certificate for another name', unreachable('ERR_TLS_CERT_ALTNAME_INVALID'), "doesn't trust", 'address'],
    [
      'silence',
      new TransportError('API_TIMEOUT', 'late', { mayHaveArrived: true }),
      'does not answer in time: late',
      'whether the server runs',
    ],
    ['an expired credential', answer(401, { reason: 'Unauthorized' }), "doesn't accept the credential", 'get a new'],
    ['missing rights', answer(403, { reason: 'Forbidden' }), 'refuses: its words', 'cluster-admin'],
    ['a host without Kosmos', answer(404, { reason: 'NotFound' }), 'Kosmos is not installed', 'kosmosctl install'],
    ['any other answer', answer(409, { reason: 'Conflict' }), 'answers: its words', undefined],
    ['a bad kubeconfig', new KubeconfigError(['users: is missing']), 'users: is missing', 'Correct the kubeconfig'],
    ['a credential program', new FederationError('CREDENTIAL_FAILED', 'it failed'), 'it failed', 'Correct the user'],
    ['anything else', new Error('unheard of'), 'unheard of', undefined],
  ];
  for (const [what, error, message, cure] of table) {
    it(`says of ${what} what it is and what to do`, async () => {
      const explained = explainError(await from(error));
      expect(explained.message).to.contain(message);
      if (cure === undefined) expect(explained.cure).to.equal(undefined);
      else expect(explained.cure).to.contain(cure);
    });
  }

  it('names the cluster that an error is from, and leaves the error as it is', async () => {
    const error = answer(409, { reason: 'Conflict' });
    expect(await from(error)).to.equal(error);
    expect(originOf(error)).to.equal(ORIGIN);
    expect(originOf(new Error('of nobody'))).to.equal(undefined);
  });

  it('keeps what is explained already', () => {
    const known = new CliError('known', { cure: 'done' });
    expect(explainError(known)).to.equal(known);
  });

  it('passes answers through', async () => {
    const fake = new FakeKubeClient();
    await fake.create(pods, { metadata: { namespace: 'a', name: 'b' } });
    expect((await withOrigin(fake, ORIGIN).get(pods, { namespace: 'a', name: 'b' })).metadata?.name).to.equal('b');
  });
});
