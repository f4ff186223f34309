import { expect } from 'chai';
import type { CertificateSigningRequest } from '../../../../src/apis/core.js';
import { servingSubject } from '../../../../src/clustertree/kubelet/serving-request.js';
import type { ServingMaterial, ServingPolicy } from '../../../../src/clustertree/kubelet/serving-secret.js';
import { servingStep, type ServingStep } from '../../../../src/clustertree/kubelet/serving-step.js';
import { createKey, createSelfSigned } from '../../../../src/pki/serving-certificate.js';
import { createAuthority } from '../../../support/certificates.js';

const NOW = Date.now();
const HOUR_MS = 3_600_000;
const ADDRESSES = ['127.0.0.1'];
const NONE: ServingMaterial = { certificate: undefined, key: undefined, nextKey: undefined };
const BY_CSR: ServingPolicy = { mode: 'csr', addresses: ADDRESSES };
const SELF: ServingPolicy = { mode: 'self-signed', addresses: ADDRESSES };

describe('servingStep', () => {
  const issued = createAuthority().issue('system:node:a');
  const key = createKey();
  const own = createSelfSigned(servingSubject('a', ADDRESSES), key, { nowMs: NOW, durationMs: 9 * HOUR_MS });
  const signed: ServingMaterial = { certificate: issued.certificate, key: issued.key, nextKey: undefined };
  const selfSigned: ServingMaterial = { certificate: own, key, nextKey: undefined };

  function step(
    material: ServingMaterial,
    policy = BY_CSR,
    more: { readonly status?: CertificateSigningRequest['status']; readonly nowMs?: number } = {},
  ): ServingStep {
    const { status, nowMs = NOW } = more;
    const request = 'status' in more ? ({ spec: {}, status } as CertificateSigningRequest) : undefined;
    return servingStep({ material, policy, nowMs, request });
  }

  function condition(type: string, more: object = {}): CertificateSigningRequest['status'] {
    return { conditions: [{ type, status: 'True', ...more }] };
  }

  it('rests until four fifths of the life are over', () => {
    // The authority of the tests issues for a day.
    const rest = step(signed);
    expect(rest.kind).to.equal('rest');
    expect(rest.kind === 'rest' && rest.renewInMs / HOUR_MS).to.be.closeTo(0.8 * 24, 0.1);
    expect(step(signed, BY_CSR, { nowMs: NOW + 20 * HOUR_MS })).to.deep.equal({ kind: 'makeKey' });
  });

  it('makes a key first, which is kept before anybody is asked', () => {
    expect(step(NONE)).to.deep.equal({ kind: 'makeKey' });
  });

  it('asks with the key that is kept', () => {
    expect(step({ ...NONE, nextKey: key })).to.deep.equal({ kind: 'request', key });
    expect(step({ ...signed, nextKey: key }, BY_CSR, { nowMs: NOW + 20 * HOUR_MS }).kind).to.equal('request');
  });

  it('approves what nobody has decided on', () => {
    expect(step({ ...NONE, nextKey: key }, BY_CSR, { status: undefined }).kind).to.equal('approve');
    expect(step({ ...NONE, nextKey: key }, BY_CSR, { status: condition('Other') }).kind).to.equal('approve');
  });

  it('waits for the signer', () => {
    expect(step({ ...NONE, nextKey: key }, BY_CSR, { status: condition('Approved') })).to.deep.equal({ kind: 'await' });
  });

  it('keeps what was issued, with its key', () => {
    const certificate = Buffer.from(issued.certificate).toString('base64');
    const status = { ...condition('Approved'), certificate };
    expect(step({ ...NONE, nextKey: issued.key }, BY_CSR, { status })).to.deep.equal({
      kind: 'store',
      certificate: issued.certificate,
      key: issued.key,
    });
  });

  it('does not keep what was issued for another key, or has expired', () => {
    const status = { ...condition('Approved'), certificate: Buffer.from(issued.certificate).toString('base64') };
    const reason = 'CertificateUnusable';
    expect(step({ ...NONE, nextKey: key }, BY_CSR, { status })).to.include({ kind: 'refused', reason });
    const late = { status, nowMs: NOW + 48 * HOUR_MS };
    expect(step({ ...NONE, nextKey: issued.key }, BY_CSR, late)).to.include({ kind: 'refused', reason });
  });

  for (const type of ['Denied', 'Failed']) {
    it(`says who refused: ${type}`, () => {
      const status = condition(type, { reason: 'Policy', message: 'not here' });
      expect(step({ ...NONE, nextKey: key }, BY_CSR, { status })).to.deep.equal({
        kind: 'refused',
        reason: `Certificate${type}`,
        message: 'Policy: not here',
      });
    });
  }

  it('signs by itself only when told so, and then again in time', () => {
    expect(step(NONE, SELF)).to.deep.equal({ kind: 'signSelf' });
    expect(step(selfSigned, SELF).kind).to.equal('rest');
    expect(step(selfSigned, SELF, { nowMs: NOW + 8 * HOUR_MS })).to.deep.equal({ kind: 'signSelf' });
  });

  it('replaces a certificate of the other kind', () => {
    expect(step(selfSigned, BY_CSR)).to.deep.equal({ kind: 'makeKey' });
    expect(step(signed, SELF)).to.deep.equal({ kind: 'signSelf' });
  });

  it('replaces a certificate that is not for the addresses', () => {
    expect(step(signed, { ...BY_CSR, addresses: ['10.9.9.9'] })).to.deep.equal({ kind: 'makeKey' });
  });
});
