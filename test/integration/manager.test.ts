import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { Lab } from '../../hack/lab/lab.js';
import { applyCrds, startManager } from '../../hack/lab/federation.js';
import { REPOSITORY } from '../../hack/lab/paths.js';
import { run } from '../../hack/lab/run.js';
import { eventually } from '../support/eventually.js';

const PROGRAM = join(REPOSITORY, 'dist/src/bin/manager.js');
const INSTANCE = 'manager';
const HEALTH_PORT = '18080';

describe('kosmos-manager', () => {
  describe('without a cluster', () => {
    it('prints its options', async () => {
      const { stdout, code } = await run(process.execPath, [PROGRAM, '--help']);
      expect(code).to.equal(0);
      expect(stdout)
        .to.match(/--kubeconfig TEXT/)
        .and.match(/--kubelet-address/);
    });

    it('says all that is wrong with its options, with exit code 2', async () => {
      const args = [PROGRAM, '--kubelet-port', 'x', '--unknown'];
      const { stderr, code } = await run(process.execPath, args, { allowFailure: true });
      expect(code).to.equal(2);
      expect(stderr)
        .to.match(/--kubelet-port/)
        .and.match(/--unknown/);
      expect(stderr).not.to.match(/\n\s+at /);
    });

    it('ends with exit code 1 and one log line for a kubeconfig that is none', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'manager-'));
      writeFileSync(join(folder, 'kubeconfig'), 'clusters: 7');
      const args = [PROGRAM, '--kubeconfig', join(folder, 'kubeconfig'), '--health-port', '0'];
      const { stdout, code } = await run(process.execPath, args, { allowFailure: true });
      rmSync(folder, { recursive: true });
      expect(code).to.equal(1);
      expect(stdout).to.match(/the kubeconfig is not valid/);
    });
  });

  describe('with a host cluster', () => {
    let lab: Lab;

    before(async () => {
      await Lab.down(INSTANCE);
      lab = await Lab.up({ instance: INSTANCE, members: 0 });
    });

    after(async () => {
      await lab.down();
    });

    async function get(path: string): Promise<string> {
      const url = `http://127.0.0.1:${HEALTH_PORT}${path}`;
      return (await run('nsenter', [`--net=/run/netns/${lab.clientNamespace}`, 'curl', '-s', url])).stdout;
    }

    it('is ready once its caches are, measures, and stops in order', async () => {
      const logFile = join(tmpdir(), `manager-${process.pid}.log`);
      const args = ['--health-address', '127.0.0.1', '--health-port', HEALTH_PORT];
      const manager = await startManager(lab, { where: 'client', args, logFile });
      await eventually(async () => expect(await get('/livez')).to.equal('ok'));
      expect(await get('/readyz?verbose')).to.match(/\[-\]caches/);
      await applyCrds(lab);
      await eventually(async () => expect(await get('/readyz')).to.equal('ok'));
      await eventually(async () => expect(await get('/metrics')).to.match(/kosmos_leader 1/));
      expect(await get('/metrics')).to.match(/kosmos_api_requests_total\{cluster="host"/);
      manager.kill('SIGTERM');
      expect(await manager.wait()).to.deep.include({ code: 0 });
      const log = await readFile(logFile, 'utf8');
      rmSync(logFile);
      for (const line of log.trim().split('\n')) expect(JSON.parse(line)).to.include.keys('level', 'time', 'msg');
    });

    it('lets a second replica take over at once when it stops in order', async () => {
      const first = await startManager(lab, { where: 'client' });
      await eventually(async () => expect(await holder()).not.to.equal(''));
      const before = await holder();
      const second = await startManager(lab, { where: 'client' });
      first.kill('SIGTERM');
      await first.wait();
      await eventually(async () => expect(await holder()).to.not.be.oneOf(['', before]), { timeoutMs: 10_000 });
      second.kill('SIGTERM');
      expect(await second.wait()).to.deep.include({ code: 0 });
    });

    async function holder(): Promise<string> {
      const path = 'jsonpath={.spec.holderIdentity}';
      const args = ['get', 'lease', '-n', 'kosmos-system', 'kosmos-manager', '-o', path];
      return (await lab.host.kubectl(args, { allowFailure: true })).stdout;
    }
  });
});
