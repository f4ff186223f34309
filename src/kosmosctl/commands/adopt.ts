import { hasInlineKubeconfig } from '../adopt/clusters.js';
import { withHeartbeats } from '../adopt/heartbeats.js';
import type { Finding } from '../adopt/judgement.js';
import { mark } from '../adopt/mark.js';
import { MemberSessions, planAdoption, type AdoptionPlan, type PlanOptions } from '../adopt/plan.js';
import { planDocument, renderPlan } from '../adopt/render.js';
import { nameOfComponent, stopComponent } from '../adopt/stop.js';
import type { CliContext } from '../context.js';
import { CliError, EXIT } from '../failure.js';
import { nameOf } from '../fields.js';
import { credentialSecret } from '../join/host-objects.js';
import { applyCrds } from '../manifests/crds.js';
import { MANAGER } from '../manifests/labels.js';
import { applyObject, deployments, findObject } from '../objects.js';
import { requireAgreement } from '../output/agreement.js';
import { renderDocument } from '../output/format.js';
import { runSteps, type Step } from '../output/steps.js';
import { openSession, readAccess, withSessions, type ClusterChoice, type ClusterSession } from '../session.js';
import { checkStoredVersions } from '../upgrade/plan.js';

export interface AdoptOptions extends PlanOptions {
  readonly host: ClusterChoice;
  /** Only show what would be done. */
  readonly dryRun: boolean;
  readonly format: 'json' | 'yaml' | undefined;
  /** Do it without asking. */
  readonly yes: boolean;
  /** How long to wait for each component to end. */
  readonly waitMs: number;
}

/** Takes over what Kosmos in Go runs, so that the manager goes on with it; nothing is restarted or deleted. */
export async function adopt(options: AdoptOptions, context: CliContext): Promise<void> {
  const host = openSession('host', readAccess('host', options.host, context));
  const members = new MemberSessions(host, context.signal);
  await withSessions([host], async () => {
    try {
      await new Adoption(options, context, host, members).run();
    } finally {
      await members.close();
    }
  });
}

type Report = (detail: string) => void;

/** One run of the command. */
class Adoption {
  readonly #options: AdoptOptions;
  readonly #context: CliContext;
  readonly #host: ClusterSession;
  readonly #members: MemberSessions;

  constructor(options: AdoptOptions, context: CliContext, host: ClusterSession, members: MemberSessions) {
    this.#options = options;
    this.#context = context;
    this.#host = host;
    this.#members = members;
  }

  async run(): Promise<void> {
    const { terminal } = this.#context;
    const plan = await this.#look('Look at host and members');
    this.#show(plan);
    if (this.#options.dryRun) return;
    if (isAnythingToDo(plan)) await this.#act(plan);
    else terminal.err('\nThere is nothing to do.\n');
    terminal.err(await this.#nextSteps(plan));
  }

  async #look(title: string): Promise<AdoptionPlan> {
    const plans: AdoptionPlan[] = [];
    const look = async (): Promise<undefined> => {
      plans.push(
        await planAdoption(this.#host, (cluster) => this.#members.open(cluster), this.#options, this.#context),
      );
    };
    await runSteps(this.#context, [{ title, run: look }]);
    const [plan] = plans;
    if (plan === undefined) throw new CliError('the clusters were not looked at');
    return plan;
  }

  /** What a machine reads goes to standard output, and what was only asked for. */
  #show(plan: AdoptionPlan): void {
    const { terminal } = this.#context;
    const { dryRun, format } = this.#options;
    const text = format === undefined ? renderPlan(plan) : renderDocument(planDocument(plan), format);
    if (dryRun || format !== undefined) terminal.out(text);
    else terminal.err(`\n${text}`);
    if (plan.findings.some(({ judgement }) => judgement.kind === 'problem')) this.#context.setExitCode(EXIT.problems);
  }

  /** What stands still is looked at once more, for until then it may have changed. */
  async #act(plan: AdoptionPlan): Promise<void> {
    const { terminal, version, signal, clock } = this.#context;
    if (!this.#options.yes) {
      await requireAgreement(terminal, { to: 'the adoption', question: 'Adopt it?', refused: 'nothing was changed' });
    }
    const crds = this.#context.crds();
    await checkStoredVersions(this.#host, crds, version, signal);
    const missed = await withHeartbeats(this.#host, plan.virtualNodes, clock, async () => {
      await runSteps(this.#context, [applyCrds(this.#host.client, crds, this.#context), ...this.#stops(plan)]);
      return this.#mark(await this.#look('Look again'));
    });
    if (missed.length === 0) return;
    this.#context.setExitCode(EXIT.problems);
    const names = missed.map(({ kind, name }) => `${kind} ${name}`).join(', ');
    terminal.err(`\nThis has changed in the meantime; run the command again: ${names}\n`);
  }

  #stops({ running }: AdoptionPlan): readonly Step[] {
    const { waitMs: timeoutMs } = this.#options;
    return running.map((component) => ({
      title: `Stop ${nameOfComponent(component)} of ${component.cluster}`,
      run: async (report: Report) => {
        await stopComponent(component, report, { ...this.#context, timeoutMs });
        return undefined;
      },
    }));
  }

  async #mark(plan: AdoptionPlan): Promise<readonly Finding[]> {
    const { signal } = this.#context;
    const host = this.#host.client;
    const missed: Finding[] = [];
    const toAdopt = (isIt: (finding: Finding) => boolean): readonly Finding[] =>
      plan.findings.filter((finding) => finding.judgement.kind === 'adopt' && isIt(finding));
    const step = (title: string, findings: readonly Finding[], member = host): Step => ({
      title,
      run: async (report) => {
        missed.push(...(await mark({ host, member }, findings, report, signal)));
        return `${findings.length} objects`;
      },
    });
    const ofHost = toAdopt(({ cluster }) => cluster === 'host');
    await runSteps(this.#context, [
      { title: 'Keep kubeconfigs in Secrets', run: () => this.#keepKubeconfigs(plan) },
      step('Adopt Clusters', ofHost),
      ...plan.reached.map(({ cluster, session }) =>
        step(
          `Adopt what is in ${nameOf(cluster)}`,
          toAdopt((finding) => finding.cluster === nameOf(cluster)),
          session.client,
        ),
      ),
    ]);
    return missed;
  }

  /** Before the Clusters name them. */
  async #keepKubeconfigs({ reached }: AdoptionPlan): Promise<string> {
    const { moveKubeconfigs, namespace } = this.#options;
    const moved = moveKubeconfigs ? reached.filter(({ cluster }) => hasInlineKubeconfig(cluster)) : [];
    for (const { cluster, uid: memberUid } of moved) {
      const kubeconfig = Buffer.from(cluster.spec.kubeconfig ?? '', 'base64').toString('utf8');
      const secret = credentialSecret({ cluster: nameOf(cluster), namespace, memberUid, kubeconfig });
      await applyObject(this.#host.client, secret, { signal: this.#context.signal });
    }
    return moveKubeconfigs ? `${moved.length} moved` : 'not asked for';
  }

  async #nextSteps({ reached, virtualNodes }: AdoptionPlan): Promise<string> {
    const { namespace, moveKubeconfigs } = this.#options;
    const ref = { namespace, name: MANAGER };
    const installed = await findObject(this.#host.client, deployments, ref, this.#context.signal);
    const first = reached.map(({ cluster }) => cluster).find(hasInlineKubeconfig);
    return [
      ...(installed === undefined
        ? [`\nInstall the managers${virtualNodes.length > 0 ? HURRY : ':'}\n  kosmosctl install\n`]
        : []),
      ...(first === undefined
        ? []
        : [
            moveKubeconfigs ? MOVED : INLINE,
            `  kosmosctl join cluster --name ${nameOf(first)} --kubeconfig MEMBER_KUBECONFIG\n`,
          ]),
    ].join('');
  }
}

const HURRY = ` now: until they run nobody looks after virtual nodes, which are not ready
after 40 seconds, and lose their pods 5 minutes later:`;
const MOVED = `
Kubeconfigs of members are in Secrets. Give each member an identity of its own instead, after that:
`;
const INLINE = `
Kubeconfigs of members are in Clusters, where many may read them. Run this with --move-kubeconfigs, and give each member
an identity of its own instead, after that:
`;

function isAnythingToDo({ findings, running }: AdoptionPlan): boolean {
  return (
    running.length > 0 || findings.some(({ judgement }) => judgement.kind === 'adopt' && judgement.changes.length > 0)
  );
}
