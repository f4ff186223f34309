import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { OidcCredential } from '../../../src/kube/oidc-credential.js';
import { Secret } from '../../../src/kube/secret.js';
import { systemClock } from '../../../src/lib/clock.js';
import type { FederationError } from '../../../src/lib/errors.js';
import { HttpApiServer, sendJson } from '../../support/http-api-server.js';

function idToken(expiresInSeconds: number, name = 'n'): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + expiresInSeconds;
  return `${part({ alg: 'none' })}.${part({ exp, name })}.${Buffer.from('signature').toString('base64url')}`;
}

describe('OidcCredential', () => {
  const signal = new AbortController().signal;

  function credential(config: Record<string, string>): OidcCredential {
    const entries = Object.entries(config).map(([key, value]) => [key, new Secret(value)] as const);
    return new OidcCredential(new Map(entries), systemClock);
  }

  it('gives the token of the kubeconfig while it is valid', async () => {
    const token = idToken(3600);
    const target = credential({ 'id-token': token });
    const material = await target.current(signal);
    expect(material.authorization?.reveal()).to.equal(`Bearer ${token}`);
    expect(await target.current(signal)).to.equal(material);
    target.refused(material);
    expect(await target.current(signal)).to.equal(material);
  });

  it('says so when the token has expired and cannot be renewed', async () => {
    const error: unknown = await credential({ 'id-token': idToken(-60) })
      .current(signal)
      .catch((reason: unknown) => reason);
    expect(error).to.have.property('code', 'CREDENTIAL_FAILED');
    expect((error as Error).message).to.contain('has expired');
  });

  it('says no more than that it failed when the issuer does not do its part', async () => {
    const issuer = await HttpApiServer.start();
    issuer.handler = (_request, response) => sendJson(response, { error: 'hunter2' }, { code: 500 });
    const target = credential({
      'id-token': idToken(-60),
      'refresh-token': 'hunter2',
      'client-id': 'c',
      'idp-issuer-url': issuer.url,
    });
    const error = (await target.current(signal).catch((reason: unknown) => reason)) as FederationError;
    expect(error.code).to.equal('CREDENTIAL_FAILED');
    expect([error.message, error.cause]).to.deep.equal(['the ID token could not be renewed', undefined]);
    await issuer.close();
  });

  it('loads the big library only when it is needed', () => {
    const script = `
      import { registerHooks } from 'node:module';
      const seen = [];
      registerHooks({ resolve: (name, context, next) => {
        const found = next(name, context);
        if (/client-node|kubeconfig/.test(found.url)) seen.push(found.url.includes('client-node') ? 'big' : 'small');
        return found;
      } });
      await import(${JSON.stringify(new URL('../../../src/kube/kubeconfig.js', import.meta.url).href)});
      console.log([...new Set(seen)].join());`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(output.trim()).to.equal('small');
  });
});
