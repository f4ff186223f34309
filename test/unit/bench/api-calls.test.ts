import { expect } from 'chai';
import { callsOfAll, callsOfUser, flowSchemas } from '../../../hack/bench/api-calls.js';

interface Schema {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly matchingPrecedence: number;
    readonly rules: readonly {
      readonly subjects: readonly { readonly user: { readonly name: string } }[];
      readonly resourceRules: readonly { readonly verbs: string[]; readonly resources: string[] }[];
    }[];
  };
}

const schemas = flowSchemas('someone') as Schema[];
const METRIC = 'apiserver_flowcontrol_dispatched_requests_total';

describe('flowSchemas', () => {
  it('are for that user only', () => {
    const names = schemas.flatMap(({ spec }) =>
      spec.rules.flatMap(({ subjects }) => subjects.map((one) => one.user.name)),
    );
    expect(new Set(names)).to.deep.equal(new Set(['someone']));
  });

  it('have names and precedences of their own, before the API server’s own ones', () => {
    expect(new Set(schemas.map(({ metadata }) => metadata.name)).size).to.equal(schemas.length);
    expect(new Set(schemas.map(({ spec }) => spec.matchingPrecedence)).size).to.equal(schemas.length);
    expect(schemas.every(({ spec }) => spec.matchingPrecedence < 100)).to.equal(true);
  });

  it('end with one that takes whatever is left', () => {
    const last = schemas.toSorted((one, other) => one.spec.matchingPrecedence - other.spec.matchingPrecedence).at(-1);
    expect(last?.spec.rules[0]?.resourceRules[0]).to.deep.include({ verbs: ['*'], resources: ['*'] });
  });

  it('tell each of the calls of the budget apart', () => {
    const calls = schemas.flatMap(({ spec }) =>
      spec.rules.flatMap((rule) =>
        rule.resourceRules.map(({ verbs, resources }) => `${verbs.join()} ${resources.join()}`),
      ),
    );
    expect(calls).to.include.members(['create pods', 'delete pods', 'get pods', 'list pods', 'patch pods/status']);
  });

  it('are found again in the metrics, every one', () => {
    const text = schemas
      .map(({ metadata }, index) => `${METRIC}{flow_schema="${metadata.name}",priority_level="x"} ${index + 1}`)
      .join('\n');
    const counted = Object.values(callsOfUser(text));
    expect(counted).to.deep.equal(schemas.map((_schema, index) => index + 1));
  });
});

describe('callsOfUser', () => {
  it('names calls by verb and resource, and the rest other', () => {
    const text = [
      `${METRIC}{flow_schema="bench-patch-pods-status",priority_level="workload-high"} 3`,
      `${METRIC}{flow_schema="bench-create-pods",priority_level="workload-high"} 2`,
      `${METRIC}{flow_schema="bench-other",priority_level="workload-high"} 5`,
      `${METRIC}{flow_schema="service-accounts",priority_level="workload-low"} 70`,
    ].join('\n');
    expect(callsOfUser(text)).to.deep.equal({ 'patch pods/status': 3, 'create pods': 2, other: 5 });
  });
});

describe('callsOfAll', () => {
  it('counts calls for pods, with their subresources and without watches', () => {
    const line = (verb: string, resource: string, subresource: string, value: number): string =>
      `apiserver_request_total{code="200",resource="${resource}",subresource="${subresource}",verb="${verb}"} ${value}`;
    const text = [
      line('POST', 'pods', '', 4),
      line('POST', 'pods', 'binding', 5),
      line('PATCH', 'pods', 'status', 6),
      line('WATCH', 'pods', '', 7),
      line('POST', 'events', '', 8),
    ].join('\n');
    expect(callsOfAll(text)).to.deep.equal({ 'POST pods': 4, 'POST pods/binding': 5, 'PATCH pods/status': 6 });
  });
});
