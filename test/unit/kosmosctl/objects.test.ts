import { expect } from 'chai';
import { ApiError } from '../../../src/kube/api-error.js';
import { namespaces, secrets } from '../../../src/kube/resource.js';
import { isAllowed } from '../../../src/kosmosctl/access-review.js';
import { CliError, EXIT, usageError } from '../../../src/kosmosctl/failure.js';
import { conditionOf, isReady, labelOf, nameOf, shown } from '../../../src/kosmosctl/fields.js';
import {
  applyObject,
  clusterRoles,
  deleteObject,
  deployments,
  findObject,
  listIfServed,
  nameOfObject,
  refOf,
  resourceTypeOf,
} from '../../../src/kosmosctl/objects.js';
import { waitUntil } from '../../../src/kosmosctl/wait.js';
import { FakeKubeClient } from '../../support/fake-kube-client.js';
import { HastyClock } from '../../support/hasty-clock.js';

const signal = new AbortController().signal;
const failing = (code: number, reason: string): ApiError => new ApiError({ code, reason, message: 'no' });

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('objects of the command line', () => {
  let client: FakeKubeClient;

  beforeEach(() => {
    client = new FakeKubeClient();
  });

  describe('findObject', () => {
    it('is undefined for one that is not there, and for a kind that is not served', async () => {
      expect(await findObject(client, secrets, { namespace: 'a', name: 'b' }, signal)).to.equal(undefined);
      client.fail({ error: new ApiError({ message: '404 page not found' }, { statusCode: 404 }) });
      expect(await findObject(client, deployments, { namespace: 'a', name: 'b' }, signal)).to.equal(undefined);
    });

    for (const [code, reason] of [
      [401, 'Unauthorized'],
      [403, 'Forbidden'],
      [409, 'Conflict'],
      [500, 'InternalError'],
    ] as const) {
      it(`never takes ${code} for an object that is not there`, async () => {
        const ref = { name: 'a' };
        for (const action of [
          () => findObject(client, namespaces, ref, signal),
          () => deleteObject(client, clusterRoles, ref, signal),
          () => listIfServed(client, clusterRoles, { signal }),
        ]) {
          const error = failing(code, reason);
          client.fail({ error });
          expect(await failureOf(action())).to.equal(error);
        }
      });
    }
  });

  describe('deleteObject', () => {
    it('tells whether there was one, and takes with it what belongs to it', async () => {
      client.seed(clusterRoles, { metadata: { name: 'a' } });
      expect(await deleteObject(client, clusterRoles, { name: 'a' }, signal)).to.equal(true);
      expect(await deleteObject(client, clusterRoles, { name: 'a' }, signal)).to.equal(false);
      const [call] = client.callsOf({ verb: 'delete' });
      expect(call?.options).to.include({ propagationPolicy: 'Background' });
    });
  });

  describe('applyObject', () => {
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'a' } };

    it('makes the object, and then changes nothing', async () => {
      const made = await applyObject(client, role, { signal });
      const again = await applyObject(client, role, { signal });
      expect(again.metadata).to.deep.equal(made.metadata);
    });

    it('wins over others, as the field manager that it is told', async () => {
      await applyObject(client, role, { signal });
      await applyObject(client, role, { signal, fieldManager: 'another' });
      const options = client.callsOf({ verb: 'patch' }).map(({ options: given }) => given);
      expect(options[0]).to.include({
        type: 'apply',
        force: true,
        fieldManager: 'kosmosctl',
        fieldValidation: 'Strict',
      });
      expect(options[1]).to.include({ fieldManager: 'another' });
    });

    it('refuses a kind that it does not know', () => {
      for (const manifest of [
        { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } },
        { apiVersion: 'extensions/v1beta1', kind: 'Deployment', metadata: { name: 'a' } },
        { metadata: { name: 'a' } },
      ])
        expect(() => resourceTypeOf(manifest)).to.throw(CliError, 'there is no way to apply a');
    });
  });

  it('are named with their namespace, where they have one', () => {
    expect(nameOfObject({ kind: 'Secret', metadata: { namespace: 'a', name: 'b' } })).to.equal('Secret a/b');
    expect(nameOfObject({ kind: 'ClusterRole', metadata: { name: 'b' } })).to.equal('ClusterRole b');
    expect(refOf({})).to.deep.equal({ namespace: undefined, name: '' });
  });
});

describe('isAllowed', () => {
  const right = { group: '', resource: 'pods', verb: 'create', namespace: 'a' };
  for (const [status, allowed] of [
    [{ allowed: true }, true],
    [{ allowed: false }, false],
    [{}, false],
    [undefined, false],
  ] as const) {
    it(`is ${allowed} when the API server answers ${status === undefined ? 'without status' : JSON.stringify(status)}`, async () => {
      const client = new FakeKubeClient();
      client.create = (_type, review) => Promise.resolve({ ...review, status });
      expect(await isAllowed(client, right, signal)).to.equal(allowed);
    });
  }

  it('asks for exactly this right', async () => {
    const client = new FakeKubeClient();
    await isAllowed(client, right, signal);
    expect(client.calls[0]?.body).to.deep.include({ spec: { resourceAttributes: right } });
  });
});

describe('fields of objects for people', () => {
  it('are empty for what is not known', () => {
    expect([shown(undefined), shown(undefined, '?'), shown(0), shown('')]).to.deep.equal(['', '?', '0', '']);
    expect([nameOf(undefined), nameOf({}), labelOf(undefined, 'a'), labelOf({ metadata: {} }, 'a')]).to.deep.equal([
      ...['', '', undefined, undefined],
    ]);
  });

  it('find a condition by its type alone', () => {
    const conditions = [
      { type: 'Other', status: 'True' },
      { type: 'Ready', status: 'Unknown' },
    ];
    expect(conditionOf({ status: { conditions } }, 'Ready')).to.equal(conditions[1]);
    for (const object of [undefined, {}, { status: {} }, { status: { conditions: [] } }])
      expect([conditionOf(object, 'Ready'), isReady(object)]).to.deep.equal([undefined, false]);
  });

  for (const status of ['True', 'False', 'Unknown', 'true', '']) {
    it(`are ${status === 'True' ? '' : 'not '}ready with "${status}"`, () => {
      expect(isReady({ status: { conditions: [{ type: 'Ready', status }] } })).to.equal(status === 'True');
    });
  }
});

describe('CliError', () => {
  it('is a failure unless it says otherwise', () => {
    expect(new CliError('x')).to.include({ name: 'CliError', exitCode: EXIT.failed, cure: undefined });
    expect(usageError('x', 'y')).to.include({ exitCode: EXIT.usage, cure: 'y' });
  });

  it('has the cause that it was given, also when that is nothing', () => {
    expect(new CliError('x')).not.to.have.own.property('cause');
    expect(new CliError('x', { cause: undefined })).to.have.own.property('cause', undefined);
  });
});

describe('waitUntil', () => {
  const options = (clock: HastyClock, timeoutMs: number, intervalMs?: number): Parameters<typeof waitUntil>[3] => ({
    ...{ clock, signal, timeoutMs },
    ...(intervalMs !== undefined && { intervalMs }),
  });

  it('asks once more when the time is just over, and never after that', async () => {
    const clock = new HastyClock();
    let asked = 0;
    const probe = () => Promise.resolve({ pending: `asked ${(asked += 1)}` });
    const error = await failureOf(waitUntil('it', probe, () => undefined, options(clock, 1_000, 250)));
    expect(error).to.have.property('message', 'it: not within 1 s; asked 5');
    expect(clock.slept).to.equal(1_000);
  });

  it('asks at least once, even without any time', async () => {
    const clock = new HastyClock();
    expect(
      await waitUntil(
        'it',
        () => Promise.resolve({ found: 'x' }),
        () => undefined,
        options(clock, 0),
      ),
    ).to.equal('x');
    expect(clock.slept).to.equal(0);
  });

  it('takes what is found for found, whatever it is', async () => {
    for (const found of [undefined, null, false, 0, '']) {
      const probe = () => Promise.resolve({ found });
      expect(await waitUntil('it', probe, () => undefined, options(new HastyClock(), 0))).to.equal(found);
    }
  });

  it('ends with the error of the probe, and does not ask again', async () => {
    let asked = 0;
    const error = failing(403, 'Forbidden');
    const probe = (): Promise<never> => {
      asked += 1;
      return Promise.reject(error);
    };
    expect(await failureOf(waitUntil('it', probe, () => undefined, options(new HastyClock(), 9_000)))).to.equal(error);
    expect(asked).to.equal(1);
  });

  it('does not ask at all once the user has had enough', async () => {
    let asked = 0;
    const probe = () => Promise.resolve({ found: (asked += 1) });
    const stopped = { ...options(new HastyClock(), 1_000), signal: AbortSignal.abort(new Error('enough')) };
    expect(await failureOf(waitUntil('it', probe, () => undefined, stopped))).to.have.property('message', 'enough');
    expect(asked).to.equal(0);
  });

  it('has no cure when the probe knows none', async () => {
    const probe = () => Promise.resolve({ pending: 'no', cure: undefined });
    const error = await failureOf(waitUntil('it', probe, () => undefined, options(new HastyClock(), 0)));
    expect(error).to.include({ cure: undefined, exitCode: EXIT.timedOut });
  });
});
