/**
 * The fields of a pod's spec, taken from an API server's OpenAPI document: for each type its fields with their types.
 * A type is `[]T`, `{}T` (a map), the name of another type of the extract, or a JSON type (`Quantity` and the like are
 * `string`). Small enough to be kept in the repository, so that tests need no Kubernetes sources.
 */
export interface FieldExtract {
  /** Version of the API server, for instance `v1.36.3`. */
  readonly kubernetes: string;
  readonly types: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** One field of the spec; `path` as in the field table. */
export interface Field {
  readonly path: string;
  /** Type of the field, or of its elements when the path ends in `[]` or `{}`. */
  readonly type: string;
}

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly type?: string;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** The part of `/openapi/v3/api/v1` that is read here. */
export interface OpenApi {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const ROOT = 'io.k8s.api.core.v1.PodSpec';

/** Throws when the document has no PodSpec. */
export function extractFields(openApi: OpenApi, kubernetes: string): FieldExtract {
  const { schemas } = openApi.components;
  if (!schemas[ROOT]) throw new Error(`the OpenAPI document has no ${ROOT}`);
  const types: Record<string, Record<string, string>> = {};
  const pending = [ROOT];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const short = shortName(name);
    if (types[short]) continue;
    const fields: Record<string, string> = {};
    types[short] = fields;
    for (const [field, schema] of Object.entries(schemas[name]?.properties ?? {}).sort(byName)) {
      fields[field] = typeOf(schema, schemas, pending);
    }
  }
  return { kubernetes, types: Object.fromEntries(Object.entries(types).sort(byName)) };
}

function byName(left: readonly [string, unknown], right: readonly [string, unknown]): number {
  return left[0] < right[0] ? -1 : 1;
}

function shortName(schemaName: string): string {
  return schemaName.slice(schemaName.lastIndexOf('.') + 1);
}

/** Also notes the types that it meets. */
function typeOf(schema: Schema, schemas: OpenApi['components']['schemas'], pending: string[]): string {
  if (schema.items) return `[]${typeOf(schema.items, schemas, pending)}`;
  if (schema.additionalProperties) return `{}${typeOf(schema.additionalProperties, schemas, pending)}`;
  const name = referenced(schema);
  const target = name === undefined ? schema : schemas[name];
  if (name === undefined || !target?.properties) return target?.type ?? 'string';
  pending.push(name);
  return shortName(name);
}

function referenced({ $ref, allOf }: Schema): string | undefined {
  return ($ref ?? allOf?.[0]?.$ref)?.split('/').pop();
}

/** Every field of the spec, parents before children. */
export function fieldsOf(extract: FieldExtract): Field[] {
  return walk(extract, 'PodSpec', '');
}

function walk(extract: FieldExtract, typeName: string, parent: string): Field[] {
  return Object.entries(extract.types[typeName] ?? {}).flatMap(([name, type]) => {
    const container = /^(?:\[\]|\{\})+/.exec(type)?.[0] ?? '';
    const element = type.slice(container.length);
    const path = `${parent}${name}${container}`;
    return [{ path, type: element }, ...walk(extract, element, `${path}.`)];
  });
}
