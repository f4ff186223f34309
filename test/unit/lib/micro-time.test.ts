import { expect } from 'chai';
import { microTime } from '../../../src/lib/micro-time.js';

describe('microTime', () => {
  it('has six digits of a second, as Kubernetes wants them', () => {
    expect(microTime(0)).to.equal('1970-01-01T00:00:00.000000Z');
    expect(microTime(1_767_225_600_123)).to.equal('2026-01-01T00:00:00.123000Z');
  });
});
