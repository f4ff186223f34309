import PQueue from 'p-queue';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import { compileLinkCluster, type LinkCluster } from '../../clusterlink/planner/link-cluster.js';
import { clusters } from '../../kube/kosmos-resources.js';
import type { CliContext } from '../context.js';
import { nameOf } from '../fields.js';
import { openCluster } from '../member-session.js';
import { listIfServed } from '../objects.js';
import { runSteps } from '../output/steps.js';
import { bad, look, type Finding } from '../report/finding.js';
import { openSession, readAccess, type ClusterSession } from '../session.js';
import { diagnose, linkFinding, withoutResult } from './diagnose.js';
import { resume, type JournalHead } from './journal.js';
import { managersImage } from './image.js';
import type { FloaterSettings } from './manifests.js';
import { ProbeRun, type ProbeSettings } from './probe-run.js';
import { Site } from './site.js';
import type { JournalFile } from './journal-file.js';
import { isWell, planTrials, trialKey, type Place, type Trial, type TrialChoice, type TrialResult } from './trial.js';

/** What is to be checked, and how. */
export interface NetworkOptions {
  readonly floaters: Omit<FloaterSettings, 'image'>;
  /** That of the managers when absent. */
  readonly image: string | undefined;
  readonly probes: ProbeSettings;
  readonly choice: TrialChoice;
  /** Nodes that try at the same time. */
  readonly parallel: number;
  /** Kubeconfigs of members, by the names of their Clusters, instead of those that the managers have. */
  readonly kubeconfigs: ReadonlyMap<string, string>;
  readonly resume: boolean;
}

/** What was found. */
export interface NetworkReport {
  readonly findings: readonly Finding[];
  readonly results: readonly TrialResult[];
  readonly untried: readonly Trial[];
  readonly seconds: number;
}

const CLEANUP_MS = 90_000;
/** How often progress is told where nobody watches. */
const PLAIN_STEPS = 5;

/** Checks the network between all linked clusters. */
export class NetworkCheck {
  readonly #host: ClusterSession;
  readonly #options: NetworkOptions;
  readonly #journal: JournalFile;
  readonly #context: CliContext;
  readonly #results = new Map<string, TrialResult>();
  readonly #findings: Finding[] = [];
  #image = '';
  #sites: Site[] = [];
  #trials: readonly Trial[] = [];

  constructor(host: ClusterSession, options: NetworkOptions, journal: JournalFile, context: CliContext) {
    this.#host = host;
    this.#options = options;
    this.#journal = journal;
    this.#context = context;
  }

  /** Undefined when no cluster is linked. */
  async run(head: JournalHead): Promise<NetworkReport | undefined> {
    const { clock, signal } = this.#context;
    const started = clock.monotonic();
    const linked = (await listIfServed(this.#host.client, clusters, { signal })).flatMap(linkedCluster);
    if (linked.length === 0) return undefined;
    this.#image = this.#options.image ?? (await managersImage(this.#host, this.#context));
    for (const { cluster, link } of linked) await this.#open(cluster, link);
    try {
      await runSteps(this.#context, [
        { title: 'Start floaters', run: (report) => this.#start(report) },
        { title: 'Try the network', run: (report) => this.#try(head, report) },
      ]);
    } finally {
      // Whatever happened, also after Ctrl-C.
      await this.#end();
    }
    const results = this.#trials.flatMap((trial) => this.#results.get(trialKey(trial)) ?? []);
    const untried = withoutResult(this.#trials, results);
    const findings = [...this.#findings, ...diagnose(results, untried)];
    return { findings, results, untried, seconds: (clock.monotonic() - started) / 1_000 };
  }

  async #open(cluster: Cluster, link: LinkCluster): Promise<void> {
    const { floaters, kubeconfigs } = this.#options;
    this.#findings.push(linkFinding(cluster));
    const cure = `Give a kubeconfig that may: --member-kubeconfig ${link.name}=FILE`;
    const found = await look(link.name, 'floater', async () => {
      const session = await this.#session(cluster, kubeconfigs.get(link.name));
      const site = new Site(session, link, { ...floaters, image: this.#image }, this.#context);
      this.#sites.push(site);
      const missing = await site.missingRights();
      if (missing.length === 0) return [];
      const at = { where: link.name, what: 'rights' };
      return bad('problem', at, `its network is not tried: missing: ${missing.join(', ')}`, cure);
    });
    if (found.length === 0) return;
    this.#findings.push(...found);
    await this.#drop(link.name);
  }

  async #session(cluster: Cluster, kubeconfig: string | undefined): Promise<ClusterSession> {
    const name = nameOf(cluster);
    if (kubeconfig !== undefined) return openSession(name, readAccess(name, { kubeconfig }, this.#context));
    return openCluster(this.#host, cluster, this.#context.signal);
  }

  async #drop(name: string): Promise<void> {
    const dropped = this.#sites.filter(({ link }) => link.name === name);
    this.#sites = this.#sites.filter((site) => !dropped.includes(site));
    await Promise.all(dropped.map(({ session }) => session.client.close()));
  }

  async #start(report: (detail: string) => void): Promise<string> {
    const { waitMs } = this.#options.probes;
    const { signal } = this.#context;
    const counts = new Map<Site, readonly [running: number, wanted: number]>();
    const sum = (index: 0 | 1): number => [...counts.values()].reduce((all, count) => all + count[index], 0);
    const start = (site: Site): Promise<readonly Finding[]> =>
      site.start(waitMs, (...count) => {
        counts.set(site, count);
        report(`${sum(0)} of ${sum(1)}`);
      });
    const found = await Promise.all(this.#sites.map((site) => look(site.link.name, 'floater', () => start(site))));
    signal.throwIfAborted();
    this.#findings.push(...found.flat());
    const running = this.#sites.flatMap(({ view }) => view.floaters).length;
    return `${running} in ${this.#sites.length} clusters`;
  }

  async #try(head: JournalHead, report: (detail: string) => void): Promise<string> {
    this.#trials = planTrials(
      this.#sites.map(({ view }) => view),
      this.#options.choice,
    );
    const before = this.#options.resume ? this.#journal.read(head) : undefined;
    if (this.#options.resume && before === undefined) {
      this.#context.terminal.err('there is nothing to go on with; everything is tried\n');
    }
    const { todo, done } = resume(this.#trials, before ?? new Map<string, TrialResult>());
    for (const result of done) this.#results.set(trialKey(result), result);
    this.#journal.begin(head, done);
    const { interactive } = this.#context.terminal;
    const tell = (): void => {
      const [known, all] = [this.#results.size, this.#trials.length];
      // A file or a pipe has no use for every single one.
      if (interactive || known % Math.ceil(all / PLAIN_STEPS) === 0) report(`${known} of ${all}`);
    };
    await this.#round(todo, 0, tell);
    // What failed by chance, or because something had only just started, goes well now.
    await this.#round(
      this.#trials.filter((trial) => this.#hasFailed(trial)),
      1,
      tell,
    );
    const failures = this.#trials.filter((trial) => this.#hasFailed(trial)).length;
    const known = done.length > 0 ? `, ${done.length} known from before` : '';
    return `${this.#results.size} of ${this.#trials.length}, ${failures} with failures${known}`;
  }

  #hasFailed(trial: Trial): boolean {
    const result = this.#results.get(trialKey(trial));
    return result !== undefined && !isWell(result);
  }

  async #round(trials: readonly Trial[], round: number, tell: () => void): Promise<void> {
    const queue = new PQueue({ concurrency: this.#options.parallel });
    const onResult = (result: TrialResult): void => {
      this.#results.set(trialKey(result), result);
      this.#journal.add(result);
      tell();
    };
    const byNode = new Map<string, Trial[]>();
    for (const trial of trials) {
      const where = placeName(trial.from);
      byNode.set(where, byNode.get(where) ?? []);
      byNode.get(where)?.push(trial);
    }
    const runs = this.#sites.flatMap((site) => {
      const run = new ProbeRun(site, this.#options.probes, this.#context, onResult);
      return site.view.floaters.map(({ node }) => {
        const where = placeName({ cluster: site.link.name, node });
        return queue.add(async () => {
          const problem = await run.run(node, byNode.get(where) ?? [], round);
          if (problem === undefined) return;
          const at = { where: `from ${where}`, what: 'floater' };
          this.#findings.push(bad('problem', at, problem, 'Look at the node and its kubelet.'));
        });
      });
    });
    await Promise.all(runs);
  }

  async #end(): Promise<void> {
    const late = AbortSignal.timeout(CLEANUP_MS);
    const left: string[] = [];
    await runSteps(this.#context, [
      {
        title: 'Remove floaters',
        run: async () => {
          left.push(...(await Promise.all(this.#sites.map((site) => site.remove(late)))).flat());
          return left.length === 0 ? undefined : `left: ${left.join('; ')}`;
        },
      },
    ]);
    for (const { link } of this.#sites) await this.#drop(link.name);
    const cure = 'Run the check again, which removes it, or delete the namespace.';
    this.#findings.push(...left.map((what) => bad('problem', { where: 'floaters', what: 'floater' }, what, cure)));
  }
}

const placeName = ({ cluster, node }: Place): string => `${cluster}/${node}`;

/** Clusters that are linked, and not about to leave. */
function linkedCluster(cluster: Cluster): readonly { readonly cluster: Cluster; readonly link: LinkCluster }[] {
  const link = compileLinkCluster(cluster);
  return link === undefined || cluster.metadata?.deletionTimestamp !== undefined ? [] : [{ cluster, link }];
}
