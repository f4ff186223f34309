import { expect } from 'chai';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { CliError } from '../../../../src/kosmosctl/failure.js';
import type { RegistryCredential } from '../../../../src/kosmosctl/image/credentials.js';
import { digestOf } from '../../../../src/kosmosctl/image/digest.js';
import { Repository, scopeOf } from '../../../../src/kosmosctl/image/registry.js';
import { explainNoAnswer, explainRefusal } from '../../../../src/kosmosctl/image/registry-error.js';
import { Secret } from '../../../../src/kube/secret.js';
import { FakeRegistry, type FakeRegistryOptions } from '../../../support/fake-registry.js';

const LOGIN = { username: 'robot', password: 'very-secret' };
const credential = (password = LOGIN.password): RegistryCredential => ({
  ...{ username: 'robot', password: new Secret(password), isRefreshToken: false },
});

describe('a repository', () => {
  let registry: FakeRegistry;
  let repository: Repository;
  let asked: number;

  async function open(options: FakeRegistryOptions = {}, found?: RegistryCredential): Promise<void> {
    registry = await FakeRegistry.start(options);
    asked = 0;
    repository = new Repository('team/kosmos', {
      ...{ registry: registry.host, plainHttp: true, certificateAuthority: undefined, environment: {} },
      scopes: [scopeOf({ repository: 'team/kosmos' }, 'pull,push')],
      findCredential: () => {
        asked += 1;
        return Promise.resolve(found);
      },
      signal: new AbortController().signal,
    });
  }

  afterEach(async () => {
    await repository.close();
    await registry.close();
  });

  const blob = (text: string) => ({ mediaType: '', digest: digestOf(text), size: text.length });
  const send = (text: string, from?: string): Promise<'sent' | 'found'> =>
    repository.upload(blob(text), from, () => Readable.from([Buffer.from(text)]));
  const read = async (text: string): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of repository.blob(blob(text))) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  const failed = async (action: Promise<unknown>): Promise<CliError> => {
    const error: unknown = await action.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(CliError);
    expect(`${String(error)}${(error as CliError).cure ?? ''}`).not.to.contain(LOGIN.password);
    return error as CliError;
  };

  it('takes blobs and manifests, and gives them back', async () => {
    await open();
    expect(await repository.hasBlob(digestOf('layer'))).to.equal(false);
    expect(await send('layer')).to.equal('sent');
    expect(await repository.hasBlob(digestOf('layer'))).to.equal(true);
    expect(await read('layer')).to.equal('layer');
    const content = Buffer.from('{"a":1}');
    await repository.putManifest('1', { content, digest: digestOf(content), mediaType: 'application/x' });
    expect(await repository.manifest('1')).to.deep.equal({
      content,
      digest: digestOf(content),
      mediaType: 'application/x',
    });
    expect(asked).to.equal(0);
  });

  it('finds what another repository has', async () => {
    await open();
    registry.addBlob(Buffer.from('layer'));
    expect(await send('layer', 'other/kosmos')).to.equal('found');
    expect(await send('more', 'other/kosmos')).to.equal('sent');
    const [first] = registry.paths('POST');
    expect(first).to.contain(`mount=${encodeURIComponent(digestOf('layer'))}&from=other%2Fkosmos`);
  });

  for (const scheme of ['basic', 'bearer'] as const) {
    it(`shows who it is by ${scheme} when it is asked, once`, async () => {
      await open({ login: { scheme, ...LOGIN } }, credential());
      expect(await send('layer')).to.equal('sent');
      expect(await read('layer')).to.equal('layer');
      expect(asked).to.equal(1);
      const unasked = registry.requests.filter(({ authorization }) => authorization === undefined);
      expect(unasked).to.have.lengthOf(1);
      const withPassword = registry.requests.filter(({ authorization }) => authorization?.startsWith('Basic'));
      if (scheme === 'bearer') expect(withPassword.map(({ url }) => url.pathname)).to.deep.equal(['/token']);
    });

    it(`says that a password is wrong, by ${scheme}`, async () => {
      await open({ login: { scheme, ...LOGIN } }, credential('wrong'));
      const error = await failed(send('layer'));
      expect(error.message).to.equal(`the registry ${registry.host} doesn't accept the password of robot`);
    });

    it(`says that nobody may come in unknown, by ${scheme}`, async () => {
      await open({ login: { scheme, ...LOGIN } });
      const error = await failed(repository.manifest('1'));
      expect(error.message).to.equal(`the registry ${registry.host} wants to know who you are`);
      expect(error.cure).to.contain(`docker login ${registry.host}`);
    });
  }

  it('sends the content again when its token has ended in the middle', async () => {
    await open({ login: { scheme: 'bearer', ...LOGIN } }, credential());
    let refused = 0;
    registry.hook = (request, response) => {
      if (request.method !== 'PUT' || refused > 0) return false;
      refused += 1;
      request.resume();
      request.on('end', () => {
        const challenge = `Bearer realm="${registry.origin}/token"`;
        response.writeHead(401, { 'www-authenticate': challenge }).end();
      });
      return true;
    };
    expect(await send('layer')).to.equal('sent');
    expect([refused, registry.blobs.get(digestOf('layer'))?.toString()]).to.deep.equal([1, 'layer']);
  });

  it('goes where the registry sends it, and shows nobody there who it is', async () => {
    await open({ login: { scheme: 'basic', ...LOGIN } }, credential());
    const store = await FakeRegistry.start();
    const seen: (string | undefined)[] = [];
    store.hook = (request, response) => {
      seen.push(request.headers.authorization);
      response.end('layer');
      return true;
    };
    registry.hook = (request, response) => {
      const isBlob = request.url?.includes('/blobs/sha256') === true && request.headers.authorization !== undefined;
      if (isBlob) response.writeHead(307, { location: `${store.origin}/x` }).end();
      return isBlob;
    };
    expect(await read('layer')).to.equal('layer');
    expect(seen).to.deep.equal([undefined]);
    await store.close();
  });

  it('does not go round in circles', async () => {
    await open();
    let times = 0;
    registry.hook = (request, response) => {
      times += 1;
      response.writeHead(307, { location: request.url }).end();
      return true;
    };
    expect((await failed(read('layer'))).message).to.contain('answers 307');
    expect(times).to.equal(6);
  });

  it('gives no password to who gives tokens without TLS, unless the registry has none either', async () => {
    await open();
    await repository.close();
    const unsafe = await FakeRegistry.start({ login: { scheme: 'bearer', ...LOGIN } });
    expect(unsafe.origin).to.match(/^http:/);
    repository = new Repository('team/kosmos', {
      ...{ registry: registry.host, plainHttp: true, certificateAuthority: undefined, environment: {}, scopes: [] },
      findCredential: () => Promise.resolve(credential()),
      signal: new AbortController().signal,
    });
    registry.hook = (_request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="ftp://a.example/token"' }).end();
      return true;
    };
    expect((await failed(repository.manifest('1'))).message).to.contain(
      'names no safe address at which tokens are given',
    );
    await unsafe.close();
  });

  for (const [what, answer] of [
    ['another content', (response: ServerResponse) => response.end('LAYER')],
    ['too much', (response: ServerResponse) => response.end('layer and more')],
    ['too little', (response: ServerResponse) => response.end('lay')],
  ] as const) {
    it(`is not believed when it gives ${what}`, async () => {
      await open();
      registry.hook = (_request, response) => {
        answer(response);
        return true;
      };
      expect((await failed(read('layer'))).message).to.contain(`has as ${digestOf('layer')} is something else`);
    });
  }

  it('is not believed when a manifest has another digest than it was asked for by', async () => {
    await open();
    registry.hook = (_request, response) => {
      response.end('{}');
      return true;
    };
    expect((await failed(repository.manifest(digestOf('x')))).message).to.contain('is something else');
  });

  it('says when the connection breaks in the middle', async () => {
    await open();
    registry.hook = (_request, response) => {
      response.writeHead(200, { 'content-length': 5 });
      response.write('la');
      setTimeout(() => response.destroy(), 20);
      return true;
    };
    expect((await failed(read('layer'))).message).to.contain(`the registry ${registry.host} can't be reached`);
  });

  it('has a limit for manifests', async () => {
    await open();
    registry.hook = (_request, response) => {
      response.end(Buffer.alloc(5 << 20, ' '));
      return true;
    };
    expect((await failed(repository.manifest('1'))).message).to.contain('is too long');
  });

  it('repeats what the registry says of a refusal', async () => {
    await open();
    registry.hook = (_request, response) => {
      response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"the quota is used up"}]}');
      return true;
    };
    const error = await failed(send('layer'));
    expect(error.message).to.equal(
      `the registry ${registry.host} doesn't let everybody push to team/kosmos: DENIED the quota is used up`,
    );
    registry.hook = (_request, response) => {
      response.writeHead(500).end('<html>');
      return true;
    };
    const other = await failed(repository.hasBlob(digestOf('x')));
    expect(other.message).to.equal(`the registry ${registry.host} answers 500 when asked to look into team/kosmos`);
  });
});

describe('explainNoAnswer', () => {
  const withCode = (code: string): Error => Object.assign(new Error('why'), { code });

  for (const [code, message, cure] of [
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'what answers at r:1 speaks no TLS', '--plain-http'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'shows a certificate that is not trusted', '--certificate-authority'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'shows a certificate that is not trusted', '--certificate-authority'],
    ['ECONNREFUSED', "the registry r:1 can't be reached", 'HTTPS_PROXY'],
  ] as const) {
    it(`has words for ${code}, wherever it is`, () => {
      for (const error of [
        withCode(code),
        new Error('outer', { cause: withCode(code) }),
        new AggregateError([withCode(code)]),
      ]) {
        const explained = explainNoAnswer(error, 'r:1');
        expect(explained.message).to.contain(message);
        expect(explained.cure).to.contain(cure);
      }
    });
  }
});

describe('explainRefusal', () => {
  it('takes nothing over from what it does not understand', () => {
    for (const text of ['', '[]', '{"errors":7}', '{"errors":[]}', '<html>']) {
      const asked = { registry: 'r', action: 'read x', username: undefined };
      expect(explainRefusal({ statusCode: 502, text }, asked).message).to.equal(
        'the registry r answers 502 when asked to read x',
      );
    }
  });
});
