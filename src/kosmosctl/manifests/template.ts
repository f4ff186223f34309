/**
 * Manifests with holes. One description gives both what `kosmosctl install` applies ({@link resolve}) and the Helm chart
 * (`hack/generate/chart`), so that the two can't differ.
 */

/** A hole that one of the settings fills, whatever its type. */
export class Value {
  /** Names of fields, joined by dots. */
  readonly path: string;
  /** What is taken instead when the first is empty. */
  readonly orElse: string | undefined;

  constructor(path: string, orElse?: string) {
    this.path = path;
    this.orElse = orElse;
  }
}

/** A string with holes. */
export class Text {
  readonly parts: readonly (string | Value)[];

  constructor(parts: readonly (string | Value)[]) {
    this.parts = parts;
  }
}

/** An entry of a list or of a map that is there only when a condition holds; see {@link termsOf}. */
export class When {
  readonly condition: string;
  readonly then: Template;

  constructor(condition: string, then: Template) {
    this.condition = condition;
    this.then = then;
  }
}

/** A part of a condition: a setting is not empty (as Helm understands it), or is this word. */
export interface Term {
  readonly path: string;
  readonly word: string | undefined;
  readonly negated: boolean;
}

/** Conditions are terms joined by ` && `: `path`, `!path`, or `path=word`. */
export function termsOf(condition: string): readonly Term[] {
  return condition.split(' && ').map((term) => {
    const negated = term.startsWith('!');
    const [path = '', word] = (negated ? term.slice(1) : term).split('=');
    return { path, word, negated };
  });
}

/** Whether a condition holds with these settings. */
export function holds(settings: object, condition: string): boolean {
  return termsOf(condition).every(({ path, word, negated }) => {
    const is = word === undefined ? isSet(settings, path) : lookUp(settings as Settings, path) === word;
    return is !== negated;
  });
}

/** Several entries of a list, one for each number from `first` on; {@link ITEM} is the number. */
export class ForEachNumber {
  readonly firstPath: string;
  readonly countPath: string;
  readonly each: Template;

  constructor(firstPath: string, countPath: string, each: Template) {
    this.firstPath = firstPath;
    this.countPath = countPath;
    this.each = each;
  }
}

/** The number of the innermost {@link ForEachNumber}. */
export const ITEM = new Value('$item');

export interface TemplateMap {
  readonly [key: string]: Template;
}

export type Template =
  string | number | boolean | Value | Text | When | ForEachNumber | readonly Template[] | TemplateMap;

export const value = (path: string, orElse?: string): Value => new Value(path, orElse);

/** A string with holes: text`${value('a')}:${value('b')}`. */
export function text(strings: TemplateStringsArray, ...values: readonly Value[]): Text {
  return new Text(strings.flatMap((part, index) => [part, values[index] ?? '']).filter((part) => part !== ''));
}

export const when = (condition: string, then: Template): When => new When(condition, then);

type Settings = Readonly<Record<string, unknown>>;

/** Fills all holes. What a hole takes is copied as it is. */
export function resolve(template: Template, settings: object): unknown {
  return fill(template, settings as Settings);
}

/** Whether a setting is neither missing nor empty, zero or false. */
export function isSet(settings: object, path: string): boolean {
  const found = lookUp(settings as Settings, path);
  if (Array.isArray(found)) return found.length > 0;
  return typeof found === 'object' && found !== null ? Object.keys(found).length > 0 : Boolean(found);
}

function fill(template: Template, settings: Settings): unknown {
  if (template instanceof Value) return lookUpValue(template, settings);
  if (template instanceof Text) {
    return template.parts.map((part) => (typeof part === 'string' ? part : toText(part, settings))).join('');
  }
  if (template instanceof When) return holds(settings, template.condition) ? fill(template.then, settings) : undefined;
  if (Array.isArray(template)) return (template as readonly Template[]).flatMap((item) => fillItem(item, settings));
  if (typeof template !== 'object') return template;
  const entries = Object.entries(template as TemplateMap).map(([key, item]) => [key, fill(item, settings)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

function fillItem(item: Template, settings: Settings): readonly unknown[] {
  if (item instanceof ForEachNumber) {
    const [first, count] = [Number(lookUp(settings, item.firstPath)), Number(lookUp(settings, item.countPath))];
    return Array.from({ length: count }, (_, index) => fill(item.each, { ...settings, [ITEM.path]: first + index }));
  }
  const filled = fill(item, settings);
  return filled === undefined ? [] : [filled];
}

function lookUpValue({ path, orElse }: Value, settings: Settings): unknown {
  return orElse !== undefined && !isSet(settings, path) ? lookUp(settings, orElse) : lookUp(settings, path);
}

function toText(part: Value, settings: Settings): string {
  return String(lookUpValue(part, settings));
}

function lookUp(settings: Settings, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((found, key) => (found as Record<string, unknown> | undefined)?.[key], settings);
}
