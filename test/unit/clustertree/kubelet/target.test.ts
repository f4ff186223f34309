import { expect } from 'chai';
import fc from 'fast-check';
import { decodeValue, escapeValue, parseTarget, queryParameters } from '../../../../src/clustertree/kubelet/target.js';

describe('parseTarget', () => {
  it('takes path, decoded segments and query apart', () => {
    expect(parseTarget('/exec/default/web/main?command=a&tty=1')).to.deep.equal({
      path: '/exec/default/web/main',
      segments: ['exec', 'default', 'web', 'main'],
      query: 'command=a&tty=1',
    });
  });

  it('takes a slash at the end', () => {
    expect(parseTarget('/runningpods/')?.segments).to.deep.equal(['runningpods']);
  });

  it('takes the root', () => {
    expect(parseTarget('/?x')).to.deep.equal({ path: '/', segments: [], query: 'x' });
  });

  const refused: readonly (readonly [string, string])[] = [
    ['an absolute URL', 'http://other/pods'],
    ['an asterisk', '*'],
    ['nothing', ''],
    ['a dot segment', '/stats/../exec/a/b/c'],
    ['a single dot', '/./pods'],
    ['an encoded dot segment', '/stats/%2e%2e/pods'],
    ['an encoded slash', '/exec/a/..%2fb/c'],
    ['a doubly encoded slash', '/exec/a/b%252fc/d'],
    ['an encoded backslash', '/exec/a/b%5Cc/d'],
    ['an empty segment', '//pods'],
    ['an empty segment inside', '/exec//b/c'],
    ['a NUL byte', '/exec/a/b%00/c'],
    ['a line break', '/exec/a/b%0d%0a/c'],
    ['an encoded question mark', '/exec/a/b%3Fx/c'],
    ['a bad escape', '/exec/a/%zz/c'],
    ['bytes that are not UTF-8', '/exec/a/%ff/c'],
  ];
  for (const [what, url] of refused) {
    it(`refuses ${what}`, () => expect(parseTarget(url)).to.be.undefined);
  }

  it('never gives a segment that could be read in two ways', () => {
    fc.assert(
      fc.property(fc.webPath(), (path) => {
        for (const segment of parseTarget(path)?.segments ?? []) {
          expect(segment).to.match(/^[^/\\%?#]+$/);
          expect(segment).not.to.match(/^\.\.?$/);
        }
      }),
    );
  });
});

describe('queryParameters', () => {
  it('keeps the order, and values as they are encoded', () => {
    expect(queryParameters('command=a%20b&command=%ff&tty=1')).to.deep.equal([
      { name: 'command', encoded: 'a%20b' },
      { name: 'command', encoded: '%ff' },
      { name: 'tty', encoded: '1' },
    ]);
  });

  it('takes parameters without a value, and with an equals sign in it', () => {
    expect(queryParameters('a&b=&c=d=e&&')).to.deep.equal([
      { name: 'a', encoded: '' },
      { name: 'b', encoded: '' },
      { name: 'c', encoded: 'd=e' },
    ]);
  });

  it('decodes names', () => {
    expect(queryParameters('comm%61nd=x')).to.deep.equal([{ name: 'command', encoded: 'x' }]);
  });

  it('leaves badly encoded names out', () => {
    expect(queryParameters('%zz=1&a=2')).to.deep.equal([{ name: 'a', encoded: '2' }]);
  });
});

describe('decodeValue', () => {
  it('reads plus signs as blanks', () => expect(decodeValue('a+b%2B')).to.equal('a b+'));
  it('gives nothing for a bad escape', () => expect(decodeValue('%')).to.be.undefined);
});

describe('escapeValue', () => {
  it('leaves escapes and plain characters alone', () => {
    expect(escapeValue('a+b%20c%FF~*')).to.equal('a+b%20c%FF~*');
  });

  it('escapes what could end the value', () => {
    expect(escapeValue('a&b#c"d%')).to.equal('a%26b%23c%22d%25');
  });

  it('keeps every value that a browser or Go would write', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const encoded = new URLSearchParams({ x: text }).toString().slice(2);
        expect(new URLSearchParams(`x=${escapeValue(encoded)}`).get('x')).to.equal(text);
      }),
    );
  });

  it('never lets one value become two', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(escapeValue(text)).to.match(/^([\w.~!*'()+-]|%[0-9a-fA-F]{2})*$/);
      }),
    );
  });
});
