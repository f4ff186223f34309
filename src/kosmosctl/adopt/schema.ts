/** An OpenAPI schema as CRDs have it, as far as it matters here. */
export interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
}

/** Fields that every object has, whatever its schema says. */
const COMMON = new Set(['apiVersion', 'kind', 'metadata']);

/** Paths of the fields that an API server takes out of an object because the schema doesn't know them. */
export function prunedFields(object: object, schema: Schema): readonly string[] {
  return Object.entries(object)
    .filter(([key]) => !COMMON.has(key))
    .flatMap(([key, value]) => pruned(key, value, schema.properties?.[key]));
}

function pruned(path: string, value: unknown, schema: Schema | undefined): readonly string[] {
  if (schema === undefined) return [path];
  if (Array.isArray(value)) {
    return [...new Set(value.flatMap((item: unknown) => pruned(`${path}[]`, item, schema.items ?? {})))];
  }
  if (typeof value !== 'object' || value === null || schema['x-kubernetes-preserve-unknown-fields'] === true) return [];
  const { properties, additionalProperties } = schema;
  if (additionalProperties === true) return [];
  const others = additionalProperties === false ? undefined : additionalProperties;
  return Object.entries(value).flatMap(([key, field]) => pruned(`${path}.${key}`, field, properties?.[key] ?? others));
}
