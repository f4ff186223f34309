import { expect } from 'chai';
import { ApiError } from '../../../src/kube/api-error.js';
import { namespaces } from '../../../src/kube/resource.js';
import { CliError, EXIT } from '../../../src/kosmosctl/failure.js';
import {
  clusterUid,
  kubeconfigPath,
  readAccess,
  serverVersion,
  SUPPORTED_MINORS,
  versionProblem,
  withSessions,
  type ClusterSession,
} from '../../../src/kosmosctl/session.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeKubeClient } from '../../support/fake-kube-client.js';

const NEVER = new AbortController().signal;
const HOME = '/home/somebody';

function sessionOf(client: FakeKubeClient): ClusterSession {
  return { label: 'host', client, access: { server: 'https://h:6443' } as ClusterSession['access'] };
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('kubeconfigPath', () => {
  const table: readonly (readonly [string, string | undefined, string | undefined, string])[] = [
    ['the flag before all else', '/flag', '/variable', '/flag'],
    ['the variable without a flag', undefined, '/variable', '/variable'],
    ['the one in the home directory without either', undefined, undefined, `${HOME}/.kube/config`],
    ['the same for an empty variable', undefined, '', `${HOME}/.kube/config`],
    ['the only one of a list with empty entries', undefined, ':/variable:', '/variable'],
    ['a flag, even where the variable names several', '/flag', '/a:/b', '/flag'],
  ];
  for (const [what, kubeconfig, variable, path] of table) {
    it(`is ${what}`, () => {
      const environment = { KUBECONFIG: variable };
      expect(kubeconfigPath({ kubeconfig }, { environment, homeDirectory: HOME })).to.equal(path);
    });
  }

  it('is not chosen among several', () => {
    expect(() => kubeconfigPath({}, { environment: { KUBECONFIG: '/a:/b' }, homeDirectory: HOME }))
      .to.throw(CliError, 'KUBECONFIG names several files')
      .with.property('exitCode', EXIT.usage);
  });
});

describe('readAccess', () => {
  const user = (fields: object): string =>
    JSON.stringify({
      'current-context': 'one',
      clusters: ['one', 'two'].map((name) => ({ name, cluster: { server: `https://${name}:6443` } })),
      contexts: ['one', 'two'].map((name) => ({ name, context: { cluster: name, user: 'u' } })),
      users: [{ name: 'u', user: fields }],
    });
  const read = (files: Readonly<Record<string, string>>, context?: string): ReturnType<typeof readAccess> =>
    readAccess(
      'member',
      { kubeconfig: '/conf/member.yaml', context },
      {
        environment: {},
        homeDirectory: HOME,
        clock: new FakeClock(),
        readFile: (path) => {
          const text = files[path];
          if (text === undefined) throw Object.assign(new Error('no'), { code: 'EACCES' });
          return text;
        },
      },
    );

  it('takes the current context, or the one that is named', () => {
    const files = { '/conf/member.yaml': user({ token: 't' }) };
    expect(read(files).server).to.equal('https://one:6443');
    expect(read(files, 'two').server).to.equal('https://two:6443');
  });

  it('says whose kubeconfig can not be read, and why', () => {
    expect(() => read({}))
      .to.throw(CliError, "the kubeconfig of the member, /conf/member.yaml, can't be read (EACCES)")
      .with.property('cure')
      .that.contains('KUBECONFIG');
  });

  it('says all that is wrong with it, and none of its values', () => {
    const text = '{"current-context":"one","contexts":"secret-1","clusters":[],"users":[{"name":"secret-2"}]}';
    expect(() => read({ '/conf/member.yaml': text }))
      .to.throw(CliError, "can't be used: ")
      .with.property('message')
      .that.does.not.contain('secret');
  });

  it('says so of an empty file', () => {
    expect(() => read({ '/conf/member.yaml': '' })).to.throw(CliError, "/conf/member.yaml, can't be used");
  });
});

describe('versionProblem', () => {
  it('has none with all that are supported, and one on either side', () => {
    const minors = Array.from({ length: 99 }, (_, minor) => minor);
    const good = minors.filter((minor) => versionProblem('host', `v1.${minor}.0`) === undefined);
    expect([good[0], good.at(-1)]).to.deep.equal([SUPPORTED_MINORS.from, SUPPORTED_MINORS.to]);
    expect(good).to.have.lengthOf(SUPPORTED_MINORS.to - SUPPORTED_MINORS.from + 1);
  });

  const bad = ['v1.30.14', 'v1.38.0', 'v0.36.0', 'v2.36.0', 'v1', '1.36.0', 'v1.x', ''];
  for (const version of bad) {
    it(`has one with ${version || 'nothing'}, and names what is supported`, () => {
      const problem = versionProblem('host', version);
      expect(problem?.message).to.contain(`the host runs Kubernetes ${version || '(unknown version)'}`);
      expect(problem?.cure).to.equal('Use Kubernetes 1.31 to 1.37.');
    });
  }

  for (const version of ['v1.31.0+k3s1', 'v1.36.2-eks-1234', 'v1.37.0-alpha.1', 'v1.36+']) {
    it(`has none with ${version}, as distributions write it`, () => {
      expect(versionProblem('host', version)).to.equal(undefined);
    });
  }
});

describe('serverVersion', () => {
  for (const answer of ['<html>', '', 'null', '"v1.36.3', 'ok']) {
    it(`does not take ${JSON.stringify(answer)} for the answer of an API server`, async () => {
      const client = new FakeKubeClient();
      client.paths.set('/version', answer);
      const error = (await failureOf(serverVersion(sessionOf(client), NEVER))) as CliError;
      expect(error).to.be.instanceOf(CliError);
      expect(error.message).to.equal('what answers at https://h:6443 for the host is no API server of Kubernetes');
    });
  }

  it('is empty when the answer does not say', async () => {
    const client = new FakeKubeClient();
    client.paths.set('/version', '{"major":"1"}');
    expect(await serverVersion(sessionOf(client), NEVER)).to.equal('');
  });
});

describe('clusterUid', () => {
  it('is the UID of kube-system', async () => {
    const client = new FakeKubeClient();
    client.seed(namespaces, { metadata: { name: 'kube-system', uid: 'u-1' } });
    client.seed(namespaces, { metadata: { name: 'default', uid: 'u-2' } });
    expect(await clusterUid(sessionOf(client), NEVER)).to.equal('u-1');
  });
});

describe('withSessions', () => {
  it('closes all of them when the action has ended, however it ends', async () => {
    for (const action of [() => Promise.resolve(1), () => Promise.reject(new ApiError({ code: 500 }))]) {
      const clients = [new FakeKubeClient(), new FakeKubeClient()];
      let closedBefore: boolean | undefined;
      const watched = async (): Promise<number> => {
        closedBefore = clients.some(({ closed }) => closed);
        return action();
      };
      await failureOf(withSessions(clients.map(sessionOf), watched));
      expect([closedBefore, ...clients.map(({ closed }) => closed)]).to.deep.equal([false, true, true]);
    }
  });

  it('gives back what the action does, and fails as it does', async () => {
    const error = new Error('its own');
    expect(await withSessions([], () => Promise.resolve(7))).to.equal(7);
    expect(await failureOf(withSessions([sessionOf(new FakeKubeClient())], () => Promise.reject(error)))).to.equal(
      error,
    );
  });
});
