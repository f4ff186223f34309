import { expect } from 'chai';
import { parseHostApiAddress } from '../../../../src/clustertree/cluster/host-api.js';

describe('parseHostApiAddress', () => {
  for (const [text, host, port] of [
    ['198.18.0.1:6443', '198.18.0.1', 6443],
    ['api.example.com:443', 'api.example.com', 443],
    ['[2001:db8::1]:6443', '2001:db8::1', 6443],
  ] as const) {
    it(`reads ${text}`, () => expect(parseHostApiAddress(text)).to.deep.equal({ host, port }));
  }

  for (const text of [
    '',
    '198.18.0.1',
    ':6443',
    '198.18.0.1:',
    '198.18.0.1:0',
    '198.18.0.1:65536',
    '2001:db8::1:6443',
    '[198.18.0.1]:6443',
    'https://api.example.com:443',
    'api.example.com:443/path',
    'Under_score:443',
  ]) {
    it(`refuses "${text}"`, () => expect(parseHostApiAddress(text)).to.be.undefined);
  }
});
