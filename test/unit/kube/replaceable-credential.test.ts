import { expect } from 'chai';
import type { ClusterAccess } from '../../../src/kube/cluster-access.js';
import type { AuthMaterial, Credential } from '../../../src/kube/credential.js';
import { parseKubeconfig } from '../../../src/kube/kubeconfig.js';
import { isSameServer, replaceableAccess, ReplaceableCredential } from '../../../src/kube/replaceable-credential.js';
import { Secret } from '../../../src/kube/secret.js';

const { signal } = new AbortController();

/** A credential that shows a token, and notes what was refused. */
class FakeCredential implements Credential {
  readonly refusals: AuthMaterial[] = [];
  failure: Error | undefined;
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  current(): Promise<AuthMaterial> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return Promise.resolve({ authorization: new Secret(`Bearer ${this.#token}`) });
  }

  refused(material: AuthMaterial): void {
    this.refusals.push(material);
  }
}

async function shown(credential: Credential): Promise<string | undefined> {
  return (await credential.current(signal)).authorization?.reveal();
}

function access(change: Partial<ClusterAccess> = {}): ClusterAccess {
  return {
    ...{ server: 'https://east:6443', certificateAuthority: 'CA', insecureSkipTlsVerify: false },
    ...{ credential: new FakeCredential('old'), fingerprint: 'f' },
    ...change,
  };
}

describe('ReplaceableCredential', () => {
  it('shows the one that it has, until there is another', async () => {
    const credential = new ReplaceableCredential(new FakeCredential('old'));
    expect(await shown(credential)).to.equal('Bearer old');
    credential.replace(new FakeCredential('new'));
    expect(await shown(credential)).to.equal('Bearer new');
  });

  it('lets a request that has begun end with the old one', async () => {
    const credential = new ReplaceableCredential(new FakeCredential('old'));
    const begun = shown(credential);
    credential.replace(new FakeCredential('new'));
    expect(await begun).to.equal('Bearer old');
  });

  it('tells only the present one of a refusal', async () => {
    const [old, next] = [new FakeCredential('old'), new FakeCredential('new')];
    const credential = new ReplaceableCredential(old);
    const material = await credential.current(signal);
    credential.replace(next);
    credential.refused(material);
    expect([old.refusals, next.refusals]).to.deep.equal([[], [material]]);
  });

  it('passes on that there is none, and works again with another', async () => {
    const broken = new FakeCredential('old');
    broken.failure = new Error('no token');
    const credential = new ReplaceableCredential(broken);
    const failure = await credential.current(signal).catch((error: unknown) => error);
    expect(failure).to.equal(broken.failure);
    credential.replace(new FakeCredential('new'));
    expect(await shown(credential)).to.equal('Bearer new');
  });
});

describe('replaceableAccess', () => {
  const texts: Readonly<Record<string, ClusterAccess>> = {
    first: access(),
    renewed: access({ credential: new FakeCredential('new'), fingerprint: 'g' }),
    again: access({ credential: new FakeCredential('newest') }),
    moved: access({ server: 'https://west:6443', credential: new FakeCredential('west') }),
  };
  const parse = (text: string): ClusterAccess => {
    const parsed = texts[text];
    if (parsed === undefined) throw new Error(`no kubeconfig: ${text}`);
    return parsed;
  };

  it('has the server of the kubeconfig, and its credential', async () => {
    const { access: made } = replaceableAccess(parse, 'first');
    expect(made).to.include({ server: 'https://east:6443', certificateAuthority: 'CA' });
    expect(await shown(made.credential)).to.equal('Bearer old');
  });

  it('takes over another credential for the same server, as often as there is one', async () => {
    const { access: made, adopt } = replaceableAccess(parse, 'first');
    const seen: unknown[] = [];
    for (const text of ['renewed', 'again', 'first']) seen.push(adopt(text), await shown(made.credential));
    expect(seen).to.deep.equal([true, 'Bearer new', true, 'Bearer newest', true, 'Bearer old']);
  });

  it('takes over nothing from a kubeconfig for another server', async () => {
    const { access: made, adopt } = replaceableAccess(parse, 'first');
    expect(adopt('moved')).to.equal(false);
    expect(await shown(made.credential)).to.equal('Bearer old');
  });

  it('keeps what it has when a kubeconfig can not be read, and says so', async () => {
    const { access: made, adopt } = replaceableAccess(parse, 'first');
    expect(() => adopt('nonsense')).to.throw('no kubeconfig: nonsense');
    expect(await shown(made.credential)).to.equal('Bearer old');
    expect(() => replaceableAccess(parse, 'nonsense')).to.throw('no kubeconfig: nonsense');
  });

  it('works with kubeconfigs that hold tokens', async () => {
    const text = (server: string, token: string): string =>
      JSON.stringify({
        ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'x' },
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        clusters: [{ name: 'c', cluster: { server } }],
        users: [{ name: 'u', user: { token } }],
      });
    const { access: made, adopt } = replaceableAccess((one) => parseKubeconfig(one), text('https://a:6443', 'one'));
    expect([adopt(text('https://a:6443', 'two')), await shown(made.credential)]).to.deep.equal([true, 'Bearer two']);
    expect([adopt(text('https://b:6443', 'three')), await shown(made.credential)]).to.deep.equal([false, 'Bearer two']);
  });
});

describe('whether two ways lead to the same server', () => {
  const secret = (text: string): Secret => new Secret(text);
  const table: readonly (readonly [string, Partial<ClusterAccess>, Partial<ClusterAccess>, boolean])[] = [
    ['by another credential', {}, { credential: new FakeCredential('x'), fingerprint: 'other' }, true],
    ['at another address', {}, { server: 'https://east:6444' }, false],
    ['with another authority', {}, { certificateAuthority: 'other' }, false],
    ["with the system's authorities", {}, { certificateAuthority: undefined }, false],
    ['by another name', {}, { tlsServerName: 'east.example' }, false],
    ['without a check', {}, { insecureSkipTlsVerify: true }, false],
    ['by a proxy', {}, { proxyUrl: secret('http://p:1') }, false],
    ['by the same proxy', { proxyUrl: secret('http://p:1') }, { proxyUrl: secret('http://p:1') }, true],
    [
      'by a proxy with another password',
      { proxyUrl: secret('http://u:a@p:1') },
      { proxyUrl: secret('http://u:b@p:1') },
      false,
    ],
    ['as somebody else', {}, { impersonation: [['Impersonate-User', 'x']] }, false],
    [
      'as the same',
      { impersonation: [['Impersonate-User', 'x']] },
      { impersonation: [['Impersonate-User', 'x']] },
      true,
    ],
    [
      'with a name in the place of an authority',
      { certificateAuthority: 'x' },
      { certificateAuthority: undefined, tlsServerName: 'x' },
      false,
    ],
  ];
  for (const [what, one, other, same] of table) {
    it(`is ${same ? 'so' : 'not so'} ${what}`, () => {
      expect(isSameServer(access(one), access(other))).to.equal(same);
      expect(isSameServer(access(other), access(one))).to.equal(same);
    });
  }
});
