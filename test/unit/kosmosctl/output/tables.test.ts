import { expect } from 'chai';
import fc from 'fast-check';
import { parse } from 'yaml';
import { FORMATS, renderDocument, renderManifests, renderObjects } from '../../../../src/kosmosctl/output/format.js';
import { runSteps, type Step } from '../../../../src/kosmosctl/output/steps.js';
import { ageOf, renderTable } from '../../../../src/kosmosctl/output/table.js';
import { ApiError } from '../../../../src/kube/api-error.js';
import { CliError, EXIT } from '../../../../src/kosmosctl/failure.js';
import { FakeClock } from '../../../support/fake-clock.js';

const cell = fc.stringMatching(/^[a-z0-9][a-z0-9./:-]{0,40}$/);

describe('a table', () => {
  it('begins each column at the same place in every row, whatever is in it', () => {
    const table = fc
      .integer({ min: 1, max: 5 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 2, maxLength: 6 }),
      );
    fc.assert(
      fc.property(table, ([head = [], ...rows]) => {
        const lines = renderTable(head, rows).trimEnd().split('\n');
        expect(lines).to.have.lengthOf(rows.length + 1);
        let start = 0;
        for (let column = 0; column < head.length; column += 1) {
          const cells = [head, ...rows].map((row) => row[column] ?? '');
          lines.forEach((line, index) =>
            expect(line.slice(start)).to.match(new RegExp(`^${escape(cells[index] ?? '')}`)),
          );
          start += Math.max(...cells.map(({ length }) => length)) + 3;
        }
      }),
    );
  });

  it('shortens nothing, however long names are', () => {
    const name = 'n'.repeat(253);
    expect(renderTable(['NAME', 'AGE'], [[name, '1d']])).to.equal(`NAME${' '.repeat(252)}AGE\n${name}   1d\n`);
  });

  it('has but its head when there is nothing in it', () => {
    expect(renderTable(['NAME', 'AGE'], [])).to.equal('NAME   AGE\n');
  });

  it('has no colours and no space at the ends of lines', () => {
    const text = renderTable(
      ['A', 'B'],
      [
        ['', ''],
        ['x', ''],
      ],
    );
    expect(text).to.equal('A   B\n\nx\n');
  });
});

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
}

describe('an age', () => {
  const now = Date.parse('2026-01-10T00:00:00Z');

  it('is never longer than that of something older, and always has a unit', () => {
    const seconds = fc.integer({ min: 0, max: 10 * 365 * 86_400 });
    const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
    fc.assert(
      fc.property(seconds, (age) => {
        const text = ageOf(new Date(now - age * 1000).toISOString(), now);
        const [, number = '', unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
        const length = units[unit] ?? NaN;
        expect(age - Number(number) * length, text).to.be.within(0, length - 1);
      }),
    );
  });

  for (const [timestamp, age] of [
    ['', '<unknown>'],
    ['yesterday', '<unknown>'],
    ['2026-01-09T23:58:01Z', '119s'],
    ['2026-01-09T23:58:00Z', '2m'],
    ['2026-01-09T22:00:01Z', '119m'],
    ['2026-01-09T22:00:00Z', '2h'],
    ['2026-01-08T00:00:01Z', '47h'],
    ['2026-01-08T00:00:00Z', '2d'],
    ['2026-01-09T23:59:59.999999Z', '0s'],
    ['2027-01-01T00:00:00Z', '0s'],
  ] as const) {
    it(`of "${timestamp}" is ${age}`, () => {
      expect(ageOf(timestamp, now)).to.equal(age);
    });
  }

  it('is not known of a time that the API server gives as null', () => {
    expect(ageOf(null as never, now)).to.equal('<unknown>');
  });
});

describe('documents', () => {
  const tree = fc.dictionary(
    fc.stringMatching(/^[a-z]{1,8}$/),
    fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
  );

  it('say the same in both forms', () => {
    fc.assert(
      fc.property(tree, (content) => {
        expect(JSON.parse(renderDocument(content, 'json'))).to.deep.equal({ ...content });
        expect(parse(renderDocument(content, 'yaml'))).to.deep.equal({ ...content });
      }),
    );
  });

  it('repeat what is there twice, since kubectl takes no aliases', () => {
    const labels = { a: 'b' };
    expect(renderDocument({ one: labels, other: labels }, 'yaml')).to.equal('one:\n  a: b\nother:\n  a: b\n');
  });

  it('end with one line break, also when there is nothing in them', () => {
    for (const format of ['json', 'yaml'] as const) {
      expect(renderObjects([], format, true)).to.match(/[^\n]\n$/);
      expect(parse(renderObjects([], format, true))).to.deep.equal({ apiVersion: 'v1', kind: 'List', items: [] });
    }
    expect(renderManifests([], 'yaml')).to.equal('');
    expect(FORMATS).to.have.members(['wide', 'json', 'yaml', 'name']);
  });
});

describe('steps on no terminal', () => {
  let err: string;
  let clock: FakeClock;

  beforeEach(() => {
    err = '';
    clock = new FakeClock();
  });

  const run = (steps: readonly Step[]): Promise<unknown> => {
    const silent = { out: () => undefined, confirm: () => Promise.resolve(false), interactive: false, color: false };
    const terminal = { ...silent, write: () => Promise.resolve(), err: (text: string) => void (err += text) };
    return runSteps({ clock, terminal }, steps).catch((error: unknown) => error);
  };

  it('show how long each took', async () => {
    const slow: Step = {
      title: 'Slow',
      run: () => {
        clock.stall(61_240);
        return Promise.resolve('done');
      },
    };
    await run([slow, { title: 'Fast', run: () => Promise.resolve(undefined) }]);
    expect(err).to.equal('ok   Slow: done (61.2s)\nok   Fast (0.0s)\n');
  });

  it('are not begun before the one before has ended', async () => {
    const order: string[] = [];
    const step = (title: string): Step => ({
      title,
      run: async () => {
        order.push(`${title} begins`);
        await Promise.resolve();
        order.push(`${title} ends`);
        return undefined;
      },
    });
    await run([step('a'), step('b')]);
    expect(order).to.deep.equal(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('show again what was said before something else', async () => {
    await run([
      {
        title: 'S',
        run: (report) => {
          for (const detail of ['a', 'b', 'a', 'a']) report(detail);
          return Promise.resolve(undefined);
        },
      },
    ]);
    expect(err.match(/\.\.\. {2}S: \w/g)).to.deep.equal(['...  S: a', '...  S: b', '...  S: a']);
  });

  it('keep the cause of a failure, and what to do', async () => {
    const cause = new ApiError({ code: 403, reason: 'Forbidden', message: 'no' });
    const error = (await run([{ title: 'S', run: () => Promise.reject(cause) }])) as CliError;
    expect(error).to.be.instanceOf(CliError).and.include({ cause, exitCode: EXIT.failed });
    expect(error.message).to.equal('S: the API server refuses: no');
    expect(error.cure).to.contain('cluster-admin');
  });

  it('may be none', async () => {
    expect([await run([]), err]).to.deep.equal([undefined, '']);
  });
});
