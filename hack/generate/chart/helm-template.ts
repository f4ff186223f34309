import {
  ForEachNumber,
  termsOf,
  Text,
  Value,
  When,
  type Template,
  type TemplateMap,
} from '../../../src/kosmosctl/manifests/template.js';

/** What Helm calls things that are no values. */
const BUILT_IN: Readonly<Record<string, string>> = {
  namespace: '.Release.Namespace',
  version: '.Chart.AppVersion',
  $item: '$item',
};

/** A manifest as a Helm template, in block style. */
export function renderHelmTemplate(object: TemplateMap, when?: string): string {
  const lines = mapLines(object);
  return [...(when === undefined ? lines : wrapped(when, lines)), ''].join('\n');
}

function expression(path: string): string {
  return BUILT_IN[path] ?? `.Values.${path}`;
}

function valueExpression({ path, orElse }: Value): string {
  return orElse === undefined ? expression(path) : `${expression(path)} | default ${expression(orElse)}`;
}

function wrapped(condition: string, lines: readonly string[]): readonly string[] {
  return [`{{- if ${conditionExpression(condition)} }}`, ...lines, '{{- end }}'];
}

function conditionExpression(condition: string): string {
  const terms = termsOf(condition).map(({ path, word, negated }) => {
    const term = word === undefined ? expression(path) : `eq ${expression(path)} ${JSON.stringify(word)}`;
    return negated ? `not ${word === undefined ? term : `(${term})`}` : term;
  });
  if (terms.length === 1) return terms[0] ?? '';
  return `and ${terms.map((term) => (term.includes(' ') ? `(${term})` : term)).join(' ')}`;
}

/** The template in one line; undefined when it takes several. */
function inline(template: Template): string | undefined {
  if (template instanceof Value) return `{{ ${valueExpression(template)} | toJson }}`;
  if (template instanceof Text) {
    const parts = template.parts.map((part) =>
      typeof part === 'string' ? JSON.stringify(part).slice(1, -1) : `{{ ${valueExpression(part)} }}`,
    );
    return `"${parts.join('')}"`;
  }
  if (typeof template === 'string') return literal(template);
  if (typeof template !== 'object') return String(template);
  if (Array.isArray(template)) return inlineList(template as readonly Template[]);
  return Object.keys(template).length === 0 ? '{}' : undefined;
}

/** Lists of plain words, as RBAC has many. */
function inlineList(items: readonly Template[]): string | undefined {
  if (!items.every((item) => typeof item === 'string')) return undefined;
  const line = `[${items.map((item) => literal(item)).join(', ')}]`;
  return line.length <= 100 ? line : undefined;
}

function literal(content: string): string {
  const quoted = JSON.stringify(content);
  // What looks like a template of Helm is one of somebody else, here Prometheus.
  return content.includes('{{') ? `{{ ${quoted} | toJson }}` : quoted;
}

function lines(template: Template): readonly string[] {
  if (Array.isArray(template)) return (template as readonly Template[]).flatMap(itemLines);
  return mapLines(template as TemplateMap);
}

function mapLines(map: TemplateMap): readonly string[] {
  return Object.entries(map).flatMap(([key, item]) => {
    const name = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
    return item instanceof When ? wrapped(item.condition, entryLines(name, item.then)) : entryLines(name, item);
  });
}

function entryLines(name: string, item: Template): readonly string[] {
  const single = inline(item);
  return single === undefined ? [`${name}:`, ...lines(item).map(indent)] : [`${name}: ${single}`];
}

function itemLines(item: Template): readonly string[] {
  if (item instanceof When) return wrapped(item.condition, itemLines(item.then));
  if (item instanceof ForEachNumber) {
    const [first, count] = [expression(item.firstPath), expression(item.countPath)];
    const range = `{{- range $item := untilStep (int ${first}) (int (add ${first} ${count})) 1 }}`;
    return [range, ...itemLines(item.each), '{{- end }}'];
  }
  const single = inline(item);
  if (single !== undefined) return [`- ${single}`];
  const [first = '', ...rest] = lines(item);
  if (first.startsWith('{{')) throw new Error('the first entry of a map in a list must not depend on anything');
  return [`- ${first}`, ...rest.map(indent)];
}

/** Control lines of Helm stay at the margin, where they are easiest to see. */
function indent(line: string): string {
  return line.startsWith('{{-') ? line : `  ${line}`;
}
