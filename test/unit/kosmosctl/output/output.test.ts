import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { CliError } from '../../../../src/kosmosctl/failure.js';
import { renderManifests, renderObjects } from '../../../../src/kosmosctl/output/format.js';
import { runSteps } from '../../../../src/kosmosctl/output/steps.js';
import { ageOf, renderTable } from '../../../../src/kosmosctl/output/table.js';
import { waitUntil } from '../../../../src/kosmosctl/wait.js';
import { FakeClock } from '../../../support/fake-clock.js';

describe('renderTable', () => {
  it('aligns columns, and leaves nothing at the ends of lines', () => {
    expect(
      renderTable(
        ['A', 'LONG'],
        [
          ['value', 'x'],
          ['y', ''],
        ],
      ),
    ).to.equal('A       LONG\nvalue   x\ny\n');
  });
});

describe('ageOf', () => {
  const now = Date.parse('2026-01-10T00:00:00Z');
  const table: readonly (readonly [string | undefined, string])[] = [
    [undefined, '<unknown>'],
    ['2026-01-10T00:00:01Z', '0s'],
    ['2026-01-09T23:58:30Z', '90s'],
    ['2026-01-09T23:50:00Z', '10m'],
    ['2026-01-09T12:00:00Z', '12h'],
    ['2026-01-01T00:00:00Z', '9d'],
  ];
  for (const [timestamp, age] of table) {
    it(`of ${timestamp ?? 'nothing'} is ${age}`, () => {
      expect(ageOf(timestamp, now)).to.equal(age);
    });
  }
});

describe('objects for machines', () => {
  const objects = [{ kind: 'A' }, { kind: 'B' }];

  it('are a List, or the one that was asked for', () => {
    expect(JSON.parse(renderObjects(objects, 'json', false))).to.deep.equal({
      apiVersion: 'v1',
      kind: 'List',
      items: objects,
    });
    expect(renderObjects([{ kind: 'A' }], 'yaml', true)).to.equal('kind: A\n');
  });

  it('are documents one after the other when they are to be applied', () => {
    const documents = parseAllDocuments(renderManifests(objects, 'yaml'));
    expect(documents.map((document) => document.toJS() as unknown)).to.deep.equal(objects);
    expect(JSON.parse(renderManifests(objects, 'json'))).to.have.property('kind', 'List');
  });
});

describe('runSteps', () => {
  let err: string;
  let clock: FakeClock;

  beforeEach(() => {
    err = '';
    clock = new FakeClock();
  });

  function context(): Parameters<typeof runSteps>[0] {
    const write = (): Promise<void> => Promise.resolve();
    const terminal = { interactive: false, color: false, write, confirm: () => Promise.resolve(false) };
    return { clock, terminal: { ...terminal, out: () => undefined, err: (text: string) => void (err += text) } };
  }

  it('prints one line for each, with news in between', async () => {
    await runSteps(context(), [
      { title: 'First', run: () => Promise.resolve('done') },
      {
        title: 'Second',
        run: (report) => {
          for (const detail of ['a', 'a', 'b']) report(detail);
          return Promise.resolve(undefined);
        },
      },
    ]);
    expect(err).to.equal('ok   First: done (0.0s)\n...  Second: a\n...  Second: b\nok   Second (0.0s)\n');
  });

  it('ends with the first failure, which says in which step it was', async () => {
    const steps = [
      { title: 'Bad', run: () => Promise.reject(new CliError('broken', { cure: 'Mend it.', exitCode: 4 })) },
      { title: 'Never', run: () => Promise.resolve(undefined) },
    ];
    const error = await runSteps(context(), steps).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(CliError).and.include({ message: 'Bad: broken', cure: 'Mend it.', exitCode: 4 });
    expect(err).not.to.contain('Never');
  });
});

describe('waitUntil', () => {
  it('asks until it is there', async () => {
    const clock = new FakeClock();
    const answers = [{ pending: 'one' }, { pending: 'two' }, { found: 7 }];
    const told: string[] = [];
    const options = { clock, signal: new AbortController().signal, timeoutMs: 5_000 };
    const waiting = waitUntil(
      'it',
      () => Promise.resolve(answers.shift()!),
      (detail) => told.push(detail),
      options,
    );
    await clock.advance(2_000);
    expect(await waiting).to.equal(7);
    expect(told).to.deep.equal(['one', 'two']);
  });

  it('says in the end what was missing last, and what to do', async () => {
    const clock = new FakeClock();
    const options = { clock, signal: new AbortController().signal, timeoutMs: 1_000 };
    const probe = () => Promise.resolve({ pending: 'nobody there', cure: 'Look.' });
    const waiting = waitUntil('it', probe, () => undefined, options).catch((thrown: unknown) => thrown);
    await clock.advance(3_000);
    expect(await waiting).to.include({ message: 'it: not within 1 s; nobody there', cure: 'Look.', exitCode: 4 });
  });

  it('ends when the user has had enough', async () => {
    const stop = new AbortController();
    const options = { clock: new FakeClock(), signal: stop.signal, timeoutMs: 1_000 };
    const waiting = waitUntil(
      'it',
      () => Promise.resolve({ pending: 'no' }),
      () => stop.abort(new Error('enough')),
      options,
    );
    expect(await waiting.catch((thrown: unknown) => thrown)).to.have.property('message', 'enough');
  });
});
