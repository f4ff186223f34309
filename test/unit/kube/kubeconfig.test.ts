import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { stringify } from 'yaml';
import type { ClusterAccess } from '../../../src/kube/cluster-access.js';
import type { AuthMaterial } from '../../../src/kube/credential.js';
import type { KubeconfigOptions } from '../../../src/kube/kubeconfig-options.js';
import { KubeconfigError, parseKubeconfig } from '../../../src/kube/kubeconfig.js';
import { createAuthority, type KeyPair, type TestAuthority } from '../../support/certificates.js';

type Fields = Record<string, unknown>;

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function kubeconfig(parts: { cluster?: Fields; user?: Fields; more?: Fields } = {}): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'ctx',
    contexts: [
      { name: 'other', context: { cluster: 'missing', user: 'missing' } },
      { name: 'ctx', context: { cluster: 'c', user: 'u', namespace: 'ns' } },
    ],
    clusters: [{ name: 'c', cluster: { server: 'https://api.example.com:6443', ...parts.cluster } }],
    users: [{ name: 'u', user: parts.user ?? {} }],
    ...parts.more,
  });
}

function problemsOf(text: string, options: KubeconfigOptions = {}): readonly string[] {
  try {
    parseKubeconfig(text, options);
  } catch (error) {
    if (error instanceof KubeconfigError) return error.problems;
    throw error;
  }
  return [];
}

function material(access: ClusterAccess): Promise<AuthMaterial> {
  return access.credential.current(new AbortController().signal);
}

describe('parseKubeconfig', () => {
  let authority: TestAuthority;
  let alice: KeyPair;
  let directory: string;

  before(() => {
    authority = createAuthority();
    alice = authority.issue('alice');
    directory = mkdtempSync(join(tmpdir(), 'kosmos-kubeconfig-'));
    writeFileSync(join(directory, 'ca.crt'), authority.certificate);
    writeFileSync(join(directory, 'alice.crt'), alice.certificate);
    writeFileSync(join(directory, 'alice.key'), alice.key);
    writeFileSync(join(directory, 'token'), 'from-a-file\n');
  });

  after(() => rmSync(directory, { recursive: true }));

  describe('reads the cluster', () => {
    it('with all its fields', () => {
      const access = parseKubeconfig(
        kubeconfig({
          cluster: {
            server: 'https://api.example.com:6443/prefix/',
            'certificate-authority-data': base64(authority.certificate),
            'tls-server-name': 'other.example.com',
            'proxy-url': 'http://user:pw@proxy:3128',
          },
        }),
      );
      expect(access).to.include({
        server: 'https://api.example.com:6443/prefix',
        certificateAuthority: authority.certificate,
        tlsServerName: 'other.example.com',
        insecureSkipTlsVerify: false,
      });
      expect(access.proxyUrl?.reveal()).to.equal('http://user:pw@proxy:3128');
      expect(inspect(access, { depth: 5 }) + JSON.stringify(access)).not.to.contain('pw@');
    });

    it('of another context when asked', () => {
      const contexts = [{ name: 'second', context: { cluster: 'c' } }];
      const text = kubeconfig({ more: { contexts, 'current-context': undefined } });
      expect(parseKubeconfig(text, { context: 'second' }).server).to.equal('https://api.example.com:6443');
    });

    it('without checking certificates when told so', () => {
      const access = parseKubeconfig(kubeconfig({ cluster: { 'insecure-skip-tls-verify': true } }));
      expect(access.insecureSkipTlsVerify).to.equal(true);
    });

    it('with an authority from a file, where files are allowed', () => {
      const text = kubeconfig({ cluster: { 'certificate-authority': 'ca.crt' } });
      const access = parseKubeconfig(text, { allowFiles: true, baseDirectory: directory });
      expect(access.certificateAuthority).to.equal(authority.certificate);
    });

    it('from JSON too', () => {
      const text = JSON.stringify({
        'current-context': 'x',
        contexts: [{ name: 'x', context: { cluster: 'c' } }],
        clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:8080' } }],
      });
      expect(parseKubeconfig(text).server).to.equal('http://127.0.0.1:8080');
    });
  });

  describe('reads the user', () => {
    it('who has none of anything', async () => {
      expect(await material(parseKubeconfig(kubeconfig()))).to.deep.equal({
        authorization: undefined,
        clientCertificate: undefined,
      });
    });

    it('with a token', async () => {
      const { authorization } = await material(parseKubeconfig(kubeconfig({ user: { token: 'abc' } })));
      expect(authorization?.reveal()).to.equal('Bearer abc');
    });

    it('with a token file, which counts more than a token', async () => {
      const text = kubeconfig({ user: { token: 'abc', tokenFile: 'token' } });
      const { authorization } = await material(parseKubeconfig(text, { allowFiles: true, baseDirectory: directory }));
      expect(authorization?.reveal()).to.equal('Bearer from-a-file');
    });

    it('with name and password', async () => {
      const { authorization } = await material(
        parseKubeconfig(kubeconfig({ user: { username: 'a', password: 'b:c' } })),
      );
      expect(authorization?.reveal()).to.equal(`Basic ${base64('a:b:c')}`);
    });

    it('with a client certificate', async () => {
      const user = { 'client-certificate-data': base64(alice.certificate), 'client-key-data': base64(alice.key) };
      const { clientCertificate } = await material(parseKubeconfig(kubeconfig({ user })));
      expect(clientCertificate?.certificate).to.equal(alice.certificate);
      expect(clientCertificate?.key.reveal()).to.equal(alice.key);
    });

    it('with a client certificate from files', async () => {
      const user = { 'client-certificate': 'alice.crt', 'client-key': join(directory, 'alice.key') };
      const options = { allowFiles: true, baseDirectory: directory };
      const { clientCertificate } = await material(parseKubeconfig(kubeconfig({ user }), options));
      expect(clientCertificate?.key.reveal()).to.equal(alice.key);
    });

    it('who acts as another', () => {
      const user = { as: 'jane', 'as-uid': '7', 'as-groups': ['a', 'b'], 'as-user-extra': { 'scope/x': ['1', '2'] } };
      expect(parseKubeconfig(kubeconfig({ user })).impersonation).to.deep.equal([
        ['impersonate-user', 'jane'],
        ['impersonate-uid', '7'],
        ['impersonate-group', 'a'],
        ['impersonate-group', 'b'],
        ['impersonate-extra-scope%2Fx', '1'],
        ['impersonate-extra-scope%2Fx', '2'],
      ]);
    });

    it('with a credential plugin, given cluster and environment', async () => {
      const script = `
        const { spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
        const token = [spec.cluster.server, spec.cluster.config.audience, process.env.GIVEN, process.env.OWN].join(' ');
        console.log(JSON.stringify({ kind: 'ExecCredential', apiVersion: process.argv[1], status: { token } }));`;
      const apiVersion = 'client.authentication.k8s.io/v1';
      const exec = {
        apiVersion,
        command: process.execPath,
        args: ['-e', script, apiVersion],
        env: [{ name: 'OWN', value: 'o' }],
        interactiveMode: 'IfAvailable',
        provideClusterInfo: true,
      };
      const extensions = [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'aud' } }];
      const access = parseKubeconfig(kubeconfig({ user: { exec }, cluster: { extensions } }), {
        allowExec: true,
        environment: { GIVEN: 'g' },
      });
      const { authorization } = await material(access);
      expect(authorization?.reveal()).to.equal('Bearer https://api.example.com:6443 aud g o');
    });
  });

  describe('refuses', () => {
    const cases: readonly (readonly [string, () => string, readonly string[]])[] = [
      ['text that is no mapping', () => 'hello', ['document: must be a mapping']],
      ['nothing', () => '', ['document: must be a mapping']],
      ['broken YAML', () => 'a: [b', ['document: BAD_INDENT at line 1']],
      ['no current context', () => kubeconfig({ more: { 'current-context': '' } }), ['current-context: is missing']],
      [
        'a context that is not there',
        () => kubeconfig({ more: { 'current-context': 'nope' } }),
        ['contexts: has no entry of the name that is referred to'],
      ],
      [
        'a cluster and a user that are not there',
        () => kubeconfig({ more: { clusters: [], users: [] } }),
        [
          'clusters: has no entry of the name that is referred to',
          'users: has no entry of the name that is referred to',
        ],
      ],
      [
        'lists that are none',
        () => kubeconfig({ more: { contexts: {} } }),
        ['contexts: must be a list', 'contexts: has'],
      ],
      [
        'a cluster without server',
        () => kubeconfig({ cluster: { server: '' } }),
        ['clusters[0].cluster.server: is missing'],
      ],
      [
        'a server that is no URL',
        () => kubeconfig({ cluster: { server: 'x y' } }),
        ['clusters[0].cluster.server: is not'],
      ],
      [
        'other protocols',
        () => kubeconfig({ cluster: { server: 'ftp://x' } }),
        ['clusters[0].cluster.server: must begin'],
      ],
      [
        'a password in the URL',
        () => kubeconfig({ cluster: { server: 'https://u:p@x' } }),
        ['clusters[0].cluster.server: may not contain'],
      ],
      [
        'an authority that is none',
        () => kubeconfig({ cluster: { 'certificate-authority-data': base64('x') } }),
        ['clusters[0].cluster.certificate-authority-data: holds no PEM certificate'],
      ],
      [
        'a proxy that is none',
        () => kubeconfig({ cluster: { 'proxy-url': 'proxy:80' } }),
        ['clusters[0].cluster.proxy-url: must be'],
      ],
      ['values of wrong type', () => kubeconfig({ user: { token: 5 } }), ['users[0].user.token: must be a string']],
      [
        'data that is not base64',
        () => kubeconfig({ user: { 'client-certificate-data': '%', 'client-key-data': '&' } }),
        ['users[0].user.client-certificate-data: is not base64', 'users[0].user.client-key-data: is not base64'],
      ],
      [
        'certificate and key that are none',
        () => kubeconfig({ user: { 'client-certificate-data': base64('x'), 'client-key-data': base64('y') } }),
        [
          'users[0].user.client-certificate-data: holds no PEM certificate',
          'users[0].user.client-key-data: holds no PEM private key',
        ],
      ],
      [
        'a token together with a password',
        () => kubeconfig({ user: { token: 'a', username: 'b' } }),
        ['users[0].user.username: may not be combined'],
      ],
      [
        'other auth providers',
        () => kubeconfig({ user: { 'auth-provider': { name: 'gcp' } } }),
        ['users[0].user.auth-provider.name: only oidc'],
      ],
      [
        'an OIDC provider without token',
        () => kubeconfig({ user: { 'auth-provider': { name: 'oidc', config: {} } } }),
        ['users[0].user.auth-provider.config.id-token: is missing'],
      ],
      [
        'groups without a user to act as',
        () => kubeconfig({ user: { 'as-groups': ['g'] } }),
        ['users[0].user.as: is missing'],
      ],
      [
        'groups that are no strings',
        () => kubeconfig({ user: { as: 'x', 'as-groups': [1] } }),
        ['users[0].user.as-groups: must be a list of strings'],
      ],
    ];
    for (const [what, text, expected] of cases) {
      it(what, () => {
        const problems = problemsOf(text());
        expect(problems.length, problems.join()).to.be.at.least(expected.length > 1 ? 2 : 1);
        for (const [i, start] of expected.entries())
          expect(problems[i]).to.satisfy((text_: string) => text_.startsWith(start));
      });
    }

    it('half of a key pair', () => {
      const certificate = base64(alice.certificate);
      expect(problemsOf(kubeconfig({ user: { 'client-certificate-data': certificate } }))).to.deep.equal([
        'users[0].user.client-key-data: is missing',
      ]);
      expect(problemsOf(kubeconfig({ user: { 'client-key-data': base64(alice.key) } }))).to.deep.equal([
        'users[0].user.client-certificate-data: is missing',
      ]);
    });

    it('a key of another certificate', () => {
      const user = {
        'client-certificate-data': base64(alice.certificate),
        'client-key-data': base64(authority.issue('bob').key),
      };
      expect(problemsOf(kubeconfig({ user }))).to.deep.equal([
        'users[0].user.client-key-data: does not belong to the client certificate',
      ]);
    });

    it('an authority for a server that is not checked', () => {
      const cluster = {
        'insecure-skip-tls-verify': true,
        'certificate-authority-data': base64(authority.certificate),
      };
      expect(problemsOf(kubeconfig({ cluster }))[0]).to.contain('may not be set together');
    });

    it('files, unless they are allowed', () => {
      const text = kubeconfig({
        cluster: { 'certificate-authority': '/etc/passwd' },
        user: { tokenFile: '/etc/shadow', 'client-certificate': 'a', 'client-key': 'b' },
      });
      const problems = problemsOf(text);
      expect(problems).to.have.length(4);
      for (const problem of problems) expect(problem).to.contain('names a file, which is not allowed here');
    });

    it('files that are not there', () => {
      const text = kubeconfig({ cluster: { 'certificate-authority': 'nope' } });
      expect(problemsOf(text, { allowFiles: true, baseDirectory: directory })).to.deep.equal([
        'clusters[0].cluster.certificate-authority: cannot be read (ENOENT)',
      ]);
    });

    it('programs, unless they are allowed', () => {
      const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'rm' };
      expect(problemsOf(kubeconfig({ user: { exec } }))).to.deep.equal([
        'users[0].user.exec.command: names a program, which is not allowed here',
      ]);
    });

    it('plugins that speak another version or want to ask somebody', () => {
      const exec = { apiVersion: 'client.authentication.k8s.io/v1alpha1', interactiveMode: 'Always' };
      expect(problemsOf(kubeconfig({ user: { exec } }), { allowExec: true })).to.deep.equal([
        'users[0].user.exec.command: is missing',
        'users[0].user.exec.apiVersion: must be one of client.authentication.k8s.io/v1, client.authentication.k8s.io/v1beta1',
        'users[0].user.exec.interactiveMode: there is nobody to answer here',
      ]);
    });

    it('text of absurd length, and YAML that grows when it is read', () => {
      expect(problemsOf('x'.repeat(2_000_000))[0]).to.contain('is longer than');
      const bomb = ['a0: &a0 [x, x]'];
      for (let i = 1; i < 30; i++) bomb.push(`a${i}: &a${i} [*a${i - 1}, *a${i - 1}, *a${i - 1}]`);
      expect(problemsOf(bomb.join('\n'))).to.deep.equal(['document: too many aliases']);
    });

    it('with one error that lists all problems', () => {
      const text = kubeconfig({ cluster: { server: 'x y', 'proxy-url': 'z' }, user: { token: 5, password: 6 } });
      try {
        parseKubeconfig(text);
        expect.fail('it should have failed');
      } catch (error) {
        expect(error).to.include({ code: 'KUBECONFIG_INVALID', retry: 'never' });
        expect((error as Error).message).to.match(/server.*proxy-url.*username.*token/s);
      }
    });

    it('without ever quoting what is in it', () => {
      const secret = 'hunter2';
      const texts = [
        `users: [${secret}`,
        `users: {a: ${secret}: b}`,
        `${secret}: *${secret}`,
        kubeconfig({
          user: { token: [secret], 'client-key-data': `${secret}%`, 'client-certificate-data': base64(secret) },
        }),
        kubeconfig({ cluster: { server: `https://u:${secret}@x`, 'proxy-url': secret } }),
      ];
      for (const text of texts) {
        const problems = problemsOf(text).join();
        expect(problems).not.to.equal('');
        expect(problems).not.to.contain(secret);
      }
    });
  });

  describe('gives a fingerprint', () => {
    function fingerprint(parts: Parameters<typeof kubeconfig>[0] = {}, options: KubeconfigOptions = {}): string {
      return parseKubeconfig(kubeconfig(parts), options).fingerprint;
    }

    it('that stays while nothing changes, whatever the order and the other contexts', () => {
      expect(fingerprint({ user: { token: 'a', as: 'b' } })).to.equal(fingerprint({ user: { as: 'b', token: 'a' } }));
      expect(fingerprint({ more: { extra: 1 } })).to.equal(fingerprint());
    });

    it('that changes with every part', () => {
      const all = [
        fingerprint(),
        fingerprint({ user: { token: 'a' } }),
        fingerprint({ user: { token: 'b' } }),
        fingerprint({ user: { token: 'b', as: 'x' } }),
        fingerprint({ cluster: { server: 'https://other' } }),
        fingerprint({ cluster: { 'tls-server-name': 'x' } }),
        fingerprint({ cluster: { 'proxy-url': 'http://u:1@p' } }),
        fingerprint({ cluster: { 'proxy-url': 'http://u:2@p' } }),
        fingerprint({ cluster: { 'insecure-skip-tls-verify': true } }),
        fingerprint({ cluster: { 'certificate-authority-data': base64(authority.certificate) } }),
      ];
      expect(new Set(all).size).to.equal(all.length);
      for (const one of all) expect(one).to.match(/^[0-9a-f]{64}$/);
    });

    it('that changes when a file of the certificate does', () => {
      const options = { allowFiles: true, baseDirectory: directory };
      const user = { 'client-certificate': 'alice.crt', 'client-key': 'alice.key' };
      const before = fingerprint({ user }, options);
      writeFileSync(join(directory, 'alice.crt'), `${alice.certificate}\n`);
      expect(fingerprint({ user }, options)).not.to.equal(before);
    });
  });
});
