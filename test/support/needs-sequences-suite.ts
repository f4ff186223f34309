import { expect } from 'chai';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MEMBER_PROVISIONER } from '../../src/apis/names.js';
import { storageClasses } from '../../src/kube/resource.js';
import { eventually } from './eventually.js';
import { Federation } from './federation.js';
import { needsDisagreements, needsLeft } from './needs-agreement.js';
import { NeedsSequences, randomSequences } from './needs-sequences.js';
import { pathClass, PathProvisioner } from './path-provisioner.js';

export interface NeedsSequencesSuiteOptions {
  readonly instance: string;
  readonly sequences: number;
  /** Of each sequence. */
  readonly steps: number;
  /** How often the manager is killed meanwhile, and started again at once. */
  readonly crashes: number;
}

const NAMESPACES = Array.from({ length: 20 }, (_, index) => `sequence-${index}`);
const isOurs = (namespace: string): boolean => NAMESPACES.includes(namespace);
const SLOW = { timeoutMs: 150_000, intervalMs: 1_000 };

/** Random use of everything that pods need, by many users at once, with a manager that is killed now and then. */
export function needsSequencesSuite({ instance, sequences, steps, crashes }: NeedsSequencesSuiteOptions): void {
  describe(`${sequences} random sequences of what users do with pods and what those need`, function () {
    this.timeout(1_200_000);
    const seed = randomInt(2 ** 31);
    let federation: Federation;
    let folder: string;
    let played: NeedsSequences;
    const provisioners: PathProvisioner[] = [];

    before(async () => {
      federation = await Federation.start({ instance, members: 2, nodes: 2 });
      folder = mkdtempSync(join(tmpdir(), 'kosmos-sequences-'));
      for (const { name } of federation.lab.members) {
        await federation.client(name).create(storageClasses, pathClass('paths'));
        const provisioner = new PathProvisioner(federation.client(name), join(folder, name));
        provisioners.push(provisioner);
        provisioner.start();
      }
      await federation.host.create(storageClasses, pathClass('paths', { provisioner: MEMBER_PROVISIONER }));
      await Promise.all(NAMESPACES.map((name) => federation.namespace(name)));
      played = new NeedsSequences({
        ...{ federation, namespaces: NAMESPACES, storageClass: 'paths' },
        sequences: randomSequences(sequences, steps, seed),
      });
    });

    after(async () => {
      await Promise.all(provisioners.map((provisioner) => provisioner.stop()));
      rmSync(folder, { recursive: true, force: true });
      await federation.down();
    });

    it(`end with host and members in agreement (seed ${seed})`, async () => {
      const every = Math.ceil(steps / (crashes + 1));
      for (let index = 0; index < steps; index += 1) {
        const isDown = index > 0 && index % every === 0;
        if (isDown) await federation.killManager();
        const playing = played.play(index);
        if (isDown) await federation.restartManager();
        await playing;
      }
      expect(played.done).to.be.greaterThan((sequences * steps) / 3);
      await eventually(async () => {
        expect(await needsDisagreements(federation, isOurs)).to.deep.equal([]);
      }, SLOW);
    });

    it('leave nothing in the members when pods and claims are gone', async () => {
      await played.end();
      await eventually(async () => expect(await needsLeft(federation, isOurs)).to.deep.equal([]), SLOW);
    });
  });
}
