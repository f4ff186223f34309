import { expect } from 'chai';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StateStore } from '../../../../src/clusterlink/agent/state-store.js';
import { type LogFields, type Logger, silentLogger } from '../../../../src/lib/logger.js';
import { spec } from './specs.js';

describe('StateStore', () => {
  let directory: string;
  let errors: LogFields[];
  let logger: Logger;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'kosmos-state-'));
    errors = [];
    logger = { ...silentLogger, error: (_message, fields) => errors.push(fields ?? {}) };
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  const config = { metadata: { name: 'east-n1', generation: 4, uid: 'u', resourceVersion: '9' }, spec, status: {} };
  const file = (): string => join(directory, 'deep', 'node-config.json');
  const store = (): StateStore => new StateStore(join(directory, 'deep'), logger);

  it('keeps a config, without what is of no use later', () => {
    store().saveConfig(config);
    expect(store().config()).to.deep.equal({ metadata: { name: 'east-n1', generation: 4, uid: 'u' }, spec });
    expect(statSync(file()).mode & 0o777).to.equal(0o600);
    expect(readdirSync(join(directory, 'deep'))).to.deep.equal(['node-config.json']);
  });

  it('has none at first, and says nothing about it', () => {
    expect(store().config()).to.equal(undefined);
    expect(errors).to.deep.equal([]);
  });

  it('does not trust a file that was cut off or changed', () => {
    store().saveConfig(config);
    const text = readFileSync(file(), 'utf8');
    for (const damaged of [text.replace('vx-bridge', 'vx-fridge'), text.slice(0, 100), '', '{}']) {
      writeFileSync(file(), damaged);
      expect(store().config()).to.equal(undefined);
    }
    expect(errors).to.have.length(4);
  });

  it('remembers what a setting was the first time, in the order in which settings were changed', () => {
    const one = store();
    one.saveSysctl('b', { before: '0', set: '1' });
    one.saveSysctl('a', { before: '5', set: '6' });
    one.saveSysctl('b', { before: '7', set: '2' });
    expect(Object.entries(store().savedSysctls())).to.deep.equal([
      ['b', { before: '0', set: '2' }],
      ['a', { before: '5', set: '6' }],
    ]);
  });

  it('forgets everything', () => {
    const one = store();
    one.saveConfig(config);
    one.saveSysctl('a', { before: '0', set: '1' });
    one.clear();
    expect([one.config(), one.savedSysctls()]).to.deep.equal([undefined, {}]);
    expect(readdirSync(join(directory, 'deep'))).to.deep.equal([]);
    store().clear();
  });
});
