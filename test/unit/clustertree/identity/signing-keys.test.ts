import { expect } from 'chai';
import { SigningKeys } from '../../../../src/clustertree/identity/signing-keys.js';
import { apiError, MemberHarness } from '../../../support/member-harness.js';

describe('SigningKeys', () => {
  let harness: MemberHarness;
  let keys: SigningKeys;
  let changes: number;
  let stopListening: () => void;

  beforeEach(async () => {
    harness = new MemberHarness();
    changes = 0;
    serve('https://issuer', ['a', 'b']);
    const { host, clock, logger } = harness;
    keys = new SigningKeys({ host, clock, logger });
    stopListening = keys.onChange(() => {
      changes += 1;
    });
    harness.track(keys.run(harness.signal));
    await pass(0);
  });

  afterEach(() => harness.end());

  function serve(issuer: string, kids: string[]): void {
    harness.host.paths.set('/.well-known/openid-configuration', JSON.stringify({ issuer }));
    harness.host.paths.set('/openid/v1/jwks', JSON.stringify({ keys: kids.map((kid) => ({ kid })) }));
  }

  async function pass(ms: number): Promise<void> {
    await harness.clock.advance(ms);
    await harness.settle(2);
  }

  it('knows them after the first look', () => {
    expect(keys.digest).to.match(/^[0-9a-f]{16}$/);
    expect(changes).to.equal(1);
  });

  for (const [what, issuer, kids] of [
    ['another key', 'https://issuer', ['a', 'c']],
    ['one key more', 'https://issuer', ['a', 'b', 'c']],
    ['another issuer', 'https://other', ['a', 'b']],
  ] as const) {
    it(`notices ${what}, once it is sure`, async () => {
      const before = keys.digest;
      serve(issuer, [...kids]);
      await pass(30_000);
      expect(keys.digest).to.equal(before);
      await pass(10_000);
      expect(keys.digest).to.not.equal(before);
      expect(changes).to.equal(2);
    });
  }

  it('minds neither the order of keys nor servers that disagree for a while', async () => {
    const before = keys.digest;
    serve('https://issuer', ['b', 'a']);
    await pass(60_000);
    for (let i = 0; i < 3; i += 1) {
      serve('https://issuer', ['a', 'c']);
      await pass(30_000);
      serve('https://issuer', ['a', 'b']);
      await pass(10_000);
    }
    expect([keys.digest, changes]).to.deep.equal([before, 1]);
  });

  it('keeps what it knows while the host does not answer, and goes on', async () => {
    const before = keys.digest;
    harness.host.fail({ verb: 'getPath', error: apiError(503, 'ServiceUnavailable') });
    await pass(30_000);
    expect(keys.digest).to.equal(before);
    expect(harness.logs.map(({ level }) => level)).to.deep.equal(['warn']);
    serve('https://issuer', ['c']);
    await pass(60_000);
    expect(keys.digest).to.not.equal(before);
  });

  it('takes a host that keeps them to itself for what it is', async () => {
    harness.host.fail({ verb: 'getPath', error: apiError(403, 'Forbidden') });
    await pass(30_000);
    expect(harness.logs.map(({ level }) => level)).to.deep.equal(['debug']);
  });

  it('survives a page that is no discovery document', async () => {
    harness.host.paths.set('/openid/v1/jwks', '<html>');
    await pass(30_000);
    expect(keys.digest).to.match(/^[0-9a-f]{16}$/);
  });

  it('tells nobody who no longer listens', async () => {
    stopListening();
    serve('https://issuer', ['c']);
    await pass(60_000);
    expect(changes).to.equal(1);
  });
});
