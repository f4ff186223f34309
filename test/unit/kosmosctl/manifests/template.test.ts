import { expect } from 'chai';
import { renderHelmTemplate } from '../../../../hack/generate/chart/helm-template.js';
import {
  ForEachNumber,
  holds,
  isSet,
  ITEM,
  resolve,
  text,
  value,
  when,
  type TemplateMap,
} from '../../../../src/kosmosctl/manifests/template.js';

const TEMPLATE: TemplateMap = {
  name: 'fixed',
  count: value('count'),
  image: text`${value('repository')}:${value('tag', 'version')}`,
  optional: when('extra', value('extra')),
  list: ['a', when('flag', '--flag'), text`--level=${value('level')}`],
  ports: [new ForEachNumber('first', 'ports', { name: text`p-${ITEM}`, port: ITEM })],
  quoted: 'a {{ b }} c',
  empty: {},
};

describe('manifests with holes', () => {
  it('are filled with settings, and leave out what is not wanted', () => {
    const settings = { count: 2, repository: 'r/x', tag: '', version: '1.0', extra: [], flag: false, level: 'info' };
    expect(resolve(TEMPLATE, { ...settings, first: 7, ports: 2 })).to.deep.equal({
      name: 'fixed',
      count: 2,
      image: 'r/x:1.0',
      list: ['a', '--level=info'],
      ports: [
        { name: 'p-7', port: 7 },
        { name: 'p-8', port: 8 },
      ],
      quoted: 'a {{ b }} c',
      empty: {},
    });
  });

  it('keep what a setting is, whatever its type', () => {
    const settings = {
      count: 0,
      repository: 'r',
      tag: 't',
      extra: { a: [1] },
      flag: true,
      level: '',
      first: 1,
      ports: 0,
    };
    expect(resolve(TEMPLATE, settings)).to.deep.include({
      image: 'r:t',
      optional: { a: [1] },
      list: ['a', '--flag', '--level='],
      ports: [],
    });
  });

  it('are Helm templates as well', () => {
    expect(renderHelmTemplate(TEMPLATE, 'enabled')).to.equal(`{{- if .Values.enabled }}
name: "fixed"
count: {{ .Values.count | toJson }}
image: "{{ .Values.repository }}:{{ .Values.tag | default .Chart.AppVersion }}"
{{- if .Values.extra }}
optional: {{ .Values.extra | toJson }}
{{- end }}
list:
  - "a"
{{- if .Values.flag }}
  - "--flag"
{{- end }}
  - "--level={{ .Values.level }}"
ports:
{{- range $item := untilStep (int .Values.first) (int (add .Values.first .Values.ports)) 1 }}
  - name: "p-{{ $item }}"
    port: {{ $item | toJson }}
{{- end }}
quoted: {{ "a {{ b }} c" | toJson }}
empty: {}
{{- end }}
`);
  });

  const conditions: readonly (readonly [condition: string, helm: string, holds: boolean])[] = [
    ['a.on', '.Values.a.on', true],
    ['!a.on', 'not .Values.a.on', false],
    ['a.on && a.off', 'and .Values.a.on .Values.a.off', false],
    ['a.on && !a.off', 'and .Values.a.on (not .Values.a.off)', true],
    ['a.word=x', 'eq .Values.a.word "x"', true],
    ['!a.word=x', 'not (eq .Values.a.word "x")', false],
    ['a.on && a.word=y', 'and .Values.a.on (eq .Values.a.word "y")', false],
  ];
  for (const [condition, helm, expected] of conditions) {
    it(`depend on "${condition}", in Helm on "${helm}"`, () => {
      expect(holds({ a: { on: true, off: false, word: 'x' } }, condition)).to.equal(expected);
      expect(renderHelmTemplate({ a: 1 }, condition)).to.equal(`{{- if ${helm} }}\na: 1\n{{- end }}\n`);
    });
  }

  it('can not begin a map in a list with something that may be missing', () => {
    const template = { list: [{ first: when('a', 'b'), second: 'c' }] };
    expect(() => renderHelmTemplate(template)).to.throw('must not depend on anything');
  });

  const table: readonly (readonly [unknown, boolean])[] = [
    [undefined, false],
    ['', false],
    [0, false],
    [false, false],
    [[], false],
    [{}, false],
    [null, false],
    ['x', true],
    [1, true],
    [['x'], true],
    [{ a: 1 }, true],
  ];
  for (const [setting, set] of table) {
    it(`take ${setting === undefined ? 'nothing' : JSON.stringify(setting)} as ${set ? 'set' : 'not set'}, as Helm does`, () => {
      expect(isSet({ a: { b: setting } }, 'a.b')).to.equal(set);
    });
  }
});
