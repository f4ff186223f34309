import { expect } from 'chai';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KernelError } from '../../../../../src/clusterlink/agent/netlink/kernel-error.js';
import { NftProgram } from '../../../../../src/clusterlink/agent/nftables/nft.js';

describe('NftProgram', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'kosmos-nft-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  /** A program in the place of nft, that notes how it was called. */
  function program(script: string): NftProgram {
    const path = join(directory, 'nft');
    writeFileSync(path, `#!/bin/sh\necho "$*" >> ${directory}/calls\n${script}\n`);
    chmodSync(path, 0o755);
    return new NftProgram(path);
  }

  const calls = (): string[] => readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n');

  async function failure(work: Promise<unknown>): Promise<KernelError> {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(KernelError);
    return error as KernelError;
  }

  /** Answers `list tables` with these, and `list table` with a text. */
  const listing = (tables: readonly string[]): string =>
    `case "$2" in tables) printf '%s\\n' ${tables.map((table) => `'${table}'`).join(' ')} ;; table) echo "the table" ;; *) cat > ${directory}/input ;; esac`;

  it('lists the own table', async () => {
    const nft = program(listing(['table inet filter', 'table inet kosmos']));
    expect(await nft.list()).to.equal('the table\n');
    expect(calls()).to.deep.equal(['list tables inet', 'list table inet kosmos']);
  });

  it('has none when there are only others, also with names that begin alike', async () => {
    const nft = program(listing(['table inet filter', 'table inet kosmos2', 'table ip kosmos']));
    expect(await nft.list()).to.equal(undefined);
    expect(calls()).to.deep.equal(['list tables inet']);
  });

  it('has none when there are no tables', async () => {
    expect(await program('exit 0').list()).to.equal(undefined);
  });

  it('gives a transaction by the standard input, as it is', async () => {
    const text = 'table inet kosmos {\n  chain forward { }\n}\n';
    await program(`cat > ${directory}/input`).run(text);
    expect(calls()).to.deep.equal(['-f -']);
    expect(readFileSync(join(directory, 'input'), 'utf8')).to.equal(text);
  });

  it('takes the own table away when it is there', async () => {
    await program(listing(['table inet kosmos'])).remove();
    expect(calls().at(-1)).to.equal('-f -');
    expect(readFileSync(join(directory, 'input'), 'utf8')).to.equal('delete table inet kosmos\n');
  });

  it('takes nothing away when there is none', async () => {
    await program(listing(['table inet filter'])).remove();
    expect(calls()).to.deep.equal(['list tables inet']);
    expect(existsSync(join(directory, 'input'))).to.equal(false);
  });

  it("fails with nft's first line about what is wrong", async () => {
    const nft = program("printf '\\n/dev/stdin:3:1-4: Error: syntax error\\nmore of it\\n' >&2; exit 1");
    expect((await failure(nft.run('nonsense'))).message).to.equal('nft -f -: /dev/stdin:3:1-4: Error: syntax error');
  });

  it('fails also when nft says nothing, or is killed', async () => {
    expect((await failure(program('exit 3').list())).message).to.equal('nft list tables inet: failed without a word');
    expect((await failure(program('kill -9 $$').list())).message).to.contain('failed without a word');
  });

  it('fails when there is no such program', async () => {
    const error = await failure(new NftProgram(join(directory, 'missing')).list());
    expect(error.message).to.equal("nft can't be run");
    expect(error.cause).to.have.property('code', 'ENOENT');
  });

  it('does not mind a program that ends before it has read everything', async () => {
    const large = '# a comment that fills the pipe\n'.repeat(20_000);
    await program('exit 0').run(large);
    expect((await failure(program('echo no >&2; exit 1').run(large))).message).to.equal('nft -f -: no');
  });

  it('removes nothing when it can not tell what is there', async () => {
    const nft = program('exit 1');
    await failure(nft.remove());
    expect(calls()).to.deep.equal(['list tables inet']);
  });
});
