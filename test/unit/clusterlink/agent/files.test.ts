import { expect } from 'chai';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { FileConfigSource } from '../../../../src/clusterlink/agent/config-source.js';
import { StateStore } from '../../../../src/clusterlink/agent/state-store.js';
import { fileStatusWriter } from '../../../../src/clusterlink/agent/status-writer.js';
import { type Logger, silentLogger } from '../../../../src/lib/logger.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { spec } from './specs.js';

describe('files of the agent', () => {
  let directory: string;
  let warnings: { readonly message: string; readonly text: string }[];
  let logger: Logger;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'kosmos-agent-'));
    warnings = [];
    const note: Logger['warn'] = (message, fields) => warnings.push({ message, text: JSON.stringify(fields) });
    logger = { ...silentLogger, warn: note, error: note };
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  describe('the state', () => {
    const config = { metadata: { name: 'east-n1', generation: 4, uid: 'u' }, spec };
    const configFile = (): string => join(directory, 'node-config.json');
    const sysctlFile = (): string => join(directory, 'sysctls.json');
    const store = (): StateStore => new StateStore(directory, logger);

    it('is whole or nothing, wherever a file was cut off', () => {
      store().saveConfig(config);
      const { length } = readFileSync(configFile());
      fc.assert(
        fc.property(fc.nat(length - 1), (cut) => {
          store().saveConfig(config);
          truncateSync(configFile(), cut);
          expect(store().config()).to.equal(undefined);
        }),
        { numRuns: 30 },
      );
    });

    it('is whole or nothing, whatever bit has fallen over', () => {
      store().saveConfig(config);
      const good = readFileSync(configFile());
      fc.assert(
        fc.property(fc.nat(good.length - 1), fc.nat(7), (at, bit) => {
          const damaged = Buffer.from(good);
          damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
          writeFileSync(configFile(), damaged);
          const read = store().config();
          if (read !== undefined) expect(read).to.deep.equal(config);
        }),
        { numRuns: 100 },
      );
    });

    const nonsense = [
      'null',
      '[]',
      '7',
      '"text"',
      '{"sha256":"x"}',
      '{"sha256":"x","content":7}',
      '{"content":"{}"}',
      '\0\0\0\0',
    ];
    for (const text of nonsense) {
      it(`does not trust ${JSON.stringify(text)}, and says so`, () => {
        writeFileSync(configFile(), text);
        writeFileSync(sysctlFile(), text);
        expect([store().config(), store().savedSysctls()]).to.deep.equal([undefined, {}]);
        expect(warnings).to.have.length(2);
        expect(warnings[0]?.text).to.contain('node-config.json');
      });
    }

    it('says that a file can not be read, and goes on without', () => {
      mkdirSync(configFile());
      expect(store().config()).to.equal(undefined);
      expect(warnings.map(({ message }) => message)).to.deep.equal(['a file of the state can not be read']);
    });

    it('is not touched by a write that did not come to its end', () => {
      store().saveConfig(config);
      writeFileSync(`${configFile()}.new`, '{"sha256":"half');
      expect(store().config()).to.deep.equal(config);
      store().saveConfig({ ...config, metadata: { ...config.metadata, generation: 5 } });
      expect(store().config()?.metadata?.generation).to.equal(5);
      expect(readdirSync(directory)).to.deep.equal(['node-config.json']);
    });

    it('survives a damaged file: what is kept next is good again', () => {
      writeFileSync(sysctlFile(), 'x');
      const one = store();
      one.saveSysctl('net/ipv4/ip_forward', { before: '0', set: '1' });
      expect(store().savedSysctls()).to.deep.equal({ 'net/ipv4/ip_forward': { before: '0', set: '1' } });
    });

    it("keeps a setting's first value over restarts", () => {
      store().saveSysctl('a', { before: '0', set: '1' });
      store().saveSysctl('a', { before: '1', set: '2' });
      expect(store().savedSysctls()).to.deep.equal({ a: { before: '0', set: '2' } });
    });

    it('does not remember a setting that could not be written down', () => {
      const one = store();
      one.saveSysctl('a', { before: '0', set: '1' });
      mkdirSync(`${sysctlFile()}.new`);
      expect(() => one.saveSysctl('b', { before: '0', set: '1' })).to.throw('EISDIR');
      expect(Object.keys(one.savedSysctls())).to.deep.equal(['a']);
    });

    it('keeps texts of any script, and long ones', () => {
      const long = { ...config, spec: { ...spec, nodeName: 'Größe 大小 🌍'.repeat(500) } };
      store().saveConfig(long);
      expect(store().config()).to.deep.equal(long);
    });

    it('is readable by its owner only, also after a file was there that was not', () => {
      writeFileSync(configFile(), 'x');
      chmodSync(configFile(), 0o644);
      store().saveConfig(config);
      expect(statSync(configFile()).mode & 0o777).to.equal(0o600);
      store().clear();
      expect(readdirSync(directory)).to.deep.equal([]);
    });
  });

  describe('a config in a file', () => {
    let clock: FakeClock;
    let source: FileConfigSource;
    let changes: number;
    let abort: AbortController;
    let running: Promise<void>;
    const path = (): string => join(directory, 'config.yaml');
    const write = async (text: string): Promise<void> => {
      writeFileSync(path(), text);
      await clock.advance(500);
    };

    beforeEach(async () => {
      clock = new FakeClock();
      source = new FileConfigSource(path(), clock, logger);
      changes = 0;
      abort = new AbortController();
      running = source.run(abort.signal, () => changes++);
      await clock.advance(0);
      // There was no file yet.
      warnings = [];
    });

    afterEach(async () => {
      abort.abort();
      await running;
      expect(clock.pendingTimers).to.equal(0);
    });

    const nonsense = [
      'null',
      '~',
      '[]',
      'spec:',
      'spec: null',
      'spec: []',
      'spec: text',
      'spec: 7',
      'kind: X',
      '{',
      '\t',
    ];
    for (const text of nonsense) {
      it(`is not ${JSON.stringify(text)}: the last one stays`, async () => {
        await write('spec: {nodeName: n1}');
        await write(text);
        expect(source.current()?.spec).to.deep.equal({ nodeName: 'n1' });
        expect([source.known(), changes, warnings.length]).to.deep.equal([true, 1, 1]);
      });
    }

    it('is not known before there is one that makes sense', async () => {
      await write('spec: [');
      expect([source.known(), source.current()]).to.deep.equal([false, undefined]);
    });

    it('says once what is wrong with a file that stays as it is', async () => {
      await write('spec: [');
      await clock.advance(60_000);
      expect(warnings).to.have.length(1);
      expect(warnings[0]?.message).to.equal('the config file can not be used');
    });

    it('stays when the file goes away', async () => {
      await write('spec: {nodeName: n1}');
      rmSync(path());
      await clock.advance(5_000);
      expect([source.known(), source.current()?.spec.nodeName, changes]).to.deep.equal([true, 'n1', 1]);
    });

    it('has a generation that grows with each change, unless it says its own', async () => {
      const generations: unknown[] = [];
      for (const text of [
        'spec: {a: 1}',
        'spec: {a: 2}',
        'metadata: {name: x, generation: 40}\nspec: {}',
        'spec: {a: 3}',
      ]) {
        await write(text);
        generations.push(source.current()?.metadata?.generation);
      }
      expect(generations).to.deep.equal([1, 2, 40, 4]);
      expect(changes).to.equal(4);
    });

    it('is JSON as well as YAML', async () => {
      await write(JSON.stringify({ metadata: { name: 'east-n1' }, spec }));
      expect(source.current()).to.deep.equal({ metadata: { generation: 1, name: 'east-n1' }, spec });
    });
  });

  describe('a status in a file', () => {
    const path = (): string => join(directory, 'config.yaml.status');
    const { signal } = new AbortController();

    it('is replaced as a whole, and ends in a line feed', async () => {
      const writer = fileStatusWriter(path());
      await writer.write({ spec: {} }, { driftRepaired: 1, errors: ['one'] }, signal);
      await writer.write({ spec: {} }, { driftRepaired: 2 }, signal);
      expect(readFileSync(path(), 'utf8')).to.equal('{\n  "driftRepaired": 2\n}\n');
      expect(readdirSync(directory)).to.deep.equal(['config.yaml.status']);
    });

    it('fails where there is no directory for it', async () => {
      const writer = fileStatusWriter(join(directory, 'missing', 'status'));
      const failure = await Promise.resolve()
        .then(() => writer.write({ spec: {} }, {}, signal))
        .catch((error: unknown) => error);
      expect(failure).to.have.property('code', 'ENOENT');
    });
  });
});
