import { expect } from 'chai';
import { parseKubeconfig } from '../../../src/kube/kubeconfig.js';
import { isSameServer, ReplaceableCredential } from '../../../src/kube/replaceable-credential.js';
import { Secret } from '../../../src/kube/secret.js';
import { readServiceAccountToken } from '../../../src/kube/service-account-token.js';
import { renderTokenKubeconfig, tokenOf, withToken, type ServerAccess } from '../../../src/kube/token-kubeconfig.js';

const NEVER = new AbortController().signal;
const SERVER: ServerAccess = {
  server: 'https://m:6443',
  certificateAuthority: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  tlsServerName: 'other-name',
  insecureSkipTlsVerify: false,
};

describe('a kubeconfig with a token', () => {
  const text = renderTokenKubeconfig('member1', SERVER, new Secret('first'));

  it('says how to reach the server and who asks', async () => {
    const access = parseKubeconfig(
      renderTokenKubeconfig('member1', { ...SERVER, certificateAuthority: undefined }, new Secret('first')),
    );
    expect(access).to.include({ server: 'https://m:6443', tlsServerName: 'other-name', insecureSkipTlsVerify: false });
    expect((await access.credential.current(NEVER)).authorization?.reveal()).to.equal('Bearer first');
  });

  it('keeps the authority, a proxy, and that nothing is checked', () => {
    expect(text).to.contain(Buffer.from(SERVER.certificateAuthority ?? '').toString('base64'));
    const insecure = renderTokenKubeconfig(
      'm',
      { server: 'https://m', insecureSkipTlsVerify: true, proxyUrl: new Secret('http://p:1') },
      new Secret('t'),
    );
    const access = parseKubeconfig(insecure);
    expect([access.insecureSkipTlsVerify, access.proxyUrl?.reveal()]).to.deep.equal([true, 'http://p:1']);
  });

  it('gives its token out, and takes another', () => {
    expect(tokenOf(text)).to.equal('first');
    const other = withToken(text, new Secret('second'));
    expect(tokenOf(other)).to.equal('second');
    expect(withToken(other, new Secret('first'))).to.equal(text);
  });

  it('is told from others', () => {
    expect(tokenOf('users: []')).to.equal(undefined);
    expect(tokenOf('users: [{name: a, user: {token: 5}}]')).to.equal(undefined);
    expect(tokenOf('')).to.equal(undefined);
  });
});

describe('isSameServer', () => {
  const access = (server: Partial<ServerAccess>, token = 't') =>
    parseKubeconfig(
      renderTokenKubeconfig('m', { server: 'https://m', insecureSkipTlsVerify: false, ...server }, new Secret(token)),
    );

  it('cares for nothing but the way to the server', () => {
    expect(isSameServer(access({}, 'a'), access({}, 'b'))).to.equal(true);
  });

  const changes: readonly Partial<ServerAccess>[] = [
    { server: 'https://n' },
    { tlsServerName: 'n' },
    { insecureSkipTlsVerify: true },
    { proxyUrl: new Secret('http://p:1') },
  ];
  for (const change of changes) {
    it(`sees another ${Object.keys(change).join()}`, () => {
      expect(isSameServer(access({}), access(change))).to.equal(false);
    });
  }
});

describe('ReplaceableCredential', () => {
  const fixed = (token: string) => {
    const material = { authorization: new Secret(token) };
    const refused: unknown[] = [];
    return {
      refused,
      material,
      credential: { current: () => Promise.resolve(material), refused: (m: unknown) => void refused.push(m) },
    };
  };

  it('shows the newest from the moment on that it is replaced', async () => {
    const [one, two] = [fixed('one'), fixed('two')];
    const credential = new ReplaceableCredential(one.credential);
    expect(await credential.current(NEVER)).to.equal(one.material);
    credential.replace(two.credential);
    expect(await credential.current(NEVER)).to.equal(two.material);
    credential.refused(one.material);
    expect([one.refused, two.refused]).to.deep.equal([[], [one.material]]);
  });
});

describe('readServiceAccountToken', () => {
  const token = (claims: unknown): string => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;

  it('reads whose it is, and from when to when it is good', () => {
    expect(readServiceAccountToken(token({ sub: 'system:serviceaccount:a:b', iat: 1, exp: 3 }))).to.deep.equal({
      namespace: 'a',
      name: 'b',
      issuedAtMs: 1000,
      expiresAtMs: 3000,
    });
  });

  const others: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['no JSON Web Token', 'abc'],
    ['no JSON in it', 'a.b.c'],
    ['a number in it', token(5)],
    ['somebody else', token({ sub: 'alice', iat: 1, exp: 2 })],
    ['a token without end', token({ sub: 'system:serviceaccount:a:b', iat: 1 })],
    ['a token that ends before it begins', token({ sub: 'system:serviceaccount:a:b', iat: 2, exp: 1 })],
  ];
  for (const [what, text] of others) {
    it(`makes nothing of ${what}`, () => {
      expect(readServiceAccountToken(text)).to.equal(undefined);
    });
  }
});
