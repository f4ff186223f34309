import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, asn1Time, opensslConfig } from '../../../hack/lab/certificates.js';
import { writeKubeconfig } from '../../../hack/lab/kubeconfig.js';
import { withFileLock } from '../../../hack/lab/lock.js';
import { bridgeMac, bridgeName, inNamespace, namespaceName } from '../../../hack/lab/network.js';
import {
  cacheDirectory,
  instanceCgroup,
  instanceDirectory,
  instanceFingerprint,
  runtimeDirectory,
} from '../../../hack/lab/paths.js';
import { compileLabOptions } from '../../../hack/lab/options.js';
import { excessOfSocketPath, missingPackages } from '../../../hack/lab/prerequisites.js';
import {
  identify,
  isAlive,
  pauseProcess,
  signalProcess,
  startTicksOf,
  waitForEnd,
} from '../../../hack/lab/processes.js';
import { run, waitFor } from '../../../hack/lab/run.js';
import { logTail } from '../../../hack/lab/supervisor.js';
import { X509Certificate } from 'node:crypto';
import { spawn } from 'node:child_process';
import { parse } from 'yaml';

/** Longest path of a Unix socket on Linux. */
const LONGEST = 107;

async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was expected to fail');
}

describe('helpers of the lab', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lab-test-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  describe('run', () => {
    it('returns what a command wrote', async () => {
      const result = await run('sh', ['-c', 'cat; echo two >&2'], { input: 'one' });
      expect(result).to.include({ code: 0, stdout: 'one', stderr: 'two\n' });
    });

    it('says what a failed command said', async () => {
      const failure = await rejection(run('sh', ['-c', 'echo broken >&2; exit 3']));
      expect(failure.message).to.contain('exit code 3').and.contain('broken');
    });

    it('returns a failed result on request', async () => {
      expect((await run('sh', ['-c', 'exit 3'], { allowFailure: true })).code).to.equal(3);
    });

    it('kills a command that takes too long', async () => {
      const failure = await rejection(run('sleep', ['60'], { timeoutMs: 50 }));
      expect(failure.message).to.contain('SIGKILL, limit 50 ms');
    });

    it('rejects when there is no such command', async () => {
      expect(await rejection(run('/no/such/command', []))).to.have.property('code', 'ENOENT');
    });
  });

  describe('waitFor', () => {
    it('asks until there is an answer, and takes errors for "not yet"', async () => {
      let calls = 0;
      const probe = (): string | undefined => {
        calls += 1;
        if (calls === 1) throw new Error('no');
        return calls === 3 ? 'yes' : undefined;
      };
      expect(await waitFor('it', probe, { timeoutMs: 5_000, intervalMs: 1 })).to.equal('yes');
    });

    it('gives up at the limit with the last error as cause', async () => {
      const probe = (): undefined => {
        throw new Error('why');
      };
      const failure = await rejection(waitFor('the thing', probe, { timeoutMs: 20, intervalMs: 1 }));
      expect(failure.message).to.equal('the thing: not within 0.02 s');
      expect(failure.cause).to.have.property('message', 'why');
    });

    it('ends early when the check fails', async () => {
      const check = (): void => {
        throw new Error('it died');
      };
      const failure = await rejection(waitFor('the thing', () => undefined, { timeoutMs: 60_000, check }));
      expect(failure.message).to.equal('it died');
    });
  });

  describe('withFileLock', () => {
    it('lets one holder in at a time', async () => {
      const events: string[] = [];
      const hold = (name: string) => async (): Promise<void> => {
        events.push(`${name} in`);
        await new Promise((done) => setTimeout(done, 20));
        events.push(`${name} out`);
      };
      const file = join(folder, 'deep/lock');
      await Promise.all(['a', 'b', 'c'].map((name) => withFileLock(file, 10_000, hold(name))));
      for (let index = 0; index < 6; index += 2) {
        expect(events[index + 1]).to.equal(events[index]?.replace('in', 'out'));
      }
    });

    it('lets go after an error', async () => {
      const file = join(folder, 'lock');
      const failure = await rejection(withFileLock(file, 1_000, () => Promise.reject(new Error('inside'))));
      expect(failure.message).to.equal('inside');
      expect(await withFileLock(file, 1_000, () => Promise.resolve('free'))).to.equal('free');
    });

    it('gives up when another holds the lock for too long', async () => {
      const file = join(folder, 'lock');
      const failure = await withFileLock(file, 1_000, () =>
        rejection(withFileLock(file, 1_000, () => Promise.resolve())),
      );
      expect(failure.message).to.contain('is locked by another process');
    });
  });

  describe('processes', () => {
    it('tells a process from a later one with the same id', async () => {
      const child = spawn('sleep', ['60']);
      const identity = identify(child.pid ?? 0)!;
      expect(isAlive(identity)).to.equal(true);
      expect(isAlive({ ...identity, startTicks: '1' })).to.equal(false);
      signalProcess({ ...identity, startTicks: '1' }, 'SIGKILL');
      expect(isAlive(identity)).to.equal(true);
      signalProcess(identity, 'SIGKILL');
      await waitForEnd([identity], 5_000);
      expect(isAlive(identity)).to.equal(false);
    });

    it('knows nothing of processes that are not there', () => {
      expect(startTicksOf(2 ** 30)).to.equal(undefined);
      expect(identify(2 ** 30)).to.equal(undefined);
    });

    it('has stopped every thread when a pause is done', async () => {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => process.stdout.write("."), 1)']);
      let written = 0;
      child.stdout.on('data', (chunk: Buffer) => {
        written += chunk.length;
      });
      await waitFor('output', () => (written > 0 ? true : undefined), { timeoutMs: 5_000, intervalMs: 1 });
      const identity = identify(child.pid ?? 0)!;
      await pauseProcess(identity);
      // What was written before may still be in the pipe.
      await new Promise((done) => setTimeout(done, 20));
      const before = written;
      await new Promise((done) => setTimeout(done, 50));
      expect(written).to.equal(before);
      signalProcess(identity, 'SIGKILL');
      await waitForEnd([identity], 5_000);
    });

    it('names those that do not end in time', async () => {
      const identity = identify(process.pid)!;
      expect((await rejection(waitForEnd([identity], 20))).message).to.contain(String(process.pid));
    });
  });

  describe('certificates', () => {
    it('writes dates as ASN.1 has them', () => {
      expect(asn1Time(new Date('2026-01-02T03:04:05.678Z'))).to.equal('20260102030405Z');
    });

    it('tells names from addresses, and an authority from others', () => {
      const text = opensslConfig(
        '/d',
        { commonName: 'x', organizations: ['a', 'b'], hosts: ['n', '::1', '10.0.0.1'] },
        false,
      );
      expect(text).to.contain('subjectAltName=DNS:n,IP:::1,IP:10.0.0.1').and.contain('0.O=a\n1.O=b\nCN=x');
      expect(text).to.contain('CA:FALSE');
      expect(opensslConfig('/d', { commonName: 'x' }, true))
        .to.contain('CA:TRUE')
        .and.not.contain('subjectAltName');
    });

    it('issues what it is asked for, signed by the authority', async () => {
      const authority = await CertificateAuthority.create(folder, 'ca');
      const notAfter = new Date('2020-02-01T00:00:00Z');
      const request = {
        commonName: 'me',
        organizations: ['us'],
        hosts: ['here'],
        notBefore: new Date('2020-01-01'),
        notAfter,
      };
      const files = await authority.issue(folder, 'me', request);
      const certificate = new X509Certificate(readFileSync(files.certificate));
      const issuer = new X509Certificate(readFileSync(authority.certificate));
      expect(certificate.verify(issuer.publicKey)).to.equal(true);
      expect(certificate.subject).to.equal('O=us\nCN=me');
      expect(certificate.subjectAltName).to.equal('DNS:here');
      expect(certificate.validToDate.getTime()).to.equal(notAfter.getTime());
    });
  });

  it('writes kubeconfigs that need no other file', async () => {
    writeFileSync(join(folder, 'ca'), 'authority');
    const file = join(folder, 'kubeconfig');
    const request = { file, cluster: 'c', server: 'https://s', authority: join(folder, 'ca'), user: 'u' };
    await writeKubeconfig({ ...request, credential: { token: 't' } });
    const config = parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    expect(config).to.have.nested.property('users[0].user.token', 't');
    const authority = Buffer.from('authority').toString('base64');
    expect(config).to.have.nested.property('clusters[0].cluster.certificate-authority-data', authority);
    expect(config['current-context']).to.equal('c');
  });

  it('shows the end of a log, or that there is none', () => {
    writeFileSync(join(folder, 'log'), 'one\ntwo\nthree\n');
    expect(logTail(join(folder, 'log'), 2)).to.equal('two\nthree');
    expect(logTail(join(folder, 'none'))).to.equal('(no log)');
  });

  it('names what is missing as Debian packages, and more for containers', () => {
    expect(missingPackages(true, () => true)).to.deep.equal([]);
    expect(missingPackages(false, () => false)).to.deep.equal(['iproute2', 'openssl', 'util-linux']);
    expect(missingPackages(true, (command) => command === 'ip')).to.include.members(['runc', 'nftables']);
  });

  it('knows when the paths of kubelet sockets get too long', () => {
    const [short, long] = ['a', 'a'.repeat(40)].map((instance) => compileLabOptions({ full: true, instance }));
    const room = LONGEST - `${instanceDirectory('a')}/member2/node1/kubelet/device-plugins/kubelet.sock`.length;
    expect(excessOfSocketPath(short!)).to.equal(Math.max(0, -room));
    expect(excessOfSocketPath(long!)).to.equal(Math.max(0, 39 - room));
  });

  it('finds the cache where the environment says', () => {
    expect(cacheDirectory({ KOSMOS_CACHE: '/x', XDG_CACHE_HOME: '/y', HOME: '/z' })).to.equal('/x');
    expect(cacheDirectory({ XDG_CACHE_HOME: '/y', HOME: '/z' })).to.equal('/y/kosmos');
    expect(cacheDirectory({ HOME: '/z' })).to.equal('/z/.cache/kosmos');
  });

  it('tells instances of different folders and names apart', () => {
    const fingerprints = [
      instanceFingerprint('a', '/x'),
      instanceFingerprint('b', '/x'),
      instanceFingerprint('a', '/y'),
    ];
    expect(new Set(fingerprints).size).to.equal(3);
    expect(runtimeDirectory('a', '/x')).to.equal(`/run/kosmos-lab-${fingerprints[0] ?? ''}`);
    expect(instanceCgroup('a', '/x')).to.equal(`/kosmos-lab-${fingerprints[0] ?? ''}`);
  });

  it('names interfaces within the 15 characters that the kernel allows', () => {
    expect(bridgeName(255).length).to.be.at.most(15);
    expect(bridgeMac('0123456789')).to.equal('02:01:23:45:67:89');
    expect(namespaceName(7, 'host')).to.equal('klab7-host');
  });

  it('enters nothing but the network of a namespace', () => {
    expect(inNamespace('n', 'c', ['-a'])).to.deep.equal(['nsenter', ['--net=/run/netns/n', '--', 'c', '-a']]);
  });
});
