import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  createCertificateRequest,
  createKey,
  createSelfSigned,
  publicKeyOf,
  readServingCertificate,
} from '../../../src/pki/serving-certificate.js';

const ADDRESSES = ['10.0.0.1', 'fd00::1'];
const SUBJECT = { commonName: 'system:node:kosmos-a', organization: 'system:nodes', addresses: ADDRESSES };
const NOW = Date.parse('2026-01-02T03:04:05Z');
const DAY_MS = 86_400_000;

describe('a certificate signing request', () => {
  it('is what openssl takes for one, signed with its key', () => {
    const text = execFileSync('openssl', ['req', '-noout', '-text', '-verify'], {
      input: createCertificateRequest(SUBJECT, createKey()),
      stdio: ['pipe', 'pipe', 'pipe'],
    }).toString();
    expect(text).to.match(/Subject: O = system:nodes, CN = system:node:kosmos-a/);
    expect(text).to.match(/IP Address:10\.0\.0\.1, IP Address:FD00:0:0:0:0:0:0:1/);
    expect(text).to.match(/ecdsa-with-SHA256/);
  });
});

describe('a self-signed certificate', () => {
  const key = createKey();
  const pem = createSelfSigned(SUBJECT, key, { nowMs: NOW, durationMs: DAY_MS });
  const certificate = new X509Certificate(pem);

  it('is for servers at the addresses, and for nothing else', () => {
    expect(certificate.subject).to.equal('O=system:nodes\nCN=system:node:kosmos-a');
    expect(certificate.checkIP('10.0.0.1')).to.equal('10.0.0.1');
    expect(certificate.checkIP('10.0.0.2')).to.be.undefined;
    expect(certificate.ca).to.be.false;
    expect(certificate.keyUsage).to.deep.equal(['1.3.6.1.5.5.7.3.1']);
  });

  it('is signed with its own key, for as long as asked', () => {
    expect(certificate.verify(certificate.publicKey)).to.be.true;
    expect(readServingCertificate(pem, key, ADDRESSES)).to.deep.equal({
      notBeforeMs: NOW - 3_600_000,
      notAfterMs: NOW + DAY_MS,
      selfSigned: true,
    });
  });
});

describe('readServingCertificate', () => {
  const key = createKey();
  const pem = createSelfSigned(SUBJECT, key, { nowMs: NOW, durationMs: DAY_MS });

  it('takes none that belongs to another key', () => {
    expect(readServingCertificate(pem, createKey(), ADDRESSES)).to.be.undefined;
  });

  it('takes none that is not for all the addresses', () => {
    expect(readServingCertificate(pem, key, ['10.0.0.1', '10.0.0.2'])).to.be.undefined;
    expect(readServingCertificate(pem, key, ['name'])).to.be.undefined;
    expect(readServingCertificate(pem, key, [])).not.to.be.undefined;
  });

  it('takes nothing that is no certificate, or no key', () => {
    expect(readServingCertificate('nothing', key, ADDRESSES)).to.be.undefined;
    expect(readServingCertificate(pem, 'nothing', ADDRESSES)).to.be.undefined;
  });
});

describe('publicKeyOf', () => {
  it('differs from key to key, and not for one', () => {
    const key = createKey();
    expect(publicKeyOf(key).equals(publicKeyOf(key))).to.be.true;
    expect(publicKeyOf(key).equals(publicKeyOf(createKey()))).to.be.false;
  });
});
