import { expect } from 'chai';
import { FederationError } from '../../../src/lib/errors.js';
import { redact, REDACTED, redactText } from '../../../src/lib/redact.js';

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';
const PEM = '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----';

describe('redactText', () => {
  for (const [text, expected] of [
    ['pod default/web created', 'pod default/web created'],
    [`header Authorization: Bearer ${JWT}`, `header Authorization: Bearer ${REDACTED}`],
    ['Basic dXNlcjpwYXNz rest', `Basic ${REDACTED} rest`],
    [`token ${JWT} was refused`, `token ${REDACTED} was refused`],
    [`key: ${PEM}\nnext`, `key: ${REDACTED}\nnext`],
    ['cut -----BEGIN PRIVATE KEY-----\nMHcC', `cut ${REDACTED}`],
    ['https://user:hunter2@proxy:8080/x', `https://user:${REDACTED}@proxy:8080/x`],
    ['https://proxy:8080/x', 'https://proxy:8080/x'],
    ['Bearer of news', 'Bearer of news'],
  ] as const) {
    it(`makes "${expected.slice(0, 50)}"`, () => expect(redactText(text)).to.equal(expected));
  }
});

describe('redact', () => {
  for (const key of [
    'token',
    'bearerToken',
    'password',
    'kubeconfig',
    'authorization',
    'Authorization',
    'client-key-data',
    'clientKeyData',
    'privateKey',
    'private_key',
    'stringData',
    'Set-Cookie',
  ]) {
    it(`censors the value of ${key}, however deep and of whatever type`, () => {
      expect(redact({ a: [{ [key]: 'hunter2' }], [key]: { value: 1 } })).to.deep.equal({
        a: [{ [key]: REDACTED }],
        [key]: REDACTED,
      });
    });
  }

  it('keeps what only sounds similar, and values that are absent', () => {
    const fields = { secret: 'default/db', tokens: 3, keyCount: 2, monkey: 'x', password: null, token: undefined };
    expect(redact(fields)).to.deep.equal(fields);
  });

  it('censors the data of a Secret but not of a ConfigMap', () => {
    const metadata = { name: 'a' };
    expect(redact({ kind: 'Secret', metadata, data: { a: 'aGk=' } })).to.deep.equal({
      kind: 'Secret',
      metadata,
      data: REDACTED,
    });
    expect(redact({ kind: 'ConfigMap', data: { a: 'b' } })).to.deep.equal({ kind: 'ConfigMap', data: { a: 'b' } });
  });

  it('honours the toJSON of a type that redacts itself', () => {
    class Credential {
      readonly value = 'hunter2';
      toJSON(): unknown {
        return { kind: 'credential', token: 'x' };
      }
    }
    expect(redact({ user: new Credential() })).to.deep.equal({ user: { kind: 'credential', token: REDACTED } });
  });

  it('makes messages with causes of errors, with a stack only for those that nobody foresaw', () => {
    const cause = new Error(`refused ${JWT}`);
    expect(redact(new FederationError('API_UNREACHABLE', 'broken', { cause }))).to.deep.equal({
      name: 'FederationError',
      code: 'API_UNREACHABLE',
      message: `broken: refused ${REDACTED}`,
    });
    const plain = redact(cause) as { stack: string };
    expect(plain.stack).to.contain('redact.test').and.not.contain(JWT);
  });

  it('copes with cycles, functions, buffers, maps and big numbers', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(JSON.stringify(redact(cycle))).to.contain('[too deep]');
    expect(redact([() => 1, Buffer.from('abc'), 10n, new Map([['a', 1]]), null, true])).to.deep.equal([
      '[function]',
      '[3 bytes]',
      '10',
      [['a', 1]],
      null,
      true,
    ]);
  });
});
