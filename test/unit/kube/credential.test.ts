import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { PlainCredential, sameClientCertificate } from '../../../src/kube/credential.js';
import { Secret } from '../../../src/kube/secret.js';
import { errorMessage } from '../../../src/lib/errors.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('PlainCredential', () => {
  const signal = new AbortController().signal;
  let directory: string;
  let clock: FakeClock;

  beforeEach(() => {
    clock = new FakeClock();
    directory = mkdtempSync(join(tmpdir(), 'kosmos-credential-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  function file(name: string, text: string): string {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  }

  it('gives the same material again and again when it is made of values', async () => {
    const credential = new PlainCredential({ token: { value: new Secret(' abc\n') } }, clock);
    const material = await credential.current(signal);
    expect(material.authorization?.reveal()).to.equal('Bearer abc');
    credential.refused(material);
    await clock.advance(3_600_000);
    expect(await credential.current(signal)).to.equal(material);
  });

  it('reads files again after a minute, not before', async () => {
    const path = file('token', 'one');
    const credential = new PlainCredential({ token: { file: path } }, clock);
    expect((await credential.current(signal)).authorization?.reveal()).to.equal('Bearer one');
    file('token', 'two\n');
    await clock.advance(59_999);
    expect((await credential.current(signal)).authorization?.reveal()).to.equal('Bearer one');
    await clock.advance(1);
    expect((await credential.current(signal)).authorization?.reveal()).to.equal('Bearer two');
  });

  it('reads files again at once when the server refused what was in them', async () => {
    const credential = new PlainCredential({ token: { file: file('token', 'one') } }, clock);
    const old = await credential.current(signal);
    file('token', 'two');
    credential.refused(old);
    const fresh = await credential.current(signal);
    expect(fresh.authorization?.reveal()).to.equal('Bearer two');
    credential.refused(old);
    expect(await credential.current(signal)).to.equal(fresh);
  });

  it('gives the same objects while the files stay the same', async () => {
    const sources = {
      token: { file: file('token', 'one') },
      certificate: { file: file('crt', 'C') },
      key: { file: file('key', 'K') },
    };
    const credential = new PlainCredential(sources, clock);
    const first = await credential.current(signal);
    await clock.advance(60_000);
    expect(await credential.current(signal)).to.equal(first);
    file('token', 'two');
    await clock.advance(60_000);
    const second = await credential.current(signal);
    expect(second.authorization?.reveal()).to.equal('Bearer two');
    expect(second.clientCertificate).to.equal(first.clientCertificate);
    file('key', 'K2');
    await clock.advance(60_000);
    expect((await credential.current(signal)).clientCertificate?.key.reveal()).to.equal('K2');
  });

  it('goes on with what it has when a file is missing for a while', async () => {
    const path = file('token', 'one');
    const credential = new PlainCredential({ token: { file: path } }, clock);
    const material = await credential.current(signal);
    unlinkSync(path);
    await clock.advance(60_000);
    expect(await credential.current(signal)).to.equal(material);
    file('token', 'two');
    await clock.advance(60_000);
    expect((await credential.current(signal)).authorization?.reveal()).to.equal('Bearer two');
  });

  it('fails when a file was never there', async () => {
    const credential = new PlainCredential({ token: { file: join(directory, 'nope') } }, clock);
    const error: unknown = await credential.current(signal).catch((reason: unknown) => reason);
    expect(error).to.have.property('code', 'CREDENTIAL_FAILED');
    expect(errorMessage(error)).to.match(/cannot read .*nope: ENOENT/);
  });

  it('reads a file once for all that ask at the same time', async () => {
    const credential = new PlainCredential({ token: { file: file('token', 'one') } }, clock);
    const [a, b] = await Promise.all([credential.current(signal), credential.current(signal)]);
    expect(a).to.equal(b);
  });
});

describe('sameClientCertificate', () => {
  it('compares certificate and key', () => {
    const pair = { certificate: 'c', key: new Secret('k') };
    expect(sameClientCertificate(pair, { certificate: 'c', key: new Secret('k') })).to.equal(true);
    expect(sameClientCertificate(pair, { certificate: 'c', key: new Secret('x') })).to.equal(false);
    expect(sameClientCertificate(pair, { certificate: 'x', key: new Secret('k') })).to.equal(false);
    expect(sameClientCertificate(pair, undefined)).to.equal(false);
    expect(sameClientCertificate(undefined, undefined)).to.equal(true);
  });
});
