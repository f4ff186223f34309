import { expect } from 'chai';
import { decideVolume, type VolumeState } from '../../../../src/clustertree/storage/volume-verdict.js';
import { deepFreeze } from '../../../support/pods.js';
import { memberVolume, namedVolume, plainVolume } from '../../../support/storage-objects.js';

const RELEASED = namedVolume({ status: { phase: 'Released' } });
const ADOPTED = {
  name: 'pvc-former',
  annotations: { 'kosmos.io/member-cluster': 'member1', 'kosmos.io/member-volume': 'pvc-former' },
};
const NOTHING = { kind: 'nothing' };

interface Row extends Partial<VolumeState> {
  readonly when: string;
  readonly then: Readonly<Record<string, unknown>>;
}

const ROWS: readonly Row[] = [
  { when: 'there is no volume', hostVolume: undefined, then: NOTHING },
  { when: 'it is bound', hostVolume: namedVolume(), then: NOTHING },
  {
    when: 'it is being deleted',
    hostVolume: { ...RELEASED, metadata: { ...RELEASED.metadata, deletionTimestamp: 'now' } },
    then: NOTHING,
  },
  { when: 'its data is in the host', hostVolume: plainVolume({ status: { phase: 'Released' } }), then: NOTHING },
  {
    when: 'its data is in the member as an annotation says, and gone',
    hostVolume: plainVolume({ status: { phase: 'Released' }, metadata: ADOPTED }),
    live: true,
    then: { kind: 'delete-host-volume' },
  },
  { when: 'it is of another member', cluster: 'member2', then: NOTHING },
  {
    when: 'it is to be retained',
    hostVolume: namedVolume({ status: { phase: 'Released' }, spec: { persistentVolumeReclaimPolicy: 'Retain' } }),
    then: NOTHING,
  },
  { when: 'the caches are not current', synced: false, then: { kind: 'wait' } },
  { when: 'the member still has the claim', hasMemberClaim: true, then: NOTHING },
  { when: 'nothing is left in the cache', then: { kind: 'confirm' } },
  { when: 'nothing is left for certain', live: true, then: { kind: 'delete-host-volume' } },
  {
    when: 'the host failed to delete it, which is for us to do',
    hostVolume: namedVolume({ status: { phase: 'Failed' } }),
    live: true,
    then: { kind: 'delete-host-volume' },
  },
  {
    when: 'the member is deleting its volume',
    memberVolume: memberVolume({ status: { phase: 'Released' } }),
    then: { kind: 'wait' },
  },
  {
    when: 'the member keeps its volume, which is no longer wanted',
    memberVolume: memberVolume({ status: { phase: 'Released' }, spec: { persistentVolumeReclaimPolicy: 'Retain' } }),
    then: { kind: 'set-policy', policy: 'Delete' },
  },
  {
    when: 'the member fails to delete its volume',
    memberVolume: memberVolume({ status: { phase: 'Failed', message: 'disk is busy' } }),
    then: { kind: 'report', reason: 'VolumeFailedDelete', message: 'disk is busy' },
  },
  {
    when: 'the member has given its volume to another claim',
    memberVolume: memberVolume({ spec: { claimRef: { namespace: 'shop', name: 'other', uid: 'x' } } }),
    then: { kind: 'report', reason: 'VolumeFailedDelete' },
  },
  { when: 'the volume of the member is bound', memberVolume: memberVolume(), then: { kind: 'report' } },
];

describe('decideVolume', () => {
  for (const { when, then, ...state } of ROWS) {
    const { kind, ...details } = then;
    it(`${String(kind)} when ${when}`, () => {
      const whole: VolumeState = {
        cluster: 'member1',
        hostVolume: RELEASED,
        hasMemberClaim: false,
        synced: true,
        live: false,
      };
      expect(decideVolume(deepFreeze({ ...whole, ...state }))).to.deep.include({ kind, ...details });
    });
  }
});
