import { expect } from 'chai';
import { LOG_LEVELS, type LogLevel } from '../../../src/runtime/log-level.js';
import { createLogger } from '../../../src/runtime/logging.js';

describe('createLogger', () => {
  let lines: Record<string, unknown>[];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  beforeEach(() => (lines = []));

  it('writes one JSON object with level, time, message and fields', () => {
    createLogger({ destination }).info('pod created', { pod: 'default/web', attempt: 2 });
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ level: 'info', msg: 'pod created', pod: 'default/web', attempt: 2 });
    expect(lines[0]?.['time']).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Object.keys(lines[0] ?? {})).to.have.members(['level', 'time', 'msg', 'pod', 'attempt']);
  });

  for (const level of LOG_LEVELS) {
    it(`writes nothing below ${level}`, () => {
      const logger = createLogger({ destination, level });
      for (const one of LOG_LEVELS) logger[one](one);
      const expected: readonly LogLevel[] = LOG_LEVELS.slice(LOG_LEVELS.indexOf(level));
      expect(lines.map((line) => line['level'])).to.deep.equal(expected);
    });
  }

  it('adds the fields of a child to those of its parents, the nearest winning', () => {
    const logger = createLogger({ destination, fields: { process: 'manager', a: 1 } });
    logger.child({ controller: 'pod', a: 2 }).child({ b: 3 }).warn('x', { b: 4 });
    expect(lines[0]).to.include({ process: 'manager', controller: 'pod', a: 2, b: 4 });
  });

  it('censors secrets in fields, in fields of children and in messages', () => {
    const logger = createLogger({ destination }).child({ token: 'hunter2' });
    logger.error('Bearer abcdefghijkl failed', { request: { headers: { authorization: 'hunter2' } } });
    expect(JSON.stringify(lines)).to.not.match(/hunter2|abcdefghijkl/);
  });

  it('does not look at fields of lines that nobody sees', () => {
    let looked = false;
    const fields = {
      get expensive() {
        looked = true;
        return 1;
      },
    };
    createLogger({ destination }).debug('x', fields);
    expect(looked).to.equal(false);
  });

  it('renames fields that would hide the level, time or message', () => {
    createLogger({ destination }).info('real', { msg: 'fake', level: 'fake', time: 1 });
    expect(lines[0]).to.include({ msg: 'real', level: 'info', msgField: 'fake', levelField: 'fake', timeField: 1 });
  });
});
