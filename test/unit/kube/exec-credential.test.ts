import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ExecCredential, type ExecCredentialOptions } from '../../../src/kube/exec-credential.js';
import type { FederationError } from '../../../src/lib/errors.js';
import { FakeClock } from '../../support/fake-clock.js';

const V1 = 'client.authentication.k8s.io/v1';

describe('ExecCredential', () => {
  const signal = new AbortController().signal;
  let directory: string;
  let clock: FakeClock;

  beforeEach(() => {
    clock = new FakeClock();
    directory = mkdtempSync(join(tmpdir(), 'kosmos-exec-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  /** A plugin that is a bit of JavaScript; every run is counted in the file `runs`. */
  function plugin(script: string, more: Partial<ExecCredentialOptions> = {}): ExecCredential {
    return new ExecCredential({
      command: process.execPath,
      args: ['-e', `require('fs').appendFileSync('runs', 'x'); ${script}`],
      apiVersion: V1,
      environment: {},
      installHint: undefined,
      clusterInfo: undefined,
      workingDirectory: directory,
      clock,
      ...more,
    });
  }

  function print(status: unknown, more: object = {}): string {
    return `console.log(JSON.stringify(${JSON.stringify({ kind: 'ExecCredential', apiVersion: V1, status, ...more })}))`;
  }

  function runs(): number {
    return readFileSync(join(directory, 'runs'), 'utf8').length;
  }

  async function failure(credential: ExecCredential): Promise<FederationError> {
    return credential.current(signal).then(
      () => expect.fail('it should have failed'),
      (error: unknown) => error as FederationError,
    );
  }

  it('gives the token that the plugin prints, and runs it once for all', async () => {
    const credential = plugin(print({ token: 'abc' }));
    const materials = await Promise.all([1, 2, 3].map(() => credential.current(signal)));
    expect(materials[0]?.authorization?.reveal()).to.equal('Bearer abc');
    await clock.advance(86_400_000);
    await credential.current(signal);
    expect(runs()).to.equal(1);
  });

  it('gives a client certificate', async () => {
    const credential = plugin(print({ clientCertificateData: 'C', clientKeyData: 'K' }));
    const material = await credential.current(signal);
    expect(material.authorization).to.equal(undefined);
    expect(material.clientCertificate?.certificate).to.equal('C');
    expect(material.clientCertificate?.key.reveal()).to.equal('K');
  });

  it('runs the plugin again when the credential has expired', async () => {
    const expirationTimestamp = new Date(clock.now() + 60_000).toISOString();
    const credential = plugin(print({ token: 'abc', expirationTimestamp }));
    await credential.current(signal);
    await clock.advance(59_999);
    await credential.current(signal);
    expect(runs()).to.equal(1);
    await clock.advance(1);
    await credential.current(signal);
    expect(runs()).to.equal(2);
  });

  it('runs the plugin again when the server refused the credential, once for each credential', async () => {
    const credential = plugin(print({ token: 'abc' }));
    const first = await credential.current(signal);
    credential.refused(first);
    const second = await credential.current(signal);
    credential.refused(first);
    expect(await credential.current(signal)).to.equal(second);
    expect(runs()).to.equal(2);
  });

  it('keeps the certificate object when the plugin prints the same again', async () => {
    const credential = plugin(print({ clientCertificateData: 'C', clientKeyData: 'K' }));
    const first = await credential.current(signal);
    credential.refused(first);
    expect((await credential.current(signal)).clientCertificate).to.equal(first.clientCertificate);
  });

  it('tells the plugin what it wants, and gives it no terminal', async () => {
    const info = 'JSON.parse(process.env.KUBERNETES_EXEC_INFO)';
    const script = `process.stdin.resume().on('end', () => console.log(JSON.stringify({
      kind: 'ExecCredential', apiVersion: '${V1}', status: { token: JSON.stringify([${info}, process.env.A]) } })))`;
    const credential = plugin(script, { environment: { A: 'a' }, clusterInfo: { server: 'https://x' } });
    const token = (await credential.current(signal)).authorization?.reveal().slice('Bearer '.length);
    expect(JSON.parse(token ?? '')).to.deep.equal([
      { apiVersion: V1, kind: 'ExecCredential', spec: { interactive: false, cluster: { server: 'https://x' } } },
      'a',
    ]);
  });

  const failures: readonly (readonly [string, string, RegExp])[] = [
    ['fails', "console.error('hunter2'); process.exitCode = 3", /failed with exit code 3$/],
    ['is killed', "process.kill(process.pid, 'SIGTERM')", /was ended by SIGTERM$/],
    ['prints no JSON', "console.log('hunter2')", /not JSON$/],
    ['prints something else', print({}, { kind: 'Pod' }), /no ExecCredential$/],
    ['prints another version', print({}, { apiVersion: 'client.authentication.k8s.io/v1beta1' }), /another version/],
    ['prints no status', print(null), /no credential$/],
    ['prints an empty status', print({}), /neither a token nor a certificate$/],
    ['prints a certificate without key', print({ clientCertificateData: 'hunter2' }), /only one of/],
    ['prints a key without certificate', print({ token: 't', clientKeyData: 'hunter2' }), /only one of/],
    [
      'prints a bad date',
      print({ token: 'hunter2', expirationTimestamp: 'tomorrow' }),
      /expiration time that is none$/,
    ],
  ];
  for (const [what, script, expected] of failures) {
    it(`says so, and no more, when the plugin ${what}`, async () => {
      const error = await failure(plugin(script));
      expect(error.code).to.equal('CREDENTIAL_FAILED');
      expect(error.message).to.match(expected);
      expect(error.message).not.to.contain('hunter2');
      expect(error.cause).to.equal(undefined);
    });
  }

  it('tells how to get the plugin when it is not there', async () => {
    const error = await failure(plugin('', { command: 'no-such-plugin', installHint: 'Get it from example.com.' }));
    expect(error.message).to.equal('the credential plugin no-such-plugin was not found. Get it from example.com.');
  });

  it('ends a plugin that takes too long', async () => {
    const error = await failure(plugin('setTimeout(() => {}, 60_000)', { timeoutMs: 300 }));
    expect(error.message).to.match(/took too long$/);
  });

  it('tries again after a failure', async () => {
    const credential = plugin(
      `if (require('fs').readFileSync('runs').length < 2) process.exit(1); ${print({ token: 'abc' })}`,
    );
    await failure(credential);
    expect((await credential.current(signal)).authorization?.reveal()).to.equal('Bearer abc');
  });

  it('can be given up while the plugin runs', async () => {
    const reason = new Error('stop');
    const giveUp = AbortSignal.abort(reason);
    const credential = plugin(print({ token: 'abc' }));
    expect(await credential.current(giveUp).catch((error: unknown) => error)).to.equal(reason);
    await credential.current(signal);
  });
});
