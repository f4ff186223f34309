import { expect } from 'chai';
import { RecoveryDetector } from '../../../src/kube/recovery.js';

function recoveriesAfter(codes: readonly string[]): number {
  let recoveries = 0;
  const detector = new RecoveryDetector(() => {
    recoveries += 1;
  });
  for (const code of codes) detector.observe({ cluster: 'host', verb: 'update', resource: 'leases', code, seconds: 0 });
  return recoveries;
}

describe('RecoveryDetector', () => {
  const rows: [string, readonly string[], number][] = [
    ['all is well', ['200', '200', '409', '200'], 0],
    ['a single call fails', ['200', 'API_TIMEOUT', '200'], 0],
    ['the server comes back', ['200', 'API_UNREACHABLE', 'API_UNREACHABLE', '200', '200'], 1],
    ['the server comes back with a refusal', ['ABORTED', 'API_TIMEOUT', '404'], 1],
    ['the server is still starting', ['API_UNREACHABLE', '503', '500', '503'], 0],
    ['two outages follow each other', ['503', '503', '200', 'API_TIMEOUT', 'API_TIMEOUT', '201'], 2],
    ['it was never there', ['API_UNREACHABLE', 'API_UNREACHABLE', 'API_UNREACHABLE'], 0],
  ];
  for (const [name, codes, expected] of rows) {
    it(`speaks up ${expected} times when ${name}`, () => {
      expect(recoveriesAfter(codes)).to.equal(expected);
    });
  }
});
