import { readdirSync, readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { INSTALLATION } from '../../../src/kosmosctl/manifests/installation.js';
import { DEFAULT_VALUES, VALUE_HELP } from '../../../src/kosmosctl/manifests/values.js';
import { renderHelmTemplate } from './helm-template.js';

const CHART = 'charts/kosmos';
const NOTICE = '# Made by `npm run generate`; changes here are lost.\n';

/** One file of the chart. */
export interface ChartFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly render: () => string;
}

/** All files of the chart in charts/kosmos. */
export function chartFiles(): readonly ChartFile[] {
  const templates = [...new Set(INSTALLATION.map(({ file }) => file))];
  return [
    { path: `${CHART}/Chart.yaml`, render: renderChart },
    { path: `${CHART}/values.yaml`, render: () => NOTICE + renderValues(DEFAULT_VALUES, '').join('\n') + '\n' },
    {
      path: `${CHART}/values.schema.json`,
      render: () => `${JSON.stringify(valuesSchema(), undefined, 2)}\n`,
    },
    { path: `${CHART}/templates/NOTES.txt`, render: () => NOTES },
    ...templates.map((file) => ({ path: `${CHART}/templates/${file}`, render: () => renderTemplateFile(file) })),
    ...readdirSync('crds').map((file) => ({
      path: `${CHART}/crds/${file}`,
      render: () => readFileSync(`crds/${file}`, 'utf8'),
    })),
  ];
}

const NOTES = `The managers of Kosmos run in the namespace {{ .Release.Namespace }}.

Join a member cluster:
  kosmosctl join cluster --name member1 --kubeconfig MEMBER_KUBECONFIG
See how it is:
  kosmosctl get clusters
`;

function renderChart(): string {
  const { version, description } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, string>;
  const chart = {
    ...{ apiVersion: 'v2', name: 'kosmos', description, type: 'application', version, appVersion: version },
    kubeVersion: '>=1.31.0-0',
  };
  return NOTICE + stringify(chart);
}

function renderTemplateFile(file: string): string {
  const parts = INSTALLATION.filter((manifest) => manifest.file === file).map(({ object, when }) =>
    renderHelmTemplate(object, when),
  );
  return NOTICE + parts.map((part) => `---\n${part}`).join('');
}

function renderValues(values: object, prefix: string): readonly string[] {
  return Object.entries(values).flatMap(([key, value]: [string, unknown]) => {
    const path = prefix + key;
    const help = VALUE_HELP[path];
    if (help === undefined) throw new Error(`the value ${path} has no help`);
    const comment = `# ${help}`;
    if (hasFields(path))
      return [comment, `${key}:`, ...renderValues(value as object, `${path}.`).map((line) => `  ${line}`)];
    return [
      comment,
      ...stringify({ [key]: value }, { lineWidth: 0 })
        .trimEnd()
        .split('\n'),
    ];
  });
}

/** Whether the fields of a value are values of their own. */
function hasFields(path: string): boolean {
  return Object.keys(VALUE_HELP).some((other) => other.startsWith(`${path}.`));
}

const ENUMS: Readonly<Record<string, readonly string[]>> = {
  'image.pullPolicy': ['Always', 'IfNotPresent', 'Never'],
  'kubelet.servingCertificates': ['csr', 'self-signed'],
};
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  replicas: [1, 100],
  'kubelet.firstPort': [1, 65535],
  'kubelet.ports': [1, 65535],
};

function valuesSchema(): object {
  return { $schema: 'https://json-schema.org/draft-07/schema#', ...schemaOf(DEFAULT_VALUES, '') };
}

function schemaOf(value: unknown, path: string): object {
  const description = VALUE_HELP[path];
  const common = description === undefined ? {} : { description };
  if (Array.isArray(value)) return { ...common, type: 'array', items: { type: 'object' } };
  if (typeof value === 'object' && value !== null) {
    if (path !== '' && !hasFields(path)) return { ...common, type: 'object' };
    const entries = Object.entries(value).map(([key, item]) => [
      key,
      schemaOf(item as unknown, path === '' ? key : `${path}.${key}`),
    ]);
    return {
      ...common,
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(entries) as object,
    };
  }
  if (typeof value === 'number') {
    const [minimum, maximum] = RANGES[path] ?? [];
    return { ...common, type: 'integer', minimum, maximum };
  }
  if (typeof value === 'boolean') return { ...common, type: 'boolean' };
  return { ...common, type: 'string', ...(ENUMS[path] !== undefined && { enum: ENUMS[path] }) };
}
