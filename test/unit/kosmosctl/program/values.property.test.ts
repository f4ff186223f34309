import { expect } from 'chai';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { DEFAULT_VALUES, valueProblems } from '../../../../src/kosmosctl/manifests/values.js';
import { CliError, EXIT } from '../../../../src/kosmosctl/failure.js';
import { mergeValues } from '../../../../src/kosmosctl/program/values.js';

/** Paths of all values that are no maps, with their types. */
const LEAVES: readonly (readonly [path: string, type: string])[] = Object.entries(DEFAULT_VALUES).flatMap(
  ([key, value]: [string, unknown]) =>
    key === 'image' || key === 'kubelet'
      ? Object.entries(value as object).map(([name, inner]) => [`${key}.${name}`, typeof inner] as const)
      : [[key, typeof value] as const],
);

const SIMPLE = LEAVES.filter(([, type]) => type !== 'object');

function at(values: object, path: string): unknown {
  return path.split('.').reduce<unknown>((found, key) => (found as Record<string, unknown>)[key], values);
}

function valueFor(type: string): fc.Arbitrary<string | number | boolean> {
  if (type === 'number') return fc.integer();
  return type === 'boolean' ? fc.boolean() : fc.stringMatching(/^[a-z][a-z0-9./-]{0,20}$/);
}

const setting = fc
  .constantFrom(...SIMPLE)
  .chain(([path, type]) => valueFor(type).map((value) => ({ path, value })))
  .filter(({ value }) => !['null', 'true', 'false', 'yes', 'no'].includes(String(value)) || typeof value === 'boolean');

/** What it throws; fails when it throws nothing. */
function refusal(action: () => unknown): CliError {
  try {
    action();
  } catch (error) {
    expect(error).to.be.instanceOf(CliError);
    return error as CliError;
  }
  throw new Error('nothing was thrown');
}

describe('settings of an installation', () => {
  it('are taken as they are given, and change nothing else', () => {
    fc.assert(
      fc.property(setting, ({ path, value }) => {
        const values = mergeValues(undefined, [`${path}=${JSON.stringify(value)}`]);
        expect(at(values, path)).to.equal(value);
        for (const [other] of LEAVES)
          if (other !== path) expect(at(values, other)).to.deep.equal(at(DEFAULT_VALUES, other));
      }),
    );
  });

  it('mean the same in a file', () => {
    fc.assert(
      fc.property(fc.uniqueArray(setting, { selector: ({ path }) => path, maxLength: 5 }), (settings) => {
        const tree: Record<string, unknown> = {};
        for (const { path, value } of settings) {
          const [first = '', second] = path.split('.');
          tree[first] = second === undefined ? value : { ...(tree[first] as object | undefined), [second]: value };
        }
        const single = settings.map(({ path, value }) => `${path}=${JSON.stringify(value)}`);
        expect(mergeValues(stringify(tree), [])).to.deep.equal(mergeValues(undefined, single));
      }),
    );
  });

  it('win over those before them', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.integer(), (file, first, second) => {
        expect(mergeValues(`replicas: ${file}`, [`replicas=${first}`, `replicas=${second}`]).replicas).to.equal(second);
      }),
    );
  });

  it('never change the defaults themselves', () => {
    const before = structuredClone(DEFAULT_VALUES);
    mergeValues('kubelet: {ports: 3}\nimage: {tag: x}', ['kubelet.firstPort=1', 'tolerations=[]']);
    expect(DEFAULT_VALUES).to.deep.equal(before);
  });

  it('may have any value that holds an equals sign', () => {
    expect(mergeValues(undefined, ['logLevel=a=b=c']).logLevel).to.equal('a=b=c');
  });

  const inherited = ['constructor', 'toString', 'hasOwnProperty', '__proto__', 'valueOf', '__defineGetter__'];
  for (const name of inherited) {
    for (const path of [name, `kubelet.${name}`, `${name}.x`, `image.${name}.y`]) {
      it(`${path} is no value, though every object has such a member`, () => {
        const error = refusal(() => mergeValues(undefined, [`${path}=1`]));
        expect(error.message).to.match(/^there is no value /);
        expect(error.exitCode).to.equal(EXIT.usage);
        expect(refusal(() => mergeValues(`{"${name}": 1}`, [])).message).to.equal(`there is no value ${name}`);
      });
    }
  }

  it('are refused by name when there is no such value, whatever it is called', () => {
    const known = new Set(Object.keys(DEFAULT_VALUES));
    const unknown = fc.stringMatching(/^[A-Za-z_$][\w$-]{0,30}$/).filter((name) => !known.has(name));
    fc.assert(
      fc.property(unknown, fc.integer(), (name, value) => {
        expect(refusal(() => mergeValues(undefined, [`${name}=${value}`])).message).to.equal(
          `there is no value ${name}`,
        );
      }),
    );
  });

  it('end the command with a code of their own, or are good, whatever is typed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string(), { maxLength: 3 }),
        fc.option(fc.string(), { nil: undefined }),
        (settings, file) => {
          try {
            expect(valueProblems(mergeValues(file, settings))).to.be.an('array');
          } catch (error) {
            expect(error).to.be.instanceOf(CliError).with.property('exitCode', EXIT.usage);
          }
        },
      ),
    );
  });

  for (const text of ['[]', '- a', 'word', '3', 'true']) {
    it(`can not be ${text}`, () => {
      expect(refusal(() => mergeValues(text, [])).message).to.equal('the values: must be a map');
    });
  }
});

describe('valueProblems of what the manager would not start with', () => {
  const table: readonly (readonly [setting: string, problem: string | undefined])[] = [
    ['logLevel=debug', undefined],
    ['logLevel=loud', 'logLevel: must be one of debug, info, warn, error'],
    ['image.pullPolicy=Always', undefined],
    ['image.pullPolicy=Sometimes', 'image.pullPolicy: must be one of Always, IfNotPresent, Never'],
    ['kubelet.servingCertificates=self-signed', undefined],
    ['kubelet.servingCertificates=none', 'kubelet.servingCertificates: must be one of csr, self-signed'],
    ['hostApiServer=api.example:6443', undefined],
    ['hostApiServer="[fd00::1]:6443"', undefined],
    ['hostApiServer=192.0.2.1:443', undefined],
    ['hostApiServer=fd00::1:6443', 'hostApiServer: "fd00::1:6443" is not host:port'],
    ['hostApiServer=https://api.example:6443', 'hostApiServer: "https://api.example:6443" is not host:port'],
    ['hostApiServer=api.example:70000', 'hostApiServer: "api.example:70000" is not host:port'],
    ['hostApiServer=api.example:0', 'hostApiServer: "api.example:0" is not host:port'],
    ['kubelet.firstPort=0', 'kubelet.firstPort: the ports must lie between 1 and 65535'],
    ['kubelet.firstPort=65472', undefined],
    ['kubelet.firstPort=65473', 'kubelet.firstPort: the ports must lie between 1 and 65535'],
    ['kubelet.ports=0', 'kubelet.ports: must be a whole number from 1 to 100'],
    ['kubelet.ports=2.5', 'kubelet.ports: must be a whole number from 1 to 100'],
    ['replicas=.inf', 'replicas: must be a whole number from 1 on'],
    ['image.repository=""', 'image.repository: "" is not registry/repository without a tag'],
    ['image.repository=UPPER/kosmos', 'image.repository: "UPPER/kosmos" is not registry/repository without a tag'],
    ['image.repository=r.example:5000/a-b/c__d/kosmos', undefined],
    [`image.tag=${'t'.repeat(128)}`, undefined],
    [`image.tag=${'t'.repeat(129)}`, `image.tag: "${'t'.repeat(129)}" is not a tag`],
  ];
  for (const [text, problem] of table) {
    it(`${problem === undefined ? 'accepts' : 'refuses'} ${text.slice(0, 60)}`, () => {
      expect(valueProblems(mergeValues(undefined, [text]))).to.deep.equal(problem === undefined ? [] : [problem]);
    });
  }
});
