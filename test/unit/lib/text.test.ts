import { expect } from 'chai';
import fc from 'fast-check';
import { truncateUtf8 } from '../../../src/lib/text.js';

describe('truncateUtf8', () => {
  for (const [text, maxBytes, expected] of [
    ['short', 5, 'short'],
    ['longer text', 8, 'longe\u2026'],
    ['\u00e4\u00e4\u00e4', 6, '\u00e4\u00e4\u00e4'],
    ['\u00e4\u00e4\u00e4\u00e4', 6, '\u00e4\u2026'],
    ['\u{1f600}\u{1f600}', 7, '\u{1f600}\u2026'],
    ['\u{1f600}\u{1f600}', 6, '\u2026'],
    ['abcd', 2, ''],
  ] as const) {
    it(`makes "${expected}" of "${text}" in ${maxBytes} bytes`, () => {
      expect(truncateUtf8(text, maxBytes)).to.equal(expected);
    });
  }

  it('never exceeds the limit and keeps a beginning of the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 3, max: 30 }), (text, maxBytes) => {
        const cut = truncateUtf8(text, maxBytes);
        expect(Buffer.byteLength(cut)).to.be.at.most(maxBytes);
        expect(text.startsWith(cut.replace(/\u2026$/, ''))).to.equal(true);
      }),
    );
  });
});
