import { expect } from 'chai';
import { pods } from '../../../src/kube/resource.js';
import { createEventSink } from '../../../src/runtime/event-sink.js';
import { FakeEventRecorder } from '../../support/fake-event-recorder.js';

describe('createEventSink', () => {
  it('records a warning about an object of its type, whether or not the object states its kind', () => {
    const recorder = new FakeEventRecorder();
    const metadata = { namespace: 'default', name: 'web', uid: 'u1' };
    createEventSink(recorder, pods).warn({ metadata }, 'PodRefused', 'hostNetwork is not supported');
    expect(recorder.summary).to.deep.equal(['Pod web: Warning PodRefused']);
    expect(recorder.events[0]).to.deep.equal({
      object: { apiVersion: 'v1', kind: 'Pod', ...metadata },
      type: 'Warning',
      reason: 'PodRefused',
      message: 'hostNetwork is not supported',
    });
  });
});
