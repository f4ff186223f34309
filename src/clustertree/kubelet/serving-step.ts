import type { CertificateSigningRequest } from '../../apis/core.js';
import { certificateIn, type ServingMaterial, type ServingPolicy } from './serving-secret.js';

/** What to do next about the serving certificate of one virtual node. */
export type ServingStep =
  /** All is well until then. */
  | { readonly kind: 'rest'; readonly renewInMs: number }
  /** A key has to be made and kept, to ask for a certificate. */
  | { readonly kind: 'makeKey' }
  /** A key and a certificate of its own have to be made. */
  | { readonly kind: 'signSelf' }
  | { readonly kind: 'request'; readonly key: string }
  | { readonly kind: 'approve'; readonly request: CertificateSigningRequest }
  /** Approved; the signer has not issued it yet. */
  | { readonly kind: 'await' }
  | { readonly kind: 'store'; readonly certificate: string; readonly key: string }
  /** Somebody said no, or the signer can't; a new request is made once this one is removed. */
  | { readonly kind: 'refused'; readonly reason: string; readonly message: string };

export interface ServingState {
  readonly material: ServingMaterial;
  /** The request for `material.nextKey`, if there is one. */
  readonly request: CertificateSigningRequest | undefined;
  readonly policy: ServingPolicy;
  readonly nowMs: number;
}

/** A certificate is renewed when this part of its life is over. */
const RENEW_AT = 0.8;

/** Level-based: the Secret and the request say how far things are, whoever did it. */
export function servingStep(state: ServingState): ServingStep {
  const { material, policy } = state;
  const renewInMs = restMs(state);
  if (renewInMs > 0) return { kind: 'rest', renewInMs };
  if (policy.mode === 'self-signed') return { kind: 'signSelf' };
  if (material.nextKey === undefined) return { kind: 'makeKey' };
  return requestStep(state, material.nextKey);
}

function restMs({ material, policy, nowMs }: ServingState): number {
  const certificate = certificateIn(material, policy);
  if (certificate === undefined) return 0;
  const { notBeforeMs, notAfterMs } = certificate;
  return notBeforeMs + (notAfterMs - notBeforeMs) * RENEW_AT - nowMs;
}

function requestStep({ request, policy, nowMs }: ServingState, key: string): ServingStep {
  if (request === undefined) return { kind: 'request', key };
  const { conditions = [], certificate } = request.status ?? {};
  const refusal = conditions.find(({ type, status }) => ['Denied', 'Failed'].includes(type) && status !== 'False');
  if (refusal !== undefined) {
    const { type, reason, message } = refusal;
    return { kind: 'refused', reason: `Certificate${type}`, message: `${reason ?? type}: ${message ?? ''}` };
  }
  if (!conditions.some(({ type }) => type === 'Approved')) return { kind: 'approve', request };
  if (certificate === undefined || certificate === '') return { kind: 'await' };
  const issued = Buffer.from(certificate, 'base64').toString('utf8');
  const usable = certificateIn({ certificate: issued, key, nextKey: undefined }, policy);
  if (usable !== undefined && usable.notAfterMs > nowMs) return { kind: 'store', certificate: issued, key };
  return { kind: 'refused', reason: 'CertificateUnusable', message: 'the issued certificate does not fit the request' };
}
