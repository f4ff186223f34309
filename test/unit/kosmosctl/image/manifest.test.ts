import { expect } from 'chai';
import { blobsOf, MEDIA_TYPES, parseManifest, type Descriptor } from '../../../../src/kosmosctl/image/manifest.js';
import { choosePlatform, parsePlatform, platformOf, renderPlatform } from '../../../../src/kosmosctl/image/platform.js';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const blob = (letter: string, more: Partial<Descriptor> = {}): Descriptor => ({
  ...{ mediaType: MEDIA_TYPES.layer, digest: digest(letter), size: 7 },
  ...more,
});
const parse = (value: unknown, mediaType?: string): ReturnType<typeof parseManifest> =>
  parseManifest(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), 'what', mediaType);

describe('parseManifest', () => {
  const image = { config: blob('c', { mediaType: MEDIA_TYPES.config }), layers: [blob('1'), blob('2')] };

  it('reads an image', () => {
    expect(parse({ schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, ...image })).to.deep.equal({
      ...{ kind: 'image', mediaType: MEDIA_TYPES.manifest, image },
    });
  });

  it('reads an index, with what each is for', () => {
    const manifests = [blob('1', { platform: { os: 'linux', architecture: 'arm64' }, annotations: { a: 'b' } })];
    expect(parse({ manifests })).to.deep.equal({ kind: 'index', mediaType: MEDIA_TYPES.index, manifests });
  });

  it('takes the type that the registry says where the manifest says none', () => {
    expect(parse(image, 'application/x')).to.have.property('mediaType', 'application/x');
    expect(parse({ ...image, mediaType: 'application/y' }, 'application/x').mediaType).to.equal('application/y');
  });

  for (const [what, value, problem] of [
    ['text', 'hello', 'what is no JSON'],
    ['null', 'null', 'what is no JSON object'],
    ['the oldest form', { schemaVersion: 1, fsLayers: [] }, 'is no manifest of an image that is understood'],
    [
      'a path for a digest',
      { ...image, layers: [blob('1', { digest: '../../etc/passwd' })] },
      'names "../../etc/passwd"',
    ],
    [
      'another algorithm',
      { ...image, config: blob('c', { digest: `sha512:${'a'.repeat(128)}` }) },
      'no SHA-256 digest',
    ],
    ['no digest', { ...image, config: {} }, 'names "undefined"'],
    ['no descriptor', { ...image, layers: [null] }, 'names "undefined"'],
    ['a negative size', { ...image, layers: [blob('1', { size: -1 })] }, 'says no size'],
    ['a size with a fraction', { manifests: [blob('1', { size: 1.5 })] }, 'says no size'],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(() => parse(value)).to.throw(problem);
    });
  }

  it('knows what an image is made of, once each', () => {
    const layers = [blob('1'), blob('2'), blob('1')];
    expect(blobsOf({ ...image, layers }).map((found) => found.digest)).to.deep.equal([
      ...[digest('1'), digest('2'), digest('c')],
    ]);
  });
});

describe('the platform of an image', () => {
  const forPlatform = (letter: string, platform: string): Descriptor =>
    blob(letter, { platform: parsePlatform(platform) });
  const all = [forPlatform('1', 'linux/amd64'), forPlatform('2', 'linux/arm/v7'), forPlatform('3', 'linux/arm64/v8')];
  const built = blob('9', { platform: { os: 'unknown', architecture: 'unknown' } });

  it('is chosen from an index', () => {
    const chosen = (wanted: string): string => choosePlatform([built, ...all], parsePlatform(wanted), 'x').digest;
    expect(chosen('linux/amd64')).to.equal(digest('1'));
    expect(chosen('linux/arm')).to.equal(digest('2'));
    expect(chosen('linux/arm64')).to.equal(digest('3'));
    expect(chosen('linux/arm/v7')).to.equal(digest('2'));
  });

  it('may be unsaid, where there is one image alone', () => {
    expect(choosePlatform([blob('5')], parsePlatform('linux/amd64'), 'x').digest).to.equal(digest('5'));
  });

  for (const wanted of ['linux/riscv64', 'windows/amd64', 'linux/arm/v6']) {
    it(`${wanted} that is not there is said, with those that are`, () => {
      expect(() => choosePlatform([built, ...all], parsePlatform(wanted), 'r/x:1'))
        .to.throw(`r/x:1 has no image for ${wanted}`)
        .with.property('cure', 'Choose with --platform one of: linux/amd64, linux/arm/v7, linux/arm64/v8');
    });
  }

  it('is written as os/architecture', () => {
    expect(renderPlatform(parsePlatform('linux/arm/v7'))).to.equal('linux/arm/v7');
    expect(renderPlatform(platformOf('x64'))).to.equal('linux/amd64');
    expect(renderPlatform(platformOf('arm64'))).to.equal('linux/arm64');
    for (const text of ['', 'linux', 'linux/', '/amd64', 'linux/arm/v7/x', 'linux/a b']) {
      expect(() => parsePlatform(text), text).to.throw('is no platform');
    }
  });
});
