import { expect } from 'chai';
import fc from 'fast-check';
import { largestPacket, type SizeAnswer } from '../../../../src/clusterlink/floater/largest-packet.js';

/** A path that carries so many bytes, and says so up to another size. */
function path(carries: number, isTold: (bytes: number) => boolean): (bytes: number) => Promise<SizeAnswer> {
  return (bytes) => Promise.resolve(bytes <= carries ? 'passed' : isTold(bytes) ? 'tooLarge' : 'lost');
}

const sizes = fc.tuple(fc.integer({ min: 36, max: 9000 }), fc.integer({ min: 36, max: 9000 })).map(([a, b]) => ({
  carries: Math.min(a, b),
  most: Math.max(a, b),
}));

describe('the largest packet', () => {
  it('is found on every path that says what is too large', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async ({ carries, most }) => {
        const found = await largestPacket({ least: 36, most, ask: path(carries, () => true) });
        expect(found).to.deep.equal({ bytes: carries, told: true });
      }),
    );
  });

  it('is found on every path that swallows what is too large, and that is noticed', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async ({ carries, most }) => {
        fc.pre(carries < most);
        const found = await largestPacket({ least: 36, most, ask: path(carries, () => false) });
        expect(found).to.deep.equal({ bytes: carries, told: false });
      }),
    );
  });

  it('is a hole also when somewhat larger packets are told of', async () => {
    const found = await largestPacket({ least: 36, most: 1500, ask: path(1300, (bytes) => bytes > 1450) });
    expect(found).to.deep.equal({ bytes: 1300, told: false });
  });

  it('takes few questions', async () => {
    let asked = 0;
    const ask = (bytes: number): Promise<SizeAnswer> => path(1450, () => true)((asked++, bytes));
    await largestPacket({ least: 36, most: 1500, ask });
    expect(asked).to.be.lessThan(14);
  });

  it('is not taken for smaller than it is because one packet got lost by chance', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 12 }), async ({ carries, most }, unlucky) => {
        let asked = 0;
        const ask = (bytes: number): Promise<SizeAnswer> => {
          asked++;
          // The smallest and the largest are asked first, and that one of them vanishes is another thing.
          if (asked === unlucky + 2) return Promise.resolve('lost');
          return path(carries, () => true)(bytes);
        };
        expect(await largestPacket({ least: 36, most, ask })).to.deep.equal({ bytes: carries, told: true });
      }),
    );
  });

  it('is none where nothing gets through', async () => {
    const ask = (): Promise<SizeAnswer> => Promise.resolve('lost');
    expect(await largestPacket({ least: 36, most: 1500, ask })).to.equal(undefined);
  });
});
