import { expect } from 'chai';
import { parseLogQuery } from '../../../../src/clustertree/kubelet/log-options.js';

function query(text: string): string {
  const parsed = parseLogQuery(text, 'main');
  return parsed.ok ? parsed.query : `${parsed.statusCode} ${parsed.message}`;
}

describe('parseLogQuery', () => {
  it('asks for the container alone by default', () => expect(query('')).to.equal('?container=main'));

  it('passes on all options', () => {
    const all = 'follow=true&previous=true&timestamps=true&sinceSeconds=5&tailLines=0&limitBytes=9';
    expect(query(all)).to.equal(
      `?container=main&follow=true&previous=true&timestamps=true&${all.split('&').slice(3).join('&')}`,
    );
  });

  it('passes on a time and a stream', () => {
    expect(query('sinceTime=2026-01-02T03%3A04%3A05.6%2B01:00&stream=Stderr')).to.equal(
      '?container=main&sinceTime=2026-01-02T03%3A04%3A05.6%2B01%3A00&stream=Stderr',
    );
  });

  it('leaves the default stream out, which older members do not know', () => {
    expect(query('stream=All')).to.equal('?container=main');
  });

  it('reads booleans as API servers do', () => {
    expect(query('follow=false&previous=0&timestamps=FALSE')).to.equal('?container=main');
    expect(query('follow=&previous=yes')).to.equal('?container=main&follow=true&previous=true');
  });

  it('knows whether the log is followed', () => {
    expect(parseLogQuery('follow=1', 'main')).to.include({ follow: true });
    expect(parseLogQuery('', 'main')).to.include({ follow: false });
  });

  it('takes the first of several values, and nothing that it does not know', () => {
    expect(query('tailLines=1&tailLines=2&container=other&x=y')).to.equal('?container=main&tailLines=1');
  });

  it('knows the older name of tailLines', () => {
    expect(query('tail=7')).to.equal('?container=main&tailLines=7');
    expect(query('tail=all&tailLines=3')).to.equal('?container=main');
  });

  for (const text of [
    'tailLines=x',
    'tailLines=1.5',
    'limitBytes=9223372036854775808',
    'sinceSeconds=%zz',
    'sinceTime=yesterday',
    'sinceTime=2026-13-02T03:04:05Z',
  ]) {
    it(`can not decode ${text}`, () => expect(query(text)).to.equal('400 {"message": "Unable to decode query."}'));
  }

  for (const text of [
    'tailLines=-1',
    'limitBytes=0',
    'sinceSeconds=0',
    'sinceSeconds=-3',
    'sinceSeconds=1&sinceTime=2026-01-02T03:04:05Z',
    'stream=stdout',
    'stream=Stdout&tailLines=3',
  ]) {
    it(`refuses ${text}`, () => expect(query(text)).to.equal('422 {"message": "Invalid request."}'));
  }
});
