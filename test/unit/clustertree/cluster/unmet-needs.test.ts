import { expect } from 'chai';
import type { Use } from '../../../../src/clustertree/cluster/pod-references.js';
import {
  complaint,
  foreignObject,
  missingObject,
  refusedObject,
} from '../../../../src/clustertree/cluster/unmet-needs.js';

describe('what a pod is told it lacks', () => {
  const reference = (use: Use): { name: string; optional: boolean; use: Use } => ({ name: 'x', optional: false, use });

  it('is what a kubelet says of a volume', () => {
    expect(missingObject('configmap', reference({ volume: 'v' }))).to.deep.equal({
      reason: 'FailedMount',
      message: 'MountVolume.SetUp failed for volume "v" : configmap "x" not found',
    });
  });

  it('is what a kubelet says of a variable', () => {
    expect(missingObject('secret', reference({ container: 'app' }))).to.deep.equal({
      reason: 'Failed',
      message: 'Error: secret "x" not found',
    });
  });

  it('is what a kubelet says of a pull secret', () => {
    expect(complaint({ pull: true }, 'why')).to.deep.equal({
      reason: 'FailedToRetrieveImagePullSecret',
      message: 'Unable to retrieve an image pull secret: why',
    });
  });

  it('names the member whose object is in the way, and the cure', () => {
    const { reason, message } = foreignObject('secret', reference({ volume: 'v' }), 'east');
    expect(reason).to.equal('ForeignObject');
    expect(message).to.match(/volume "v" : secret "x" of member cluster east belongs to somebody else.*rename/);
  });

  it("gives the member's reason for a refusal", () => {
    expect(refusedObject('secret', reference({ container: 'app' }), 'exceeded quota')).to.deep.equal({
      reason: 'Failed',
      message: 'Error: secret "x" is refused by the member: exceeded quota',
    });
  });
});
