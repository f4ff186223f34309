import { expect } from 'chai';
import { networkInterfaces } from 'node:os';
import { ownMtu } from '../../../../src/clusterlink/floater/own-mtu.js';

describe('the MTU of the own device', () => {
  it('is the largest of those with addresses that others can reach', () => {
    const read: string[] = [];
    const sizes = [1400, 9001, 1500];
    const mtu = ownMtu((path) => {
      read.push(path);
      return `${sizes[read.length - 1] ?? 1280}\n`;
    });
    const outside = Object.entries(networkInterfaces()).filter(([, all = []]) => all.some(({ internal }) => !internal));
    expect(read).to.deep.equal(outside.map(([name]) => `/sys/class/net/${name}/mtu`));
    expect(mtu).to.equal(outside.length === 0 ? 1500 : Math.max(...sizes.slice(0, outside.length)));
  });

  it('is that of Ethernet where none can be read', () => {
    expect(
      ownMtu(() => {
        throw new Error('gone');
      }),
    ).to.equal(1500);
    expect(ownMtu(() => 'no number')).to.equal(1500);
  });
});
