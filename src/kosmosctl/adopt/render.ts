import { renderTable } from '../output/table.js';
import type { Finding, Judgement } from './judgement.js';
import type { AdoptionPlan } from './plan.js';
import { nameOfComponent } from './stop.js';

/** What a judgement comes to, in one word. */
type Outcome = Judgement['kind'];

const OUTCOMES: readonly Outcome[] = ['adopt', 'adopted', 'stays', 'problem'];
const HEAD = ['CLUSTER', 'KIND', 'TO ADOPT', 'ADOPTED', 'STAYS', 'PROBLEMS'];
/** Objects that are left alone for the same reason; a machine gets them all. */
const SHOWN_ALIKE = 5;

/** The plan for people. */
export function renderPlan({ findings, running }: Pick<AdoptionPlan, 'findings' | 'running'>): string {
  const parts = [
    renderTable(HEAD, counts(findings)),
    running.length === 0
      ? ''
      : `\nTo be stopped first:\n${renderTable(
          ['CLUSTER', 'COMPONENT'],
          running.map((component) => [component.cluster, nameOfComponent(component)]),
        )}`,
    renderReasons('To be known:', findings, noteOf),
    renderReasons('Stays as it is:', findings, ({ judgement }) => whyOf(judgement, 'stays')),
    renderReasons("Can't be adopted:", findings, ({ judgement }) => whyOf(judgement, 'problem')),
  ];
  return parts.join('');
}

/** The same for machines. */
export function planDocument({ findings, running }: Pick<AdoptionPlan, 'findings' | 'running'>): object {
  return {
    running: running.map((component) => ({ cluster: component.cluster, component: nameOfComponent(component) })),
    findings: findings.map((finding) => {
      const { cluster, kind, name, judgement } = finding;
      const why = noteOf(finding) ?? whyOf(judgement, judgement.kind);
      return { cluster, kind, name, outcome: judgement.kind, ...(why !== undefined && { why }) };
    }),
  };
}

function counts(findings: readonly Finding[]): readonly (readonly string[])[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = `${finding.cluster}/${finding.kind}`;
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return [...groups.values()].map((group) => {
    const numbers = OUTCOMES.map((outcome) => group.filter(({ judgement }) => judgement.kind === outcome).length);
    return [group[0]?.cluster ?? '', group[0]?.kind ?? '', ...numbers.map(String)];
  });
}

function noteOf({ judgement }: Finding): string | undefined {
  return judgement.kind === 'adopt' ? judgement.note : undefined;
}

function whyOf(judgement: Judgement, outcome: Outcome): string | undefined {
  return judgement.kind === outcome && 'why' in judgement ? judgement.why : undefined;
}

function renderReasons(
  title: string,
  findings: readonly Finding[],
  reasonOf: (finding: Finding) => string | undefined,
): string {
  const alike = new Map<string, string[][]>();
  for (const finding of findings) {
    const why = reasonOf(finding);
    if (why === undefined) continue;
    const { cluster, kind, name } = finding;
    const key = `${cluster}/${kind}/${why}`;
    alike.set(key, [...(alike.get(key) ?? []), [cluster, kind, name, why]]);
  }
  if (alike.size === 0) return '';
  const rows = [...alike.values()].flatMap((group) => {
    const [first = []] = group;
    const more = group.length - SHOWN_ALIKE;
    const rest = more > 0 ? [[first[0] ?? '', first[1] ?? '', `and ${more} more`, 'likewise; -o json names them']] : [];
    return [...group.slice(0, SHOWN_ALIKE), ...rest];
  });
  return `\n${title}\n${renderTable(['CLUSTER', 'KIND', 'NAME', 'WHY'], rows)}`;
}
