import { expect } from 'chai';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '../../../../src/kosmosctl/image/digest.js';
import { createAuthority } from '../../../support/certificates.js';
import { runInProcess, typedInput, type CliHarnessOptions, type CliResult } from '../../../support/cli-harness.js';
import { ConnectProxy } from '../../../support/connect-proxy.js';
import { FakeRegistry, type FakeRegistryOptions } from '../../../support/fake-registry.js';
import { archiveOf, manifestDigest, writeWithTar } from '../../../support/image-archives.js';
import { expectMistake } from '../../../support/mistakes.js';

const LAYER = Buffer.alloc(300_000, 'layer');
const FILES = archiveOf('first layer', LAYER);
const DIGEST = manifestDigest(FILES);
const LOGIN = { username: 'robot', password: 'very-secret' };
const PASSWORD: CliHarnessOptions = { input: typedInput(`${LOGIN.password}\n`) };

describe('kosmosctl image', () => {
  let folder: string;
  let archive: string;
  let registry: FakeRegistry;

  const start = async (options: FakeRegistryOptions = {}): Promise<void> => {
    registry = await FakeRegistry.start(options);
  };
  const kosmosctl = async (line: string, options: CliHarnessOptions = {}): Promise<CliResult> => {
    const ended = await runInProcess(['image', ...line.split(' ')], options);
    expect(ended.out + ended.err).not.to.contain(LOGIN.password);
    return ended;
  };
  const push = (more = '', options?: CliHarnessOptions): Promise<CliResult> =>
    kosmosctl(`push ${archive} --to ${registry.host}/team/kosmos:1 --plain-http${more}`, options);
  const pull = (more = '', options?: CliHarnessOptions): Promise<CliResult> =>
    kosmosctl(`pull ${registry.host}/team/kosmos:1 --plain-http -o ${folder}/pulled.tar${more}`, options);
  const mistake = (name: Parameters<typeof expectMistake>[0], { code, err }: CliResult): void =>
    expectMistake(name, { code, stderr: err });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kosmos-image-'));
    archive = join(folder, 'image.tar');
    writeWithTar(archive, FILES);
  });

  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await registry.close();
  });

  it('brings an archive to a registry and back, with the same digests', async () => {
    await start();
    const pushed = await push();
    expect([pushed.code, pushed.out], pushed.err).to.deep.equal([0, `${registry.host}/team/kosmos:1@${DIGEST}\n`]);
    expect(pushed.err)
      .to.contain(`--image ${registry.host}/team/kosmos:1\n`)
      .and.match(/ok {3}Send what .*: 0\.3 MiB of 0\.3 MiB/);
    const pulled = await pull();
    expect([pulled.code, pulled.out], pulled.err).to.deep.equal([0, pushed.out]);
    expect(pulled.err).to.match(/ok {3}Look at .*: linux\/amd64, 2 layers, 0\.3 MiB/);
    expect(pulled.err).to.contain(`kosmosctl image push ${folder}/pulled.tar --to`);
    archive = join(folder, 'pulled.tar');
    expect((await push()).out).to.equal(pushed.out);
  });

  it('sends only what is not there, and nothing the second time', async () => {
    await start();
    registry.addBlob(LAYER);
    expect((await push()).code).to.equal(0);
    expect(registry.requests.filter(({ bytes }) => bytes >= LAYER.length)).to.deep.equal([]);
    const sent = registry.paths('POST').length;
    expect((await push()).err).to.contain('0.0 MiB of 0.3 MiB');
    expect(registry.paths('POST')).to.have.lengthOf(sent);
  });

  it('takes from the repository that the image came from what is there', async () => {
    await start();
    await push();
    await pull();
    archive = join(folder, 'pulled.tar');
    registry.hook = (request, response) => {
      const isAsked = request.method === 'HEAD';
      if (isAsked) response.writeHead(404).end();
      return isAsked;
    };
    const { code, err } = await kosmosctl(`push ${archive} --to ${registry.host}/other/kosmos:1 --plain-http`);
    expect(code, err).to.equal(0);
    expect(err).to.contain('0.0 MiB of 0.3 MiB');
    expect(
      registry
        .paths('POST')
        .slice(-3)
        .every((path) => path.includes('from=team%2Fkosmos')),
    ).to.equal(true);
  });

  it('keeps the tag of the archive, or all of its name, as it is told', async () => {
    await start();
    const whole = await kosmosctl(`push -a ${archive} -r ${registry.host}/mirror/ --plain-http`);
    expect(whole.out, whole.err).to.equal(`${registry.host}/mirror/kosmos:0.1.0@${DIGEST}\n`);
    const tag = await kosmosctl(`push ${archive} --to ${registry.host}/x --plain-http`);
    expect(tag.out, tag.err).to.equal(`${registry.host}/x:0.1.0@${DIGEST}\n`);
  });

  it('chooses from an index, and takes an image by its digest', async () => {
    await start();
    await push();
    const size = registry.manifests.get('team/kosmos:1')?.content.length;
    const platforms = [
      { os: 'linux', architecture: 's390x' },
      { os: 'unknown', architecture: 'unknown' },
    ];
    const image = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: DIGEST, size };
    const digest = registry.addManifest('team/kosmos:all', {
      mediaType: 'application/vnd.oci.image.index.v1+json',
      ...{ schemaVersion: 2, manifests: platforms.map((platform) => ({ ...image, platform })) },
    });
    const all = `pull ${registry.host}/team/kosmos@${digest} --plain-http -o ${folder}`;
    mistake('other-platform', await kosmosctl(`${all} --platform linux/riscv64`));
    const { code, out, err } = await kosmosctl(`${all} --platform linux/s390x`);
    // The image itself says amd64.
    expect([code, out]).to.deep.equal([1, '']);
    expect(err).to.contain('has no image for linux/s390x');
    const one = await kosmosctl(`pull ${registry.host}/team/kosmos@${DIGEST} --plain-http -o ${folder}`);
    expect(one.out, one.err).to.equal(`${registry.host}/team/kosmos@${DIGEST}\n`);
    expect(readdirSync(folder)).to.include(`kosmos-${DIGEST.slice(7, 19)}.tar`);
  });

  for (const scheme of ['basic', 'bearer'] as const) {
    it(`says who it is by ${scheme}, by flags or as docker does, and never shows the password`, async () => {
      await start({ login: { scheme, ...LOGIN } });
      expect((await push(' --username robot --password-stdin', PASSWORD)).code).to.equal(0);
      const auth = Buffer.from('robot:very-secret').toString('base64');
      const config = JSON.stringify({ auths: { [registry.host]: { auth } } });
      expect((await pull('', { files: { '/home/somebody/.docker/config.json': config } })).code).to.equal(0);
      mistake('registry-unknown-user', await pull());
      const wrong = { input: typedInput('wrong') };
      mistake('registry-password', await pull(' -u robot --password-stdin', wrong));
      mistake('registry-password', await push(' -u robot --password-stdin', wrong));
    });
  }

  it('says whose password it is, and that there is one', async () => {
    await start();
    expect((await pull(' --password-stdin', PASSWORD)).err).to.contain('Add --username.');
    expect((await pull(' -u robot --password-stdin', { input: typedInput('\n') })).err).to.contain('no password came');
    const endless = typedInput('x'.repeat(70_000));
    expect((await pull(' -u robot --password-stdin', { input: endless })).err).to.contain('too long for a password');
  });

  it('trusts the authority that it is told', async () => {
    const authority = createAuthority();
    const { certificate: cert, key } = authority.issue('registry');
    await start({ tls: { cert, key } });
    const to = `push ${archive} --to ${registry.host}/team/kosmos:1`;
    mistake('registry-authority', await kosmosctl(to));
    const files = { '/ca.pem': authority.certificate, '/other.pem': createAuthority().certificate, '/none.pem': 'no' };
    mistake('registry-authority', await kosmosctl(`${to} --certificate-authority /other.pem`, { files }));
    expect((await kosmosctl(`${to} --certificate-authority /none.pem`, { files })).err).to.contain(
      'no certificate in it',
    );
    const { code, err } = await kosmosctl(`${to} --certificate-authority /ca.pem`, { files });
    expect(code, err).to.equal(0);
  });

  it('goes through the proxy that the environment names, unless it names the registry too', async () => {
    const authority = createAuthority();
    const { certificate: cert, key } = authority.issue('registry');
    await start({ tls: { cert, key } });
    const proxy = await ConnectProxy.start();
    const line = `push ${archive} --to ${registry.host}/team/kosmos:1 --certificate-authority /ca.pem`;
    const files = { '/ca.pem': authority.certificate };
    const variables = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
    const through = await kosmosctl(line, { files, environment: variables });
    expect(through.code, through.err).to.equal(0);
    expect(new Set(proxy.tunnels)).to.deep.equal(new Set([registry.host]));
    const tunnels = proxy.tunnels.length;
    const around = await kosmosctl(line, { files, environment: { ...variables, no_proxy: '127.0.0.1' } });
    expect([around.code, proxy.tunnels.length], around.err).to.deep.equal([0, tunnels]);
    // The authority counts for the registry behind the proxy, too.
    mistake('registry-authority', await kosmosctl(line.replace(/ --cert.*/, ''), { environment: variables }));
    await proxy.close();
  });

  it('sends the image where the registry says, also to another address, which is not shown who it is', async () => {
    await start({ login: { scheme: 'basic', ...LOGIN } });
    const store = await FakeRegistry.start();
    const seen: (string | undefined)[] = [];
    store.hook = (request, response) => {
      seen.push(request.headers.authorization);
      request.resume();
      request.on('end', () => response.writeHead(201).end());
      return true;
    };
    registry.hook = (request, response) => {
      const isUpload = request.method === 'POST' && request.headers.authorization !== undefined;
      if (isUpload) response.writeHead(202, { location: `${store.origin}/upload?signed=a%2Fb` }).end();
      return isUpload;
    };
    const { code, err } = await push(' -u robot --password-stdin', PASSWORD);
    expect(code, err).to.equal(0);
    expect(seen).to.deep.equal([undefined, undefined, undefined]);
    await store.close();
  });

  it('takes one archive, and a tag for it', async () => {
    await start();
    const twice = await kosmosctl(`push ${archive} --artifact /other.tar --to ${registry.host}/x:1`);
    expect([twice.code, twice.err]).to.deep.equal([
      2,
      `error: there are two archives: ${archive} and /other.tar\nGive one of them.\n`,
    ]);
    const same = await kosmosctl(`push ${archive} --artifact ${archive} --to ${registry.host}/x:1 --plain-http`);
    expect(same.code, same.err).to.equal(0);
    const digest = await kosmosctl(`push ${archive} --to ${registry.host}/x@${DIGEST}`);
    expect([digest.code, digest.err]).to.deep.equal([2, 'error: --to: a digest is not chosen\nGive it a tag.\n']);
    const prefix = await kosmosctl(`push ${archive} --private-registry https://r.example`);
    expect(prefix.err).to.contain('is no name of an image');
    const platform = await kosmosctl(`push ${archive} --to ${registry.host}/x:1 --platform amd64`);
    expect([platform.code, platform.err]).to.deep.equal([
      2,
      'error: --platform amd64: is no platform\nWrite for instance linux/arm64.\n',
    ]);
  });

  it('asks for a name where the archive gives its image none', async () => {
    await start();
    const index = JSON.parse(FILES.get('index.json')?.toString() ?? '') as { manifests: { annotations?: unknown }[] };
    delete index.manifests[0]?.annotations;
    writeWithTar(archive, new Map([...FILES, ['index.json', Buffer.from(JSON.stringify(index))]]));
    const unnamed = await kosmosctl(`push ${archive} --private-registry ${registry.host} --plain-http`);
    expect([unnamed.code, unnamed.err]).to.deep.equal([
      2,
      `error: ${archive} gives its image no name\nName it whole with --to.\n`,
    ]);
    const named = await kosmosctl(`push ${archive} --to ${registry.host}/x --plain-http`);
    expect(named.out, named.err).to.equal(`${registry.host}/x:latest@${DIGEST}\n`);
  });

  it('says what is wrong with a registry, a tag, or an archive', async () => {
    await start();
    mistake('registry-no-tls', await kosmosctl(`pull ${registry.host}/team/kosmos:1`));
    mistake('unknown-tag', await kosmosctl(`pull ${registry.host}/team/kosmos:2 --plain-http -o ${folder}`));
    const damaged = new Map<string, string | Buffer>(FILES);
    damaged.set(`blobs/${digestOf('first layer').replace(':', '/')}`, 'other layer');
    writeWithTar(archive, damaged);
    mistake('archive-damaged', await push());
    writeWithTar(archive, new Map([['readme', 'nothing']]));
    mistake('no-image-inside', await push());
    expect(registry.paths('POST')).to.deep.equal([]);
    expect(readdirSync(folder)).to.deep.equal(['image.tar']);
  });

  it('goes on with what it has after it was interrupted', async () => {
    await start();
    await push();
    const stop = new AbortController();
    const big = `/blobs/${digestOf(LAYER)}`;
    registry.hook = (request, response) => {
      if (request.url?.endsWith(big) !== true) return false;
      response.writeHead(200, { 'content-length': LAYER.length });
      response.write(LAYER.subarray(0, 1000), () => stop.abort(new Error('interrupted')));
      return true;
    };
    const stopped = await pull('', { signal: stop.signal });
    expect([stopped.code, existsSync(join(folder, 'pulled.tar'))]).to.deep.equal([130, false]);
    registry.hook = () => false;
    const before = registry.requests.length;
    expect((await pull()).code).to.equal(0);
    const first = digestOf('first layer');
    const asked = registry.requests.slice(before).map(({ url }) => url.pathname);
    expect(asked.some((path) => path.endsWith(first))).to.equal(false);
    expect(asked.some((path) => path.endsWith(digestOf(LAYER)))).to.equal(true);
    expect(readdirSync(folder).sort()).to.deep.equal(['image.tar', 'pulled.tar']);
  });

  it('replaces an archive only by a whole one', async () => {
    await start();
    await push();
    writeFileSync(join(folder, 'pulled.tar'), 'old');
    registry.hook = (request, response) => {
      const isBlob = request.url?.endsWith(digestOf(LAYER)) === true;
      if (isBlob) response.writeHead(200, { 'content-length': LAYER.length }).end(Buffer.alloc(LAYER.length));
      return isBlob;
    };
    const { code, err } = await pull();
    expect([code, readFileSync(join(folder, 'pulled.tar'), 'utf8')]).to.deep.equal([1, 'old']);
    expect(err).to.contain('is something else');
  });
});
