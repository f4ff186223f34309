import { expect } from 'chai';
import type { KubeObject } from '../../../../src/apis/core.js';
import {
  isTampered,
  renewalPatch,
  tokenSecret,
  trimTokenSecret,
  type IssuedToken,
} from '../../../../src/clustertree/identity/token-secret.js';
import { OWNERSHIP } from '../../../support/member-harness.js';
import { asJson } from '../../../support/pods.js';

const POD = { namespace: 'shop', podUid: 'pod-uid' };
const issued = (key: string, issuedAt = 100): IssuedToken => ({
  ...{ key, issuedAt },
  token: `token of ${key}`,
  expiresAt: issuedAt + 3600,
});
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('tokenSecret', () => {
  it('holds all tokens of a pod, and says whose they are and how long they live', () => {
    const secret = tokenSecret(POD, OWNERSHIP, [issued('a'), issued('b')], 'keys');
    expect(secret.metadata).to.deep.include({ namespace: 'shop', name: 'kosmos-token-pod-uid' });
    expect(secret.metadata?.labels).to.include({ 'kosmos.io/token': 'true', 'kosmos.io/cluster': 'member1' });
    expect(secret.metadata?.annotations).to.deep.equal({
      'kosmos.io/host-uid': 'pod-uid',
      'kosmos.io/token-lifetimes': '{"keys":"keys","tokens":{"a":[100,3700],"b":[100,3700]}}',
    });
    expect(secret.data).to.deep.equal({ a: base64('token of a'), b: base64('token of b') });
  });

  it('shows no token outside of its data', () => {
    const { data: _data, ...rest } = tokenSecret(POD, OWNERSHIP, [issued('a')], undefined);
    expect(JSON.stringify(rest)).to.not.contain('token of').and.not.contain(base64('token of a'));
  });
});

describe('trimTokenSecret', () => {
  it('keeps the lifetimes and nothing that is not needed', () => {
    const { metadata } = tokenSecret(POD, OWNERSHIP, [issued('a')], 'k');
    const trimmed = trimTokenSecret({
      metadata: { ...metadata, uid: 'u', annotations: { ...metadata?.annotations, x: 'y' } },
    });
    expect(trimmed.lifetimes).to.deep.equal({ keys: 'k', tokens: { a: [100, 3700] } });
    expect(trimmed.metadata?.annotations).to.deep.equal({ 'kosmos.io/host-uid': 'pod-uid' });
    expect(trimmed.metadata).to.include({ uid: 'u', name: 'kosmos-token-pod-uid' });
  });

  it('survives what is not one of ours', () => {
    expect(trimTokenSecret({})).to.deep.include({ lifetimes: { tokens: {} }, ownKeys: undefined, isTouched: false });
  });
});

describe('renewalPatch', () => {
  const present = (keys?: string): ReturnType<typeof trimTokenSecret> => ({
    ...trimTokenSecret({ metadata: { uid: 'secret-uid' } }),
    lifetimes: { keys, tokens: { a: [100, 3700], b: [100, 700] } },
  });

  it('changes the renewed tokens of that Secret, and keeps the times of the others', () => {
    expect(asJson(renewalPatch(present('k'), [issued('b', 500)], 'k'))).to.deep.equal({
      metadata: {
        uid: 'secret-uid',
        annotations: { 'kosmos.io/token-lifetimes': '{"keys":"k","tokens":{"a":[100,3700],"b":[500,4100]}}' },
      },
      data: { b: base64('token of b') },
    });
  });

  it('says that all tokens are by the new keys only when they are', () => {
    const lifetimes = (patch: object): string => JSON.stringify(patch);
    expect(lifetimes(renewalPatch(present('old'), [issued('b', 500)], 'new'))).to.contain('\\"keys\\":\\"old\\"');
    const all = [issued('a', 500), issued('b', 500)];
    expect(lifetimes(renewalPatch(present('old'), all, 'new'))).to.contain('\\"keys\\":\\"new\\"');
  });
});

describe('isTampered', () => {
  const secret = (...managers: [string, object | undefined][]): KubeObject => ({
    metadata: { managedFields: managers.map(([manager, fieldsV1]) => ({ manager, ...(fieldsV1 && { fieldsV1 }) })) },
  });
  const data = (...keys: string[]): object => ({
    'f:data': { '.': {}, ...Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) },
  });
  const check = (object: KubeObject): boolean => isTampered(trimTokenSecret(object), ['a', 'b']);

  it('is not when we wrote all of it', () => {
    expect(check(secret(['kosmos-manager', data('a', 'b')]))).to.be.false;
    expect(check(secret(['kosmos-manager', data('a', 'b')], ['kosmos-manager', data('b')]))).to.be.false;
  });

  it('is not when others wrote something else', () => {
    expect(check(secret(['kosmos-manager', data('a', 'b')], ['kubectl', { 'f:metadata': {} }], ['x', undefined]))).to.be
      .false;
  });

  it('is when somebody changed a token', () => {
    expect(check(secret(['kosmos-manager', data('a')], ['kubectl', data('b')]))).to.be.true;
  });

  it('is when somebody added something', () => {
    expect(check(secret(['kosmos-manager', data('a', 'b')], ['kubectl', data('c')]))).to.be.true;
  });

  it('is when somebody removed a token', () => {
    expect(check(secret(['kosmos-manager', data('a')]))).to.be.true;
  });

  it('is not when the member does not say who wrote what', () => {
    expect(check({ metadata: {} })).to.be.false;
  });
});
