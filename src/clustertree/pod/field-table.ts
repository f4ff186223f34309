import {
  CONTAINER_ROWS,
  type FieldTreatment,
  OPEN_CONTAINER_ROWS,
  OPEN_ROWS,
  POD_ROWS,
  type Row,
  VOLUME_ROWS,
} from './field-rows.js';

/** One line of the table. */
export interface FieldRule {
  /** Below `spec`; `[]` marks the elements of a list. */
  readonly path: string;
  readonly treatment: FieldTreatment;
  /** The rule, or the reason. Markdown. */
  readonly why: string;
  /** True when the fields below the path have lines of their own, so that a new one among them is noticed. */
  readonly open: boolean;
}

/** Every field of a pod's spec, sorted by path. `docs/reference/pod-fields.md` is generated from it. */
export const FIELD_TABLE: readonly FieldRule[] = [
  ...OPEN_ROWS.map((row) => rule(row, true)),
  ...POD_ROWS.map((row) => rule(row, false)),
  ...VOLUME_ROWS.map((row) => rule(below('volumes[]', row), false)),
  ...['containers[]', 'initContainers[]', 'ephemeralContainers[]'].flatMap((list) => [
    ...OPEN_CONTAINER_ROWS.map((row) => rule(below(list, row), true)),
    ...CONTAINER_ROWS.map((row) => rule(below(list, row), false)),
  ]),
  rule(['ephemeralContainers[].targetContainerName', 'copied'], false),
].sort((left, right) => (left.path < right.path ? -1 : 1));

const RULES = new Map(FIELD_TABLE.map((row) => [row.path, row]));

function rule([path, treatment, why = '']: Row, open: boolean): FieldRule {
  return { path, treatment, why, open };
}

function below(parent: string, [path, treatment, why = '']: Row): Row {
  return [`${parent}.${path}`, treatment, why];
}

/** The rule for a field: its own, or that of the nearest field above that stands for all below it. */
export function fieldRule(path: string): FieldRule | undefined {
  const own = RULES.get(path);
  if (own) return own;
  for (let end = path.lastIndexOf('.'); end > 0; end = path.lastIndexOf('.', end - 1)) {
    const above = RULES.get(path.slice(0, end));
    if (above) return above.open ? undefined : above;
  }
  return undefined;
}
