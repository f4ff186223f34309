import { expect } from 'chai';
import { apiHost, credentialKeys, parseReference, renderReference } from '../../../../src/kosmosctl/image/reference.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('the name of an image', () => {
  const good: readonly (readonly [text: string, registry: string, repository: string, reference: string])[] = [
    ['r.example/kosmos:1', 'r.example', 'kosmos', '1'],
    ['r.example:5000/team/a-b__c/kosmos:v1.2_x', 'r.example:5000', 'team/a-b__c/kosmos', 'v1.2_x'],
    ['localhost/kosmos', 'localhost', 'kosmos', 'latest'],
    ['127.0.0.1:5000/kosmos', '127.0.0.1:5000', 'kosmos', 'latest'],
    ['[fd00::1]:5000/kosmos:1', '[fd00::1]:5000', 'kosmos', '1'],
    ['kosmos:1', 'docker.io', 'library/kosmos', '1'],
    ['team/kosmos', 'docker.io', 'team/kosmos', 'latest'],
    [`r.example/kosmos@${DIGEST}`, 'r.example', 'kosmos', DIGEST],
    [`r.example/kosmos:1@${DIGEST}`, 'r.example', 'kosmos', DIGEST],
  ];
  for (const [text, registry, repository, reference] of good) {
    it(`${text.slice(0, 40)} is taken apart`, () => {
      expect(parseReference(text)).to.deep.equal({ registry, repository, reference });
    });
  }

  for (const text of [
    ...['', '/', 'r.example/', 'r.example/Kosmos', 'r.example/a//b', 'r.example/../b', 'r.example/kosmos:', 'a b/c'],
    ...[
      'r.example/kosmos:-x',
      `r.example/kosmos:${'t'.repeat(129)}`,
      'r.example/kosmos@sha256:12',
      'https://r.example/k',
    ],
    ...[
      `r.example/kosmos@${DIGEST}@${DIGEST}`,
      'r.example/kosmos?x=1',
      'r.example/kosmos:1#2',
      'user@r.example/kosmos',
      '[1]/kosmos',
      'r.example:70000/kosmos',
    ],
  ]) {
    it(`"${text.slice(0, 40)}" is none`, () => {
      expect(parseReference(text)).to.equal(undefined);
    });
  }

  it('gets the tag that it is given in place of none', () => {
    expect(parseReference('r.example/kosmos', '7')?.reference).to.equal('7');
    expect(parseReference('r.example/kosmos:8', '7')?.reference).to.equal('8');
  });

  it('is written as it was read', () => {
    for (const text of ['r.example:5000/a/kosmos:1', `r.example/kosmos@${DIGEST}`]) {
      expect(renderReference(parseReference(text)!)).to.equal(text);
    }
  });

  it('leads to where the API of its registry is', () => {
    expect(apiHost('r.example:5000')).to.equal('r.example:5000');
    expect(apiHost('docker.io')).to.equal('registry-1.docker.io');
    expect(credentialKeys('docker.io')[0]).to.equal('https://index.docker.io/v1/');
  });
});
