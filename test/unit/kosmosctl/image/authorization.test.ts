import { expect } from 'chai';
import { inspect } from 'node:util';
import { basicAuthorization, tokenOf, tokenRequest } from '../../../../src/kosmosctl/image/authorization.js';
import { chooseChallenge, parseChallenges } from '../../../../src/kosmosctl/image/challenge.js';
import type { RegistryCredential } from '../../../../src/kosmosctl/image/credentials.js';
import { Secret } from '../../../../src/kube/secret.js';

const credential: RegistryCredential = { username: 'robot', password: new Secret('p:ä'), isRefreshToken: false };

describe('parseChallenges', () => {
  it('reads a challenge with its parameters, quoted or not', () => {
    const header = 'Bearer realm="https://a.example/token?x=1,2",service=registry, scope="repository:a/b:pull,push"';
    expect(parseChallenges(header)).to.deep.equal([
      {
        scheme: 'bearer',
        parameters: {
          ...{ realm: 'https://a.example/token?x=1,2', service: 'registry', scope: 'repository:a/b:pull,push' },
        },
      },
    ]);
  });

  it('reads several, in one header or in more', () => {
    const schemes = (header: string | string[]): readonly string[] =>
      parseChallenges(header).map(({ scheme }) => scheme);
    expect(schemes('Negotiate, Basic realm="x", Bearer realm="y"')).to.deep.equal(['negotiate', 'basic', 'bearer']);
    expect(schemes(['Basic realm="x"', 'Bearer realm="y"'])).to.deep.equal(['basic', 'bearer']);
  });

  it('undoes the quoting inside', () => {
    expect(parseChallenges('Basic realm="a \\"b\\" \\\\c"')[0]?.parameters).to.deep.equal({ realm: 'a "b" \\c' });
  });

  for (const header of [undefined, '', '   ', '"', '=', ',,,', 'Basic realm="never closed']) {
    it(`makes an end of ${JSON.stringify(header)}`, () => {
      expect(parseChallenges(header).flatMap(({ parameters }) => Object.keys(parameters))).to.deep.equal([]);
    });
  }

  it('prefers a token to the password', () => {
    const choose = (header: string): string | undefined => chooseChallenge(parseChallenges(header))?.scheme;
    expect(choose('Basic realm="x", Bearer realm="y"')).to.equal('bearer');
    expect(choose('Basic realm="x"')).to.equal('basic');
    expect(choose('Negotiate')).to.equal(undefined);
  });
});

describe('tokenRequest', () => {
  const [challenge] = parseChallenges('Bearer realm="https://a.example/token?v=2",service="r s"');
  const scopes = ['repository:a/b:pull,push', 'repository:c:pull'];

  it('asks with the password, for all that is to be done', () => {
    const request = tokenRequest(challenge!, credential, scopes);
    expect(request?.url.href).to.equal(
      'https://a.example/token?v=2&service=r+s&scope=repository%3Aa%2Fb%3Apull%2Cpush&scope=repository%3Ac%3Apull',
    );
    const expected = `Basic ${Buffer.from('robot:p:ä').toString('base64')}`;
    expect(request).to.deep.include({ method: 'GET', headers: { authorization: expected } });
    expect(basicAuthorization(credential)).to.equal(expected);
  });

  it('asks as nobody, where there is no credential', () => {
    expect(tokenRequest(challenge!, undefined, scopes)?.headers).to.deep.equal({});
  });

  it('asks with a refresh token by POST, and shows it in the body alone', () => {
    const token = { ...credential, password: new Secret('refresh'), isRefreshToken: true };
    const request = tokenRequest(challenge!, token, scopes);
    expect(request?.method).to.equal('POST');
    expect(request?.url.href).to.equal('https://a.example/token?v=2');
    expect(Object.fromEntries(new URLSearchParams(request?.body))).to.deep.equal({
      ...{ grant_type: 'refresh_token', refresh_token: 'refresh', client_id: 'kosmosctl', service: 'r s' },
      scope: scopes.join(' '),
    });
  });

  it('does not know where to ask when the challenge does not say', () => {
    for (const header of ['Bearer service="x"', 'Bearer realm="not a URL"']) {
      expect(tokenRequest(parseChallenges(header)[0]!, credential, scopes), header).to.equal(undefined);
    }
  });

  it('takes the token under either name, and nothing for one', () => {
    expect(tokenOf('{"token":"a","access_token":"b"}')).to.equal('a');
    expect(tokenOf('{"token":"","access_token":"b"}')).to.equal('b');
    for (const answer of ['', '{}', '{"token":7}', 'token']) expect(tokenOf(answer)).to.equal(undefined);
  });

  it('shows no password when it is printed', () => {
    expect(inspect(credential) + JSON.stringify(credential)).not.to.contain('p:ä');
  });
});
