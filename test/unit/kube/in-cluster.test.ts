import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { inClusterAccess } from '../../../src/kube/in-cluster.js';
import type { KubeconfigError } from '../../../src/kube/kubeconfig.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('inClusterAccess', () => {
  const environment = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
  const signal = new AbortController().signal;
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'kosmos-in-cluster-'));
    writeFileSync(join(directory, 'token'), 'one');
    writeFileSync(join(directory, 'ca.crt'), 'CA');
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  it('is made of what the kubelet gives a pod', async () => {
    const access = inClusterAccess({ environment, directory, clock: new FakeClock() });
    expect(access).to.include({
      server: 'https://10.0.0.1:443',
      certificateAuthority: 'CA',
      insecureSkipTlsVerify: false,
    });
    expect((await access.credential.current(signal)).authorization?.reveal()).to.equal('Bearer one');
  });

  it('follows the token, which the kubelet renews', async () => {
    const clock = new FakeClock();
    const { credential } = inClusterAccess({ environment, directory, clock });
    await credential.current(signal);
    writeFileSync(join(directory, 'token'), 'two');
    await clock.advance(60_000);
    expect((await credential.current(signal)).authorization?.reveal()).to.equal('Bearer two');
  });

  it('writes IPv6 addresses as URLs want them', () => {
    const access = inClusterAccess({ environment: { ...environment, KUBERNETES_SERVICE_HOST: 'fd00::1' }, directory });
    expect(access.server).to.equal('https://[fd00::1]:443');
  });

  it('lists all that is missing outside of a pod', () => {
    try {
      inClusterAccess({ environment: {}, directory: join(directory, 'nope') });
      expect.fail('it should have failed');
    } catch (error) {
      expect((error as KubeconfigError).problems).to.deep.equal([
        'KUBERNETES_SERVICE_HOST: is missing',
        'KUBERNETES_SERVICE_PORT: is missing',
        `${join(directory, 'nope', 'ca.crt')}: cannot be read (ENOENT)`,
        `${join(directory, 'nope', 'token')}: cannot be read (ENOENT)`,
      ]);
    }
  });
});
