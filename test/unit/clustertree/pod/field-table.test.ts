import { expect } from 'chai';
import { readPodSpecFields } from '../../../../hack/generate/documents.js';
import { type Field, fieldsOf } from '../../../../hack/generate/pod-spec-fields.js';
import type { PodSpec } from '../../../../src/apis/core.js';
import { podReferences } from '../../../../src/clustertree/cluster/pod-references.js';
import { FIELD_TABLE, type FieldRule, fieldRule } from '../../../../src/clustertree/pod/field-table.js';
import { NEED_REASONS } from '../../../../src/clustertree/pod/needs.js';
import { type Translation, translatePod } from '../../../../src/clustertree/pod/translate.js';
import { asJson, CONTEXT, hostPod } from '../../../support/pods.js';

const EXTRACT = readPodSpecFields();
const FIELDS = fieldsOf(EXTRACT);
/** Fields that hold a value themselves. */
const LEAVES = FIELDS.filter(({ type }) => EXTRACT.types[type] === undefined);

function treatment(field: Field): string {
  return fieldRule(field.path)?.treatment ?? 'none';
}

function sample(type: string): unknown {
  return type === 'integer' ? 7 : type === 'boolean' ? false : type === 'object' ? {} : 'x';
}

/** A spec that has nothing but this field; lists have one element, maps the key `k`. */
function specWith(field: Field): PodSpec {
  const spec: Record<string, unknown> = {};
  const segments = field.path.split('.');
  let target = spec;
  segments.forEach((segment, index) => {
    const name = segment.replace(/\[\]|\{\}/g, '');
    const isLast = index === segments.length - 1;
    const value: unknown = isLast ? sample(field.type) : {};
    target[name] = segment.endsWith('[]') ? [value] : segment.endsWith('{}') ? { k: value } : value;
    target = value as Record<string, unknown>;
  });
  return named({ containers: [], ...spec });
}

/** Containers and volumes have names on a real API server. */
function named(spec: Record<string, unknown>): PodSpec {
  for (const list of ['containers', 'initContainers', 'ephemeralContainers', 'volumes']) {
    const items = spec[list];
    if (Array.isArray(items)) spec[list] = items.map((item: object) => ({ name: 'x', ...item }));
  }
  return spec as unknown as PodSpec;
}

function valueAt(root: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, segment) => {
    const member = (value as Record<string, unknown> | undefined)?.[segment.replace(/\[\]|\{\}/g, '')];
    if (segment.endsWith('[]')) return (member as unknown[] | undefined)?.[0];
    return segment.endsWith('{}') ? (member as Record<string, unknown> | undefined)?.['k'] : member;
  }, root);
}

function translate(field: Field): Translation {
  return translatePod(hostPod({ spec: specWith(field) }), CONTEXT);
}

describe('the field table', () => {
  it('classifies every field of the API', () => {
    expect(FIELDS.filter((field) => treatment(field) === 'none').map(({ path }) => path)).to.deep.equal([]);
  });

  it('has no line for a field that the API does not have', () => {
    const known = new Set(FIELDS.map(({ path }) => path));
    expect(FIELD_TABLE.filter(({ path }) => !known.has(path)).map(({ path }) => path)).to.deep.equal([]);
  });

  it('has one line for each field', () => {
    expect(new Set(FIELD_TABLE.map(({ path }) => path)).size).to.equal(FIELD_TABLE.length);
  });

  it('gives a reason for everything that is not copied', () => {
    expect(FIELD_TABLE.filter((rule) => rule.treatment !== 'copied' && rule.why === '')).to.deep.equal([]);
  });

  it('lets no reference to a ConfigMap or a Secret travel that the walk of a pod does not find', () => {
    const parents = 'secret|secretRef|configMap|configMapRef|configMapKeyRef|secretKeyRef|nodePublishSecretRef';
    const reference = new RegExp(
      `(\\.(${parents})\\.(name|secretName)|azureFile\\.secretName|imagePullSecrets\\[\\]\\.name)$`,
    );
    const fields = LEAVES.filter(({ path }) => reference.test(path));
    expect(fields.length).to.be.greaterThan(20);
    for (const field of fields) {
      const { configMaps, secrets } = podReferences(hostPod({ spec: specWith(field) }));
      const [found, others] = /configMap/i.test(field.path) ? [configMaps, secrets] : [secrets, configMaps];
      expect(
        found.map(({ name }) => name),
        field.path,
      ).to.deep.equal(['x']);
      expect(others, field.path).to.be.empty;
    }
  });

  it('notices a new field where fields are classified one by one', () => {
    const places = ['fieldOf2030', 'containers[].fieldOf2030', 'volumes[].fieldOf2030', 'affinity.fieldOf2030'];
    expect(places.map(fieldRule)).to.deep.equal(places.map(() => undefined));
    const below: Partial<FieldRule> = { path: 'containers[].securityContext', treatment: 'copied' };
    expect(fieldRule('containers[].securityContext.fieldOf2030')).to.include(below);
  });
});

describe('translatePod, compared with the field table', () => {
  const of = (wanted: string): Field[] => LEAVES.filter((field) => treatment(field) === wanted);

  it(`copies all copied fields`, () => {
    const copied = of('copied');
    expect(copied.length).to.be.greaterThan(400);
    for (const field of copied) {
      const translation = translate(field);
      expect(translation.kind, field.path).to.equal('pod');
      const wanted = translation.kind === 'pod' ? asJson(translation.wanted.spec) : undefined;
      expect(valueAt(wanted, field.path), field.path).to.deep.equal(sample(field.type));
    }
  });

  it('drops all dropped fields', () => {
    const dropped = of('dropped');
    expect(dropped).not.to.be.empty;
    for (const field of dropped) {
      const translation = translate(field);
      expect(translation.kind, field.path).to.equal('pod');
      const wanted = translation.kind === 'pod' ? asJson(translation.wanted.spec) : undefined;
      expect(valueAt(wanted, field.path), field.path).to.be.undefined;
    }
  });

  it('refuses all refused fields, and leaves a debug container out that has one', () => {
    const refused = of('refused');
    expect(refused.length).to.be.greaterThan(20);
    for (const field of refused) {
      const translation = translate(field);
      const found =
        translation.kind === 'refused'
          ? translation.reasons.map(({ reason }) => reason)
          : translation.kind === 'pod'
            ? translation.dropped.map(({ event }) => event)
            : [];
      expect(translation.kind, field.path).to.equal(field.path.startsWith('ephemeral') ? 'pod' : 'refused');
      expect(found[0], field.path).to.be.oneOf([...NEED_REASONS]);
    }
  });
});
