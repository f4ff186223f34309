import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from '../../../hack/lab/paths.js';
import { run, type CommandResult } from '../../../hack/lab/run.js';
import { digestOf } from '../../../src/kosmosctl/image/digest.js';
import { FakeRegistry } from '../../support/fake-registry.js';
import { archiveOf, writeWithTar } from '../../support/image-archives.js';
import { expectMistake } from '../../support/mistakes.js';

const PROGRAM = join(REPOSITORY, 'dist/src/bin/kosmosctl.js');
const MIB = 2 ** 20;
const LARGE = Buffer.alloc(2 * MIB, 'large');

describe('kosmosctl image, on a disk and killed', () => {
  let folder: string;
  let archive: string;
  let registry: FakeRegistry;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kosmos-image-'));
    archive = join(folder, 'image.tar');
    writeWithTar(archive, archiveOf('first layer', LARGE));
    registry = await FakeRegistry.start();
  });

  afterEach(async () => {
    await registry.close();
    rmSync(folder, { recursive: true });
  });

  const words = (verb: 'push' | 'pull', output = ''): readonly string[] => {
    const name = `${registry.host}/team/kosmos:1`;
    const what = verb === 'push' ? [archive, '--to', name] : [name, '--output', output];
    return [PROGRAM, 'image', verb, ...what, '--plain-http'];
  };
  const kosmosctl = (...args: Parameters<typeof words>): Promise<CommandResult> =>
    run(process.execPath, words(...args), { allowFailure: true, timeoutMs: 30_000 });

  it('goes on where a push was killed', async () => {
    let killed = false;
    const child = spawn(process.execPath, words('push'), { stdio: 'ignore' });
    const exited = once(child, 'exit');
    registry.hook = (request) => {
      const isLarge = Number(request.headers['content-length'] ?? 0) === LARGE.length && !killed;
      if (isLarge) {
        killed = true;
        child.kill('SIGKILL');
      }
      return isLarge;
    };
    await exited;
    expect([killed, registry.blobs.size, registry.manifests.size]).to.deep.equal([true, 1, 0]);
    const { code, stderr } = await kosmosctl('push');
    expect(code, stderr).to.equal(0);
    const sent = registry.requests
      .filter(({ method }) => method === 'PUT')
      .map(({ url }) => url.searchParams.get('digest'));
    expect(sent.filter((digest) => digest === digestOf('first layer'))).to.have.lengthOf(1);
    expect(registry.blobs.get(digestOf(LARGE))?.equals(LARGE)).to.equal(true);
    expect(registry.manifests.has('team/kosmos:1')).to.equal(true);
  });

  describe('with a disk of one MiB', () => {
    let disk: string;

    beforeEach(async () => {
      disk = join(folder, 'disk');
      mkdirSync(disk);
      await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'kosmos-image-test', disk]);
      expect((await kosmosctl('push')).code).to.equal(0);
    });

    afterEach(() => run('umount', [disk]));

    it('says at once that there is no room, fetches no layer and leaves nothing', async () => {
      const ended = await kosmosctl('pull', join(disk, 'image.tar'));
      expectMistake('disk-full', ended);
      expect(ended.stderr).to.match(/2\.0 MiB are needed, 1\.0 MiB are free/);
      expect(registry.paths('GET').filter((path) => path.endsWith(digestOf(LARGE)))).to.deep.equal([]);
      expect(readdirSync(disk)).to.deep.equal([]);
    });

    it('takes back what it has written when somebody else fills the disk meanwhile', async () => {
      await run('mount', ['-o', 'remount,size=4m', disk]);
      registry.hook = (request, response) => {
        if (request.url?.endsWith(digestOf(LARGE)) !== true) return false;
        response.writeHead(200, { 'content-length': LARGE.length });
        response.write(LARGE.subarray(0, MIB), () => {
          writeFileSync(join(disk, 'other'), Buffer.alloc(2.5 * MIB));
          response.end(LARGE.subarray(MIB));
        });
        return true;
      };
      expectMistake('disk-full', await kosmosctl('pull', join(disk, 'image.tar')));
      expect(readdirSync(disk)).to.deep.equal(['other']);
      rmSync(join(disk, 'other'));
      registry.hook = () => false;
      const { code, stderr } = await kosmosctl('pull', join(disk, 'image.tar'));
      expect(code, stderr).to.equal(0);
      expect(existsSync(join(disk, 'image.tar'))).to.equal(true);
    });
  });
});
