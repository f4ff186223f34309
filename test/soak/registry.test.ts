import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage, type BuiltImage } from '../../hack/image/build.js';
import { REPOSITORY } from '../../hack/lab/paths.js';
import { run, type CommandResult } from '../../hack/lab/run.js';
import { readArchiveImage } from '../../src/kosmosctl/image/archive-image.js';
import { platformOf } from '../../src/kosmosctl/image/platform.js';
import { expectMistake } from '../support/mistakes.js';
import { Registry, REGISTRY_USER } from '../support/registry.js';
import { seededRandom } from '../support/seeded-random.js';

const PROGRAM = join(REPOSITORY, 'dist/src/bin/kosmosctl.js');
const MINUTE = 60_000;
const SEEDS = [1, 2, 3, 4, 5];

for (const login of ['htpasswd', 'token'] as const) {
  describe(`kosmosctl image with a real registry that wants a ${login}`, () => {
    let folder: string;
    let image: BuiltImage;
    let registry: Registry;

    before(async function () {
      // The first time the registry is built, which takes minutes.
      this.timeout(60 * MINUTE);
      folder = mkdtempSync(join(tmpdir(), 'kosmos-image-'));
      image = await buildImage({ output: join(folder, 'image.tar') });
      registry = await Registry.start(login);
    });

    after(async () => {
      await registry.stop();
      rmSync(folder, { recursive: true });
    });

    const words = (verb: 'push' | 'pull', rest: readonly string[]): readonly string[] => [
      ...[PROGRAM, 'image', verb, ...rest, '--certificate-authority', registry.authority],
      ...['--username', REGISTRY_USER.username, '--password-stdin'],
    ];
    const kosmosctl = (
      verb: 'push' | 'pull',
      rest: readonly string[],
      input: string = REGISTRY_USER.password,
    ): Promise<CommandResult> =>
      run(process.execPath, words(verb, rest), { allowFailure: true, timeoutMs: 5 * MINUTE, input });
    const to = (name: string): readonly string[] => [image.archive, '--to', `${registry.host}/${name}`];

    it('brings the image there and back with the same digest', async () => {
      const pushed = await kosmosctl('push', to('team/kosmos:1'));
      expect(pushed.code, pushed.stderr).to.equal(0);
      expect(pushed.stdout).to.equal(`${registry.host}/team/kosmos:1@${image.digest}\n`);
      const output = join(folder, 'pulled.tar');
      const pulled = await kosmosctl('pull', [`${registry.host}/team/kosmos:1`, '--output', output]);
      expect(pulled.code, pulled.stderr).to.equal(0);
      expect(pulled.stdout).to.equal(pushed.stdout);
      const { manifest } = await readArchiveImage(output, platformOf(process.arch), new AbortController().signal);
      expect(manifest.digest).to.equal(image.digest);
    }).timeout(10 * MINUTE);

    it('sends nothing a second time, and nothing that another repository has', async () => {
      const again = await kosmosctl('push', to('team/kosmos:2'));
      expect(again.stderr, again.stderr).to.match(/: 0\.0 MiB of [\d.]+ MiB/);
      const pulled = join(folder, 'pulled.tar');
      const mounted = await kosmosctl('push', [pulled, '--to', `${registry.host}/other/kosmos:1`]);
      expect(mounted.stderr).to.match(/: 0\.0 MiB of [\d.]+ MiB/);
      expect(mounted.stdout).to.equal(`${registry.host}/other/kosmos:1@${image.digest}\n`);
    }).timeout(10 * MINUTE);

    for (const seed of SEEDS) {
      it(`goes on where a push was killed (seed ${seed})`, async () => {
        const name = `killed-${seed}/kosmos:1`;
        const child = spawn(process.execPath, words('push', to(name)), { stdio: ['pipe', 'ignore', 'ignore'] });
        child.stdin.end(REGISTRY_USER.password);
        const exited = once(child, 'exit');
        const timer = setTimeout(() => child.kill('SIGKILL'), 300 + seededRandom(seed)() * 1500);
        await exited;
        clearTimeout(timer);
        const { code, stdout, stderr } = await kosmosctl('push', to(name));
        expect(code, stderr).to.equal(0);
        expect(stdout).to.equal(`${registry.host}/${name}@${image.digest}\n`);
      }).timeout(10 * MINUTE);
    }

    it('says that the password is wrong, or the tag, or the authority', async () => {
      expectMistake('registry-password', await kosmosctl('push', to('team/kosmos:3'), 'wrong'));
      const unknown = [`${registry.host}/team/kosmos:2`.replace('team', 'nobody'), '--output', folder];
      expectMistake('unknown-tag', await kosmosctl('pull', unknown));
      const bare = [PROGRAM, 'image', 'pull', `${registry.host}/team/kosmos:1`, '--output', folder];
      expectMistake('registry-authority', await run(process.execPath, bare, { allowFailure: true }));
      const plain = await run(process.execPath, [...bare, '--plain-http'], { allowFailure: true });
      expect([plain.code, plain.stderr.includes('answers 400')], plain.stderr).to.deep.equal([1, true]);
    }).timeout(10 * MINUTE);
  });
}
