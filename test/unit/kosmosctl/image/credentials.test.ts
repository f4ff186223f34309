import { expect } from 'chai';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findCredential, type RegistryCredential } from '../../../../src/kosmosctl/image/credentials.js';

const encoded = (text: string): string => Buffer.from(text).toString('base64');
const SECRET = 'very-secret';

describe('the credential that docker keeps', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kosmos-helper-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const find = (
    config: unknown,
    registry = 'r.example:5000',
    more: Readonly<Record<string, string>> = {},
  ): Promise<RegistryCredential | undefined> =>
    findCredential(registry, {
      environment: { PATH: [folder, process.env['PATH']].join(delimiter), ...more },
      homeDirectory: '/home/somebody',
      readFile: (path) => {
        const expected = join(more['DOCKER_CONFIG'] ?? '/home/somebody/.docker', 'config.json');
        if (path !== expected || config === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' });
        return typeof config === 'string' ? config : JSON.stringify(config);
      },
      signal: new AbortController().signal,
    });
  const shown = (found: RegistryCredential | undefined): unknown =>
    found && [found.username, found.password.reveal(), found.isRefreshToken];
  const failureOf = async (found: Promise<unknown>): Promise<Error> => {
    const error: unknown = await found.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.an('error');
    return error as Error;
  };

  /** A helper that prints this, and ends like this, when it is asked for that registry. */
  function helper(name: string, registry: string, output: string, code = 0): void {
    const script = `#!/bin/sh\n[ "$1" = get ] || exit 9\nif [ "$(cat)" = '${registry}' ]; then echo '${output}'; exit ${code}; fi\necho 'credentials not found in native keychain'; exit 1\n`;
    writeFileSync(join(folder, `docker-credential-${name}`), script);
    chmodSync(join(folder, `docker-credential-${name}`), 0o755);
  }

  it('is that of the registry, whose password may have colons', async () => {
    const auths = { 'r.example:5000': { auth: encoded('robot:a:b') }, 'other.example': { auth: encoded('x:y') } };
    expect(shown(await find({ auths }))).to.deep.equal(['robot', 'a:b', false]);
    expect(await find({ auths }, 'r.example')).to.equal(undefined);
  });

  it('is found under the names that older versions gave it', async () => {
    const auths = {
      'https://index.docker.io/v1/': { auth: encoded('me:p\0\0') },
      'https://q.example': { auth: encoded('q:r') },
    };
    expect(shown(await find({ auths }, 'docker.io'))).to.deep.equal(['me', 'p', false]);
    expect(shown(await find({ auths }, 'q.example'))).to.deep.equal(['q', 'r', false]);
  });

  it('may be a token to get others with', async () => {
    const auths = { 'r.example:5000': { auth: encoded('00000000-0000:'), identitytoken: 'refresh' } };
    expect(shown(await find({ auths }))).to.deep.equal(['<token>', 'refresh', true]);
  });

  it('is none where there is no file, or nothing of use in it', async () => {
    for (const config of [
      undefined,
      {},
      'null',
      { auths: { 'r.example:5000': {} } },
      { auths: { 'r.example:5000': null } },
    ]) {
      expect(await find(config)).to.equal(undefined);
    }
    expect(await find({ auths: { 'r.example:5000': { auth: encoded('no colon') } } })).to.equal(undefined);
  });

  it('is looked for in the folder that DOCKER_CONFIG names', async () => {
    const auths = { 'r.example:5000': { auth: encoded('a:b') } };
    expect(shown(await find({ auths }, undefined, { DOCKER_CONFIG: '/elsewhere' }))).to.deep.equal(['a', 'b', false]);
  });

  it('is asked of the helper of the registry, else of that of all', async () => {
    helper('one', 'r.example:5000', `{"Username":"robot","Secret":"${SECRET}"}`);
    helper('all', 'q.example', '{"Username":"<token>","Secret":"refresh"}');
    const config = { credHelpers: { 'r.example:5000': 'one' }, credsStore: 'all' };
    expect(shown(await find(config))).to.deep.equal(['robot', SECRET, false]);
    expect(shown(await find(config, 'q.example'))).to.deep.equal(['<token>', 'refresh', true]);
  });

  it('is taken from the file where the helper has none', async () => {
    helper('all', 'q.example', '');
    const auths = { 'r.example:5000': { auth: encoded('a:b') } };
    expect(shown(await find({ auths, credsStore: 'all' }))).to.deep.equal(['a', 'b', false]);
  });

  it('is never shown when a helper fails', async () => {
    helper('bad', 'r.example:5000', SECRET, 3);
    const error = await failureOf(find({ credsStore: 'bad' }));
    expect(error.message).to.equal('docker-credential-bad failed with exit code 3');
    expect(`${error.message}${String(error.stack)}${JSON.stringify(error)}`).not.to.contain(SECRET);
    helper('bad', 'r.example:5000', SECRET);
    expect((await failureOf(find({ credsStore: 'bad' }))).message).to.contain('printed something that is not JSON');
  });

  it('says which helper is missing, and runs nothing from another folder', async () => {
    expect((await failureOf(find({ credsStore: 'nowhere' }))).message).to.equal(
      'docker-credential-nowhere is not there',
    );
    const error = await failureOf(find({ credsStore: '../evil' }));
    expect(error.message).to.contain('is no name of a program');
    expect(error).to.have.property('cure').that.contains('--password-stdin');
  });

  it('is not shown when the file is broken', async () => {
    const error = await failureOf(find(`{"auths":{"r":{"auth":"${SECRET}"`));
    expect(error.message).to.equal('/home/somebody/.docker/config.json is no JSON');
    expect(`${String(error.stack)}${String(error.cause)}`).not.to.contain(SECRET);
  });
});
