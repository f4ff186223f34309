import { expect } from 'chai';
import { cpuMsOf, peakRssMiBOf, residentKiB, usageOf } from '../../../hack/bench/process-usage.js';

describe('cpuMsOf', () => {
  it('adds user and kernel time', () => {
    const stat = '42 (node) S 1 42 42 0 -1 4194560 9000 0 0 0 150 25 0 0 20 0 11 0 12345 1000000 2000';
    expect(cpuMsOf(stat)).to.equal(1750);
  });

  it('is not misled by the name of the program', () => {
    const stat = '42 (a) b (c d) S 1 42 42 0 -1 4194560 9000 0 0 0 7 3 0 0 20 0 11 0 12345 1000000 2000';
    expect(cpuMsOf(stat)).to.equal(100);
  });
});

describe('peakRssMiBOf', () => {
  it('reads the high-water mark, not the present size', () => {
    expect(peakRssMiBOf('Name:\tnode\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\n')).to.equal(200);
  });

  it('says so when there is none', () => {
    expect(() => peakRssMiBOf('Name:\tnode\nState:\tZ (zombie)\n')).to.throw(/has ended/);
  });
});

describe('usageOf', () => {
  it('agrees with what this process knows of itself', () => {
    const { user, system } = process.cpuUsage();
    const { cpuMs, peakRssMiB } = usageOf(process.pid);
    expect(cpuMs).to.be.closeTo((user + system) / 1000, 100);
    expect(peakRssMiB).to.be.greaterThan(20);
  });
});

describe('residentKiB', () => {
  it('reads the present size', () => {
    expect(residentKiB(process.pid) * 1024).to.be.closeTo(process.memoryUsage.rss(), 30 * 1024 * 1024);
  });
});
