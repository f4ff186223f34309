import { expect } from 'chai';
import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliError } from '../../../../src/kosmosctl/failure.js';
import { indexArchive } from '../../../../src/kosmosctl/image/archive-reader.js';
import { ArchiveWriter, type ArchivePart } from '../../../../src/kosmosctl/image/archive-writer.js';
import { parseChallenges } from '../../../../src/kosmosctl/image/challenge.js';
import { digestOf } from '../../../../src/kosmosctl/image/digest.js';
import { parseManifest } from '../../../../src/kosmosctl/image/manifest.js';
import { progressOf } from '../../../../src/kosmosctl/image/progress.js';
import { isDigest, parseReference, renderReference } from '../../../../src/kosmosctl/image/reference.js';

const { signal } = new AbortController();

/** Contents of the parts of an archive, each with its own name. */
const contents = fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 6 });

/** Parts that come in small pieces; after so many bytes the wire is cut. */
function partsOf(all: readonly Uint8Array[], cutAfter = Infinity): readonly ArchivePart[] {
  let left = cutAfter;
  return all.map((content, index) => ({
    ...{ name: `blobs/sha256/${index}`, size: content.length, digest: digestOf(content) },
    content: async function* () {
      for (let at = 0; at < content.length; at += 500) {
        const piece = content.subarray(at, at + 500);
        left -= piece.length;
        if (left < 0) throw new Error('the wire is cut');
        yield await Promise.resolve(piece);
      }
    },
  }));
}

async function inFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'kosmos-archive-'));
  try {
    return await action(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const write = (path: string, parts: readonly ArchivePart[]): Promise<void> =>
  new ArchiveWriter(path, signal).write(parts, () => undefined);

describe('an archive of anything', () => {
  it('has all its parts in it, as they are', async () => {
    await fc.assert(
      fc.asyncProperty(contents, (all) =>
        inFolder(async (folder) => {
          const path = join(folder, 'a.tar');
          const parts = partsOf(all);
          await write(path, parts);
          const { entries, isWhole } = await indexArchive(path, signal);
          expect(isWhole).to.equal(true);
          expect(entries.map(({ name, size, digest }) => ({ name, size, digest }))).to.deep.equal(
            parts.map(({ name, size, digest }) => ({ name, size, digest })),
          );
          const bytes = readFileSync(path);
          entries.forEach(({ offset, size }, index) => {
            expect(Buffer.from(bytes.subarray(offset, offset + size)).equals(Buffer.from(all[index]!))).to.equal(true);
          });
        }),
      ),
      { numRuns: 30 },
    );
  });

  it('is the same, wherever it was interrupted and however often', async () => {
    const cuts = fc.array(fc.nat({ max: 8000 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(contents, cuts, (all, interruptions) =>
        inFolder(async (folder) => {
          const [straight, broken] = [join(folder, 'straight.tar'), join(folder, 'broken.tar')];
          await write(straight, partsOf(all));
          for (const cut of interruptions) await write(broken, partsOf(all, cut)).catch(() => undefined);
          await write(broken, partsOf(all));
          expect(readFileSync(broken).equals(readFileSync(straight))).to.equal(true);
        }),
      ),
      { numRuns: 30 },
    );
  });

  it('is never taken for another one that was begun before', async () => {
    await fc.assert(
      fc.asyncProperty(contents, contents, fc.nat({ max: 4000 }), (first, second, cut) =>
        inFolder(async (folder) => {
          const [straight, after] = [join(folder, 'straight.tar'), join(folder, 'after.tar')];
          await write(straight, partsOf(second));
          await write(after, partsOf(first, cut)).catch(() => undefined);
          await write(after, partsOf(second));
          expect(readFileSync(after).equals(readFileSync(straight))).to.equal(true);
        }),
      ),
      { numRuns: 30 },
    );
  });
});

describe('what comes from outside', () => {
  it('is a manifest, or a CliError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        try {
          const document = parseManifest(Buffer.from(text), 'what', undefined);
          expect(document.kind).to.be.oneOf(['image', 'index']);
        } catch (error) {
          expect(error).to.be.instanceOf(CliError);
        }
      }),
    );
  });

  it('gives descriptors with true digests and sizes alone, whatever stands in their place', () => {
    const anything = fc.oneof(fc.jsonValue(), fc.string());
    const entry = fc.record({ mediaType: anything, digest: anything, size: anything, platform: anything });
    fc.assert(
      fc.property(entry, fc.array(entry, { maxLength: 2 }), (config, layers) => {
        let read;
        try {
          read = parseManifest(Buffer.from(JSON.stringify({ config, layers })), 'what', undefined);
        } catch (error) {
          expect(error).to.be.instanceOf(CliError);
          return;
        }
        const all = read.kind === 'image' ? [read.image.config, ...read.image.layers] : read.manifests;
        for (const { digest, size } of all) expect([isDigest(digest), size >= 0]).to.deep.equal([true, true]);
      }),
    );
  });

  it('is a list of challenges, however long it is and whatever is in it', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        for (const { scheme } of parseChallenges(header)) expect(scheme).to.equal(scheme.toLowerCase());
      }),
    );
  });

  it('is the challenge that was written', () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/);
    const parameters = fc.dictionary(name, fc.string({ unit: 'grapheme-ascii' }), { minKeys: 1, maxKeys: 4 });
    const quote = (text: string): string => `"${text.replaceAll(/(["\\])/g, '\\$1')}"`;
    fc.assert(
      fc.property(fc.array(fc.record({ scheme: name, parameters }), { maxLength: 3 }), (challenges) => {
        const header = challenges.map(({ scheme, parameters: all }) => {
          const written = Object.entries(all).map(([key, value]) => `${key}=${quote(value)}`);
          return `${scheme} ${written.join(', ')}`;
        });
        const plain = challenges.map(({ scheme, parameters: all }) => ({ scheme, parameters: { ...all } }));
        expect(parseChallenges(header)).to.deep.equal(plain);
        expect(parseChallenges(header.join(', '))).to.deep.equal(plain);
      }),
    );
  });
});

describe('the name of any image', () => {
  const part = fc.stringMatching(/^[a-z0-9]{1,6}(?:[._-][a-z0-9]{1,6})?$/);
  const registry = fc.oneof(fc.stringMatching(/^[a-z][a-z0-9]{0,8}\.[a-z]{2,5}$/), fc.constant('localhost'));
  const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined });
  const tag = fc.stringMatching(/^\w[\w.-]{0,20}$/);

  it('is written as it was read', () => {
    fc.assert(
      fc.property(registry, port, fc.array(part, { minLength: 1, maxLength: 3 }), tag, (host, number, path, label) => {
        const where = number === undefined ? host : `${host}:${number}`;
        const text = `${where}/${path.join('/')}:${label}`;
        const found = parseReference(text);
        expect(found).to.deep.equal({ registry: where, repository: path.join('/'), reference: label });
        expect(renderReference(found!)).to.equal(text);
      }),
    );
  });

  it('leads to nowhere else in the URL that it becomes a part of', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const found = parseReference(text);
        if (found === undefined) return;
        const url = new URL(`https://${found.registry}/v2/${found.repository}/manifests/${found.reference}`);
        expect(url.pathname).to.equal(`/v2/${found.repository}/manifests/${found.reference}`);
        expect([url.username, url.search, url.hash]).to.deep.equal(['', '', '']);
      }),
    );
  });
});

describe('progressOf', () => {
  it('tells at most ten times, and in the end of all', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2 ** 24 }), { minLength: 1, maxLength: 200 }), (chunks) => {
        const told: string[] = [];
        const total = chunks.reduce((sum, size) => sum + size, 0);
        const advance = progressOf(total, (detail) => told.push(detail));
        for (const chunk of chunks) advance(chunk);
        const whole = `${(total / 2 ** 20).toFixed(1)} MiB`;
        expect(told.length).to.be.within(1, 10);
        expect(told.at(-1)).to.equal(`${whole} of ${whole}`);
      }),
    );
  });

  it('has nothing to tell of nothing', () => {
    const told: string[] = [];
    progressOf(0, (detail) => told.push(detail))(0);
    expect(told).to.deep.equal([]);
  });
});
