import { inspect } from 'node:util';
import { expect } from 'chai';
import { PlainCredential } from '../../../src/kube/credential.js';
import { ExecCredential } from '../../../src/kube/exec-credential.js';
import { OidcCredential } from '../../../src/kube/oidc-credential.js';
import { Secret } from '../../../src/kube/secret.js';
import { FakeClock } from '../../support/fake-clock.js';

const PASSWORD = 'hunter2-hunter2';

/** All ways in which a value gets into a log by accident. */
function accidents(value: object): string[] {
  return [
    JSON.stringify(value),
    JSON.stringify({ nested: { value } }),
    inspect(value, { depth: 10, showHidden: true }),
    inspect({ nested: [value] }, { depth: 10 }),
    // eslint-disable-next-line @typescript-eslint/no-base-to-string -- this is the accident
    String(value),
    Object.entries(value).join(),
  ];
}

describe('Secret', () => {
  it('gives its value out only when asked to', () => {
    expect(new Secret(PASSWORD).reveal()).to.equal(PASSWORD);
    for (const text of accidents(new Secret(PASSWORD))) expect(text).not.to.contain(PASSWORD);
  });

  it('says that something was left out', () => {
    expect(String(new Secret(PASSWORD))).to.equal('[redacted]');
    expect(JSON.stringify({ password: new Secret(PASSWORD) })).to.equal('{"password":"[redacted]"}');
    expect(inspect(new Secret(PASSWORD))).to.equal('[redacted]');
  });
});

describe('credentials', () => {
  const clock = new FakeClock();
  const signal = new AbortController().signal;

  it('keep token, password and key to themselves', async () => {
    const value = new Secret(PASSWORD);
    const credential = new PlainCredential(
      {
        token: { value },
        certificate: { value: new Secret('public') },
        key: { value },
        basic: { username: 'u', password: value },
      },
      clock,
    );
    for (const text of accidents(credential)) expect(text).not.to.contain(PASSWORD);
    for (const text of accidents(await credential.current(signal))) expect(text).not.to.contain(PASSWORD);
  });

  it('keep what a plugin printed to themselves', async () => {
    const printed = {
      kind: 'ExecCredential',
      apiVersion: 'client.authentication.k8s.io/v1',
      status: { token: PASSWORD },
    };
    const credential = new ExecCredential({
      command: process.execPath,
      args: ['-e', `process.stdout.write(${JSON.stringify(JSON.stringify(printed))})`],
      apiVersion: printed.apiVersion,
      environment: {},
      installHint: undefined,
      clusterInfo: undefined,
      workingDirectory: '.',
      clock,
    });
    const material = await credential.current(signal);
    expect(material.authorization?.reveal()).to.equal(`Bearer ${PASSWORD}`);
    for (const text of [...accidents(credential), ...accidents(material)]) expect(text).not.to.contain(PASSWORD);
  });

  it('keep the configuration of an identity provider to themselves', () => {
    const credential = new OidcCredential(new Map([['client-secret', new Secret(PASSWORD)]]), clock);
    for (const text of accidents(credential)) expect(text).not.to.contain(PASSWORD);
  });
});
