import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { readArchiveImage } from '../../../../src/kosmosctl/image/archive-image.js';
import { indexArchive, readEntry, streamEntry } from '../../../../src/kosmosctl/image/archive-reader.js';
import { ArchiveWriter, type ArchivePart } from '../../../../src/kosmosctl/image/archive-writer.js';
import { digestOf } from '../../../../src/kosmosctl/image/digest.js';
import { blobPath } from '../../../../src/kosmosctl/image/layout.js';
import { platformOf } from '../../../../src/kosmosctl/image/platform.js';
import { tarHeader, tarPadding } from '../../../../src/kosmosctl/image/tar-header.js';
import { ARCHIVED_NAME, archiveOf, manifestDigest, writeWithTar } from '../../../support/image-archives.js';

const AMD64 = platformOf('x64');
const { signal } = new AbortController();

let folder: string;
let path: string;

function useFolder(): void {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kosmos-archive-'));
    path = join(folder, 'image.tar');
  });

  afterEach(() => rmSync(folder, { recursive: true }));
}

interface TestPart extends ArchivePart {
  fetched: number;
}

/** A part that counts how often its content was wanted; `content` may be something else than it says. */
function part(name: string, size: number, content: () => AsyncIterable<Uint8Array> = repeated(name, size)): TestPart {
  const whole = Buffer.alloc(size, name);
  const made: TestPart = {
    ...{ name, size, digest: digestOf(whole), fetched: 0 },
    content: () => {
      made.fetched += 1;
      return content();
    },
  };
  return made;
}

function repeated(name: string, size: number): () => AsyncGenerator<Buffer> {
  return async function* () {
    const whole = Buffer.alloc(size, name);
    for (let at = 0; at < size; at += 1000) yield await Promise.resolve(whole.subarray(at, at + 1000));
  };
}

const write = (...parts: readonly ArchivePart[]): Promise<void> =>
  new ArchiveWriter(path, signal).write(parts, () => undefined);
const failed = async (action: Promise<unknown>): Promise<Error> => {
  const error: unknown = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.an('error');
  return error as Error;
};

describe('ArchiveWriter', () => {
  useFolder();

  it('writes what the tar of the machine reads', async () => {
    const sizes = [0, 1, 511, 512, 513, 5000];
    await write(...sizes.map((size) => part(`blobs/sha256/${size}`, size)));
    const listed = execFileSync('tar', ['-tvf', path], { encoding: 'utf8' }).trimEnd().split('\n');
    expect(
      listed.map((line) => line.split(/ +/)).map(([mode, owner, size, , , name]) => [mode, owner, size, name]),
    ).to.deep.equal(sizes.map((size) => ['-rw-r--r--', '0/0', `${size}`, `blobs/sha256/${size}`]));
    execFileSync('tar', ['-xf', path, '-C', folder]);
    for (const size of sizes) {
      const name = `blobs/sha256/${size}`;
      expect(readFileSync(join(folder, name)).equals(Buffer.alloc(size, name))).to.equal(true);
    }
  });

  it('writes the same bytes each time', async () => {
    await write(part('a', 600));
    const first = readFileSync(path);
    await write(part('a', 600));
    expect(readFileSync(path).equals(first)).to.equal(true);
    expect(readdirSync(folder)).to.deep.equal(['image.tar']);
  });

  it('leaves what was there until the new one is whole, and goes on where it was interrupted', async () => {
    writeFileSync(path, 'old');
    const parts = [part('a', 5000), part('b', 700), part('c', 3000, broken('c', 3000)), part('d', 10)];
    expect((await failed(write(...parts))).message).to.equal('the wire is cut');
    expect(readFileSync(path, 'utf8')).to.equal('old');
    expect(existsSync(`${path}.partial`)).to.equal(true);
    const seen: number[] = [];
    const again = [part('a', 5000), part('b', 700), part('c', 3000), part('d', 10)];
    await new ArchiveWriter(path, signal).write(again, (bytes) => seen.push(bytes));
    expect(again.map(({ fetched }) => fetched)).to.deep.equal([0, 0, 1, 1]);
    expect(seen[0]).to.equal(5700);
    expect(seen.reduce((sum, bytes) => sum + bytes, 0)).to.equal(8710);
    expect((await indexArchive(path, signal)).entries.map(({ name }) => name)).to.deep.equal(['a', 'b', 'c', 'd']);
  });

  it('takes nothing over from what was begun for something else, or was damaged since', async () => {
    await failed(write(part('a', 5000), part('b', 700), part('x', 10, broken('x', 10))));
    const bytes = readFileSync(`${path}.partial`);
    bytes[600] = 0;
    writeFileSync(`${path}.partial`, bytes);
    const parts = [part('a', 5000), part('b', 700)];
    await write(...parts);
    expect(parts.map(({ fetched }) => fetched)).to.deep.equal([1, 1]);
    await failed(write(part('a', 5000), part('x', 10, broken('x', 10))));
    const other = [part('z', 5000), part('a', 5000)];
    await write(...other);
    expect(other.map(({ fetched }) => fetched)).to.deep.equal([1, 1]);
  });

  it('does not take over a file that is no archive at all', async () => {
    for (const rubbish of ['x', 'x'.repeat(512), 'x'.repeat(5000), '\0'.repeat(1024)]) {
      writeFileSync(`${path}.partial`, rubbish);
      await write(part('a', 100));
      expect(await indexArchive(path, signal)).to.deep.include({ isWhole: true });
    }
  });

  it('never gives out an archive that another one has written into meanwhile', async () => {
    const meddling = async function* (): AsyncGenerator<Buffer> {
      writeFileSync(`${path}.partial`, Buffer.alloc(2048, 'y'), { flag: 'r+' });
      yield await Promise.resolve(Buffer.alloc(10, 'b'));
    };
    const error = await failed(write(part('a', 1000), part('b', 10, meddling)));
    expect(error.message).to.contain('has been changed while it was written');
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('says what is wrong with where it is to write', async () => {
    path = join(folder, 'nowhere', 'image.tar');
    expect((await failed(write(part('a', 1)))).message).to.equal(`${path} can't be written (ENOENT)`);
    path = join(folder, 'folder');
    mkdirSync(path);
    const error = await failed(write(part('a', 1)));
    expect(error.message).to.equal(`${path} can't be written (EISDIR)`);
    expect(error).to.have.property('cure').that.contains('--output');
  });

  it('asks for the room before it fetches anything', async () => {
    const huge = { ...part('a', 1), size: 2 ** 60 };
    const error = await failed(write(huge));
    expect(error.message).to.match(/there is no room for .* \(ENOSPC\): [\d.]+ MiB are needed, [\d.]+ MiB are free/);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  function broken(name: string, size: number): () => AsyncGenerator<Buffer> {
    return async function* () {
      yield await Promise.resolve(Buffer.alloc(Math.floor(size / 2), name));
      throw new Error('the wire is cut');
    };
  }
});

describe('tarHeader', () => {
  it('has no place for longer names, or sizes past 8 GiB', () => {
    expect(() => tarHeader('n'.repeat(101), 0)).to.throw(RangeError, 'too long for the archive');
    expect(() => tarHeader('n', 8 * 2 ** 30)).to.throw(RangeError, 'too much for the archive');
    expect(tarHeader('n'.repeat(100), 8 * 2 ** 30 - 1)).to.have.lengthOf(512);
  });

  it('is followed by content up to the next block', () => {
    for (const [size, length] of [
      [0, 0],
      [1, 511],
      [512, 0],
      [513, 511],
    ] as const) {
      expect(tarPadding(size)).to.have.lengthOf(length);
    }
  });
});

describe('an archive', () => {
  useFolder();

  it('is read as the machine writes it, whatever its form', async () => {
    writeFileSync(join(folder, 'a'), 'content of a');
    mkdirSync(join(folder, 'deep'));
    writeFileSync(join(folder, 'deep', 'n'.repeat(95)), 'long');
    for (const format of ['gnu', 'ustar', 'posix']) {
      execFileSync('tar', [`--format=${format}`, '-cf', path, '-C', folder, './a', './deep']);
      const { entries, isWhole } = await indexArchive(path, signal);
      expect([isWhole, entries.map(({ name }) => name)], format).to.deep.equal([true, ['a', `deep/${'n'.repeat(95)}`]]);
      const [entry] = entries;
      expect(entry).to.include({ size: 12, digest: digestOf('content of a') });
      expect((await readEntry(path, entry!)).toString()).to.equal('content of a');
      expect(await text(streamEntry(path, entry!))).to.equal('content of a');
      expect(await text(streamEntry(path, entries[1]!))).to.equal('long');
    }
  });

  it('is read up to where it ends in the middle', async () => {
    await write(part('a', 600), part('b', 600));
    const whole = readFileSync(path);
    for (const [length, names] of [
      [512 + 1024 + 700, ['a']],
      [512 + 1024 + 100, ['a']],
      [700, []],
    ] as const) {
      writeFileSync(path, whole.subarray(0, length));
      const { entries, isWhole } = await indexArchive(path, signal);
      expect([isWhole, entries.map(({ name }) => name)], `${length}`).to.deep.equal([false, names]);
    }
  });

  it('tells the image that is in it, with all its parts', async () => {
    const files = archiveOf('layer one', 'layer two');
    writeWithTar(path, files);
    const { name, manifest, blobs } = await readArchiveImage(path, AMD64, signal);
    expect(name).to.deep.equal({ registry: 'kosmos.local', repository: 'kosmos', reference: '0.1.0' });
    expect(manifest.digest).to.equal(manifestDigest(files));
    const contents = await Promise.all(blobs.map(({ entry }) => text(streamEntry(path, entry))));
    expect(contents.slice(0, 2)).to.deep.equal(['layer one', 'layer two']);
    expect(contents[2]).to.contain('"architecture":"amd64"');
  });

  it('may have an index in its index, with several images', async () => {
    const files = archiveOf('layer');
    const digest = manifestDigest(files);
    const size = files.get(blobPath(digest))?.length;
    const entry = (architecture: string, more: object = {}): object => ({
      ...{
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest,
        size,
        platform: { os: 'linux', architecture },
      },
      ...more,
    });
    const inner = Buffer.from(JSON.stringify({ manifests: [entry('arm64'), entry('amd64')] }));
    const annotations = { 'io.containerd.image.name': ARCHIVED_NAME };
    const outer = { mediaType: 'x', digest: digestOf(inner), size: inner.length, annotations };
    const index = Buffer.from(JSON.stringify({ manifests: [outer] }));
    writeWithTar(path, new Map([...files, [blobPath(digestOf(inner)), inner], ['index.json', index]]));
    const found = await readArchiveImage(path, AMD64, signal);
    expect(found.manifest.digest).to.equal(digest);
    expect(found.name?.repository).to.equal('kosmos');
    const none = await failed(readArchiveImage(path, platformOf('s390x'), signal));
    expect(none.message).to.contain('has no image for linux/s390x');
  });

  const good = archiveOf('layer');
  const layer = blobPath(digestOf('layer'));
  const index = (value: unknown): Map<string, string | Buffer> =>
    new Map<string, string | Buffer>([...good, ['index.json', JSON.stringify(value)]]);
  const without = (name: string): Map<string, Buffer> => new Map([...good].filter(([key]) => key !== name));
  for (const [what, files, problem] of [
    ['without a layer', without(layer), `is damaged: ${digestOf('layer')} is missing`],
    ['with another layer', new Map<string, string | Buffer>([...good, [layer, 'LAYER']]), 'is not what it was'],
    ['without its index', without('index.json'), 'holds no OCI image'],
    ['with an empty index', index({ manifests: [] }), 'has no image for linux/amd64'],
    [
      'with a manifest for its index',
      index(JSON.parse(good.get(blobPath(manifestDigest(good)))?.toString() ?? '')),
      'no index',
    ],
    ['with no JSON for its index', new Map<string, string>([['index.json', '{']]), 'is no JSON'],
  ] as const) {
    it(`${what} is refused`, async () => {
      writeWithTar(path, files);
      expect((await failed(readArchiveImage(path, AMD64, signal))).message).to.contain(problem);
    });
  }

  it('that is none, or is not there, is refused', async () => {
    expect((await failed(readArchiveImage(path, AMD64, signal))).message).to.equal(
      `the archive ${path} can't be read (ENOENT)`,
    );
    expect((await failed(readArchiveImage(folder, AMD64, signal))).message).to.contain("can't be read (EISDIR)");
    writeFileSync(path, 'no archive'.repeat(100));
    expect((await failed(readArchiveImage(path, AMD64, signal))).message).to.contain('is no tar archive');
  });

  it('is given up when there is no more wish for it', async () => {
    writeWithTar(path, archiveOf('layer'));
    const error = await failed(readArchiveImage(path, AMD64, AbortSignal.abort(new Error('enough'))));
    expect(error.name).to.equal('AbortError');
  });
});
