import { expect } from 'chai';
import {
  booleanOption,
  choiceOption,
  choicesOption,
  durationOption,
  integerOption,
  listOption,
  optionNames,
  stringOption,
} from '../../../src/runtime/option-spec.js';
import {
  compileOptions,
  OptionsError,
  renderHelp,
  renderOptionsTable,
  type OptionSources,
  type OptionValues,
} from '../../../src/runtime/options.js';

const table = {
  kubeconfig: stringOption({ help: 'Kubeconfig of the host.' }),
  namespace: stringOption({ help: 'Own namespace.', default: 'kosmos-system' }),
  kubeApiQps: integerOption({ help: 'Requests per second.', default: 200, min: 1, max: 10_000 }),
  leaderElect: booleanOption({ help: 'Elect a leader.', default: true }),
  dryRun: booleanOption({ help: 'Write nothing.', default: false }),
  leaseDurationMs: durationOption({ help: 'Life of the lease.', default: 15_000, minMs: 1000 }),
  logLevel: choiceOption(['debug', 'info'], { help: 'Level of the log.', default: 'info' }),
  modules: choicesOption(['clustertree', 'clusterlink'], { help: 'What to run.', default: ['clustertree'] }),
  hostNames: listOption({ help: 'Names.', default: [] }),
};

type Values = OptionValues<typeof table>;

const defaults: Values = {
  kubeconfig: undefined,
  namespace: 'kosmos-system',
  kubeApiQps: 200,
  leaderElect: true,
  dryRun: false,
  leaseDurationMs: 15_000,
  logLevel: 'info',
  modules: ['clustertree'],
  hostNames: [],
};

function compile(sources: Partial<OptionSources> & { readonly file?: string } = {}): Values {
  return compileOptions(table, {
    flags: [],
    environment: {},
    readFile: (path) => {
      if (sources.file === undefined) throw new Error(`no such file ${path}`);
      return sources.file;
    },
    ...sources,
  });
}

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    expect(error).to.be.instanceOf(OptionsError).with.property('code', 'CONFIG_INVALID');
    return (error as OptionsError).problems;
  }
  return [];
}

describe('compileOptions', () => {
  it('gives every option its default and freezes the result', () => {
    const values = compile();
    expect(values).to.deep.equal(defaults);
    expect(values).to.be.frozen;
  });

  const flagCases: readonly (readonly [readonly string[], Partial<Values>])[] = [
    [['--kubeconfig', '/a', '--namespace=b'], { kubeconfig: '/a', namespace: 'b' }],
    [['--kube-api-qps', '5'], { kubeApiQps: 5 }],
    [['--dry-run', '--no-leader-elect'], { dryRun: true, leaderElect: false }],
    [['--dry-run=true', '--leader-elect=false'], { dryRun: true, leaderElect: false }],
    [['--lease-duration=1m30s'], { leaseDurationMs: 90_000 }],
    [['--log-level', 'debug'], { logLevel: 'debug' }],
    [['--modules', 'clustertree,clusterlink'], { modules: ['clustertree', 'clusterlink'] }],
    [['--host-names', 'a', '--host-names', 'b, c'], { hostNames: ['a', 'b', 'c'] }],
    [['--host-names', ''], { hostNames: [] }],
    [['--kube-api-qps', '5', '--kube-api-qps', '6'], { kubeApiQps: 6 }],
  ];
  for (const [flags, expected] of flagCases) {
    it(`reads flags ${flags.join(' ')}`, () => expect(compile({ flags })).to.deep.equal({ ...defaults, ...expected }));
  }

  it('reads the environment, where an empty variable counts as absent', () => {
    const environment = { KOSMOS_KUBE_API_QPS: '7', KOSMOS_LEASE_DURATION: '20s', KOSMOS_NAMESPACE: '', PATH: '/bin' };
    expect(compile({ environment })).to.deep.equal({ ...defaults, kubeApiQps: 7, leaseDurationMs: 20_000 });
  });

  it('reads the file that a flag or the environment names', () => {
    const file = 'kubeApiQps: 9\nleaseDuration: 1m\ndryRun: true\nmodules: [clusterlink]\nkubeconfig:\n';
    const expected = { ...defaults, kubeApiQps: 9, leaseDurationMs: 60_000, dryRun: true, modules: ['clusterlink'] };
    expect(compile({ flags: ['--config', 'c.yaml'], file })).to.deep.equal(expected);
    expect(compile({ environment: { KOSMOS_CONFIG: 'c.yaml' }, file })).to.deep.equal(expected);
    expect(compile({ flags: ['--config', 'c.yaml'], file: '' })).to.deep.equal(defaults);
  });

  it('prefers flags to environment to file', () => {
    const file = 'kubeApiQps: 1\nnamespace: file\nlogLevel: debug';
    const environment = { KOSMOS_CONFIG: 'c', KOSMOS_KUBE_API_QPS: '2', KOSMOS_NAMESPACE: 'env' };
    const { kubeApiQps, namespace, logLevel } = compile({ flags: ['--kube-api-qps=3'], environment, file });
    expect([kubeApiQps, namespace, logLevel]).to.deep.equal([3, 'env', 'debug']);
  });

  const problemCases: readonly (readonly [string, Partial<OptionSources> & { file?: string }, readonly string[]])[] = [
    ['an unknown flag', { flags: ['--kube-qps=5'] }, ['unknown flag --kube-qps']],
    ['an unknown short flag', { flags: ['-v'] }, ['unknown flag -v']],
    ['a negated flag that is unknown', { flags: ['--no-such'] }, ['unknown flag --no-such']],
    ['a negated flag that is not boolean', { flags: ['--no-namespace'] }, ['unknown flag --no-namespace']],
    ['a negated flag with a value', { flags: ['--no-dry-run=true'] }, ['--no-dry-run takes no value']],
    ['an argument', { flags: ['run'] }, ['unexpected argument "run"']],
    ['a flag without value', { flags: ['--namespace'] }, ['--namespace: a value is missing']],
    ['a flag in place of a value', { flags: ['--namespace', '--dry-run'] }, ['--namespace: a value is missing']],
    ['an empty text', { flags: ['--namespace='] }, ['--namespace: must not be empty']],
    ['a word for a number', { flags: ['--kube-api-qps=x'] }, ['--kube-api-qps: "x" is not a whole number, 1 to 10000']],
    ['a fraction', { flags: ['--kube-api-qps=1.5'] }, ['--kube-api-qps: "1.5" is not a whole number, 1 to 10000']],
    [
      'a negative number',
      { flags: ['--kube-api-qps', '-1'] },
      ['--kube-api-qps: "-1" is not a whole number, 1 to 10000'],
    ],
    ['a bad boolean', { environment: { KOSMOS_DRY_RUN: 'yes' } }, ['KOSMOS_DRY_RUN: "yes" is neither true nor false']],
    ['too short a time', { flags: ['--lease-duration=5ms'] }, ['--lease-duration: "5ms" is less than 1s']],
    ['an unknown word', { flags: ['--log-level=loud'] }, ['--log-level: "loud" is none of debug, info']],
    ['an unknown item', { flags: ['--modules=clustertree,x'] }, ['--modules: "x" is none of clustertree, clusterlink']],
    ['an unknown key', { flags: ['--config=c'], file: 'a: 1' }, ['c: unknown option "a"']],
    ['a map for a text', { flags: ['--config=c'], file: 'namespace: {a: 1}' }, ['c: namespace: must be a text']],
    ['a list as file', { flags: ['--config=c'], file: '- a' }, ['c: must be a map of options']],
    ['a missing file', { flags: ['--config=c'] }, ['c: no such file c']],
  ];
  for (const [what, sources, problems] of problemCases) {
    it(`refuses ${what}`, () => expect(problemsOf(() => compile(sources))).to.deep.equal(problems));
  }

  it('says what is wrong with a duration and with YAML', () => {
    expect(problemsOf(() => compile({ flags: ['--lease-duration=5'] }))[0]).to.contain('a unit is missing');
    expect(problemsOf(() => compile({ flags: ['--config=c'], file: 'a: [' }))[0]).to.match(/^c: /);
  });

  it('lists all problems of all sources in one error', () => {
    const sources = {
      flags: ['--config=c', '--what', '--kube-api-qps=0'],
      environment: { KOSMOS_LOG_LEVEL: 'x' },
      file: 'b: 1\ndryRun: 3',
    };
    const problems = problemsOf(() => compile(sources));
    expect(problems).to.have.length(5);
    expect(() => compile(sources)).to.throw(problems.join('\n- '));
  });

  it('asks for what is required', () => {
    const strict = { clusterName: stringOption({ help: 'x', required: true }) };
    const sources: OptionSources = { flags: [], environment: {}, readFile: () => '' };
    expect(problemsOf(() => compileOptions(strict, sources))).to.deep.equal([
      '--cluster-name (or KOSMOS_CLUSTER_NAME) is required',
    ]);
    const { clusterName } = compileOptions(strict, { ...sources, flags: ['--cluster-name=a'] });
    expect(clusterName.length).to.equal(1);
  });

  it('checks options against each other once each of them is right', () => {
    const check = ({ kubeApiQps }: Values): string[] => (kubeApiQps > 100 ? ['too fast'] : []);
    const run = (flags: string[]): readonly string[] =>
      problemsOf(() => compileOptions(table, { flags, environment: {}, readFile: () => '' }, check));
    expect(run([])).to.deep.equal(['too fast']);
    expect(run(['--kube-api-qps=5'])).to.deep.equal([]);
    expect(run(['--x'])).to.deep.equal(['unknown flag --x']);
  });
});

describe('optionNames', () => {
  it('derives flag, variable and key from the name of the value', () => {
    expect(optionNames('leaseDurationMs', table.leaseDurationMs)).to.deep.equal({
      flag: '--lease-duration',
      environment: 'KOSMOS_LEASE_DURATION',
      file: 'leaseDuration',
    });
  });
});

describe('renderOptionsTable', () => {
  it('has a row for each option, ordered by flag', () => {
    const rows = renderOptionsTable(table).trim().split('\n').slice(2);
    expect(rows).to.have.length(Object.keys(table).length);
    expect(rows[0]).to.equal(
      '| `--dry-run` | `KOSMOS_DRY_RUN` | `dryRun` | `true` or `false` | `false` | Write nothing. |',
    );
    expect(rows.find((row) => row.includes('--lease-duration'))).to.contain('| duration, at least 1s | `15s` |');
    expect(rows.find((row) => row.includes('--kubeconfig'))).to.contain('| none |');
  });
});

describe('renderHelp', () => {
  it('explains each flag on a line of its own', () => {
    const help = renderHelp('kosmos-manager [options]', table);
    expect(help).to.match(/^Usage: kosmos-manager \[options\]\n/);
    expect(help).to.match(/^ {2}--lease-duration DURATION +Life of the lease\. \(default: 15s\)$/m);
    expect(help).to.match(/^ {2}--dry-run +Write nothing\. \(default: false\)$/m);
    expect(help).to.match(/^ {2}--config FILE/m);
  });
});
