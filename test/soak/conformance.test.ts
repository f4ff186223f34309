import { expect } from 'chai';
import { runConformance } from '../../hack/conformance/run.js';
import { GROUPS } from '../../hack/conformance/specs.js';

const HOUR = 3_600_000;
/** Of Kubernetes 1.36; a pattern that matches next to nothing would let everything pass. */
const LEAST = 200;

describe('virtual nodes', () => {
  it('pass the conformance specs of Kubernetes that are about pods, volumes and controllers', async function () {
    this.timeout(4 * HOUR);
    const results = await runConformance(GROUPS);
    expect(results.filter(({ passed }) => !passed)).to.deep.equal([]);
    expect(results).to.have.length.greaterThan(LEAST);
  });
});
