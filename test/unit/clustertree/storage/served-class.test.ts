import { expect } from 'chai';
import { isImmediate, memberClassName, serviceOf } from '../../../../src/clustertree/storage/served-class.js';
import { storageClass } from '../../../support/storage-objects.js';

describe('serviceOf', () => {
  const vendor = storageClass('fast', { provisioner: 'disks.example.com' });
  const map = { fast: 'ssd' };

  it('is the member for classes of our provisioner, mapped or not', () => {
    expect(serviceOf(storageClass(), {}, () => false)).to.deep.equal({ kind: 'member' });
    expect(serviceOf(storageClass(), map, () => true)).to.deep.equal({ kind: 'member' });
  });

  it('is the member for a mapped class that nobody in the host serves', () => {
    expect(serviceOf(vendor, map, () => false)).to.deep.equal({ kind: 'member' });
  });

  it('is somebody else for all other classes, and when there is none', () => {
    expect(serviceOf(vendor, {}, () => false)).to.deep.equal({ kind: 'other' });
    expect(serviceOf(vendor, { constructor: 'x' }, () => false)).to.deep.equal({ kind: 'other' });
    expect(serviceOf(undefined, map, () => false)).to.deep.equal({ kind: 'other' });
  });

  it('leaves a mapped class to a driver of the host, and says so', () => {
    const service = serviceOf(vendor, map, (name) => name === 'disks.example.com');
    expect(service.kind).to.equal('contested');
    expect(service).to.have.property('message').that.includes('disks.example.com serves it in the host');
  });

  it('leaves a mapped class to the provisioners of kube-controller-manager', () => {
    const inTree = storageClass('fast', { provisioner: 'kubernetes.io/host-path' });
    expect(serviceOf(inTree, map, () => false).kind).to.equal('contested');
  });
});

describe('memberClassName', () => {
  it('is what the map says, else the same', () => {
    expect(memberClassName('fast', { fast: 'ssd' })).to.equal('ssd');
    expect(memberClassName('slow', { fast: 'ssd' })).to.equal('slow');
    expect(memberClassName('constructor', {})).to.equal('constructor');
  });
});

describe('isImmediate', () => {
  it('is so unless the class says otherwise', () => {
    expect(isImmediate({})).to.be.true;
    expect(isImmediate({ volumeBindingMode: 'Immediate' })).to.be.true;
    expect(isImmediate({ volumeBindingMode: 'WaitForFirstConsumer' })).to.be.false;
  });
});
