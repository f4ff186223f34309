import { expect } from 'chai';
import { JournalFile } from '../../../../src/kosmosctl/network/journal-file.js';
import { encodeHead, encodeResult, readJournal, resume } from '../../../../src/kosmosctl/network/journal.js';
import { trialKey } from '../../../../src/kosmosctl/network/trial.js';
import { resultsOf, siteView } from '../../../support/network-results.js';

const HEAD = { host: 'uid-of-host', from: 'pods' } as const;
const SITES = [siteView(1, 'east', 2), siteView(2, 'west', 1)];
const results = resultsOf(SITES, ({ cls, to }) => (cls === 'udp' && to === 'west/n1' ? 'TIMEOUT' : undefined));
const failed = results.filter(({ outcomes }) => outcomes.udp?.ok === false);
const text = encodeHead(HEAD) + results.map(encodeResult).join('');

describe('the journal of a check', () => {
  it('gives back what was written', () => {
    expect([...(readJournal(text, HEAD)?.values() ?? [])]).to.deep.equal(results);
  });

  it('gives back all but the line that was cut off when it was killed, wherever that was', () => {
    const last = encodeResult(results.at(-1)!);
    for (let cut = 2; cut <= last.length; cut += 7) {
      expect(readJournal(text.slice(0, -cut), HEAD)?.size).to.equal(results.length - 1);
    }
  });

  it('counts for nothing in another host, or from elsewhere', () => {
    expect(readJournal(text, { ...HEAD, host: 'another' })).to.equal(undefined);
    expect(readJournal(text, { ...HEAD, from: 'nodes' })).to.equal(undefined);
    expect(readJournal('', HEAD)).to.equal(undefined);
    expect(readJournal('no json\n', HEAD)).to.equal(undefined);
  });

  it('lets the last result of a trial count', () => {
    const again = { ...results[0]!, outcomes: { icmp: { ok: false, error: 'TIMEOUT' } } };
    const read = readJournal(text + encodeResult(again), HEAD);
    expect(read?.get(trialKey(again))).to.deep.equal(again);
  });
});

describe('going on', () => {
  const before = readJournal(text, HEAD)!;

  it('tries what failed, and what was not tried', () => {
    const half = new Map([...before].slice(0, 4));
    const { todo, done } = resume(results, half);
    expect(done.length + todo.length).to.equal(results.length);
    for (const result of done) expect(half.get(trialKey(result))).to.equal(result);
    for (const trial of todo) expect(done.map(trialKey)).not.to.include(trialKey(trial));
    expect(resume(results, before).todo.map(trialKey)).to.deep.equal(failed.map(trialKey));
  });

  it('tries everything without anything known', () => {
    expect(resume(results, new Map())).to.deep.equal({ todo: results, done: [] });
  });

  it('tries again what was tried in fewer ways before', () => {
    const fewer = new Map([...before].map(([key, result]) => [key, { ...result, probes: ['icmp'] as const }]));
    const { done } = resume(results, fewer);
    expect(done).to.deep.equal([]);
  });
});

describe('the file of a journal', () => {
  it('is written line by line, and begun anew by the next check', () => {
    const files: Record<string, string> = {};
    const file = new JournalFile('/state/check', {
      readFile: (path) => {
        if (files[path] === undefined) throw Object.assign(new Error('none'), { code: 'ENOENT' });
        return files[path];
      },
      writeFile: (path, content) => void (files[path] = content),
      appendFile: (path, content) => void (files[path] = `${files[path]}${content}`),
    });
    expect(file.read(HEAD)).to.equal(undefined);
    file.begin(HEAD, []);
    for (const result of results) file.add(result);
    expect(files['/state/check']).to.equal(text);
    file.begin(HEAD, results.slice(0, 1));
    expect(file.read(HEAD)?.size).to.equal(1);
  });

  it('says so when it can not be read', () => {
    const file = new JournalFile('/state/check', {
      readFile: () => {
        throw Object.assign(new Error('not yours'), { code: 'EACCES' });
      },
      writeFile: () => undefined,
      appendFile: () => undefined,
    });
    expect(() => file.read(HEAD)).to.throw('not yours');
  });
});
