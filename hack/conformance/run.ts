import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { showFederating, step } from '../demo/show.js';
import { buildImage } from '../image/build.js';
import { ensureSuite } from '../lab/binaries.js';
import { sourcesOf } from '../lab/build.js';
import { findGo } from '../lab/go-toolchain.js';
import { Lab } from '../lab/lab.js';
import { CONFORMANCE, pinnedVersion } from '../lab/programs.js';
import { ensureConformanceImages } from './images.js';
import { Progress, readReport, type SpecResult } from './report.js';
import { skipPattern, type SpecGroup } from './specs.js';

const INSTANCE = 'conformance';
const SPEC_LIMIT = '3h';
/** Those who look for ordinary nodes leave nodes with this taint out. */
const HOST_TAINT = 'node-role.kubernetes.io/control-plane=:NoSchedule';
const NO_TAINTS = { spec: { clusterTreeOptions: { leafModels: [{ taints: [] }] } } };

const say = (line: string): void => console.log(line);

/**
 * Runs parts of the end-to-end suite of Kubernetes against a host whose only schedulable nodes are two virtual ones, with
 * real containers in the members.
 *
 * @param signal - ends the specs that are under way, which then have failed
 * @returns the results of all specs that were run
 */
export async function runConformance(
  groups: readonly SpecGroup[],
  signal?: AbortSignal,
): Promise<readonly SpecResult[]> {
  const programs = await ensureSuite(CONFORMANCE, pinnedVersion(CONFORMANCE), say);
  const images = await ensureConformanceImages(programs['agnhost'] ?? '', agnhostSources, say);
  await Lab.down(INSTANCE);
  step('A host and two members with real kubelets and containers; Kosmos is installed and the members join');
  const lab = await Lab.up({ instance: INSTANCE, members: 2, full: true, log: say });
  try {
    await federate(lab, images);
    signal?.throwIfAborted();
    const folder = mkdtempSync(join(tmpdir(), 'kosmos-conformance-'));
    step(`Specs of ${groups.map(({ name }) => name).join(', ')}; logs and reports are in ${folder}`);
    const all = groups.map((group) => runGroup(lab, programs['e2e.test'] ?? '', group, { folder, signal }));
    return (await Promise.all(all)).flat();
  } finally {
    await lab.down();
  }
}

async function agnhostSources(): Promise<string> {
  const go = await findGo(say);
  if (go === undefined) throw new Error("the test programs can only be built; install Go (Debian's package golang-go)");
  return sourcesOf(go, CONFORMANCE, 'agnhost');
}

/** Installs and joins; from then on ordinary pods fit on virtual nodes alone. */
async function federate(lab: Lab, images: string): Promise<void> {
  const image = await buildImage();
  for (const cluster of lab.clusters) await cluster.importImages(image.archive);
  for (const member of lab.members) await member.importImages(images);
  await showFederating(lab);
  for (const { name } of lab.members) {
    await lab.host.kubectl(['patch', 'clusters.kosmos.io', name, '--type=merge', '-p', JSON.stringify(NO_TAINTS)]);
  }
  await lab.host.kubectl(['taint', 'nodes', '-l', '!kosmos.io/node', HOST_TAINT]);
}

interface GroupOptions {
  /** For logs and reports. */
  readonly folder: string;
  readonly signal: AbortSignal | undefined;
}

async function runGroup(
  lab: Lab,
  program: string,
  group: SpecGroup,
  { folder, signal }: GroupOptions,
): Promise<readonly SpecResult[]> {
  const report = join(folder, `${group.name}.json`);
  const child = spawn(
    program,
    [
      ...['--kubeconfig', lab.host.kubeconfigPath, '--provider=skeleton'],
      ...['--disable-log-dump', '--num-nodes=2', `--ginkgo.timeout=${SPEC_LIMIT}`, '--ginkgo.v', '--ginkgo.no-color'],
      ...[`--ginkgo.focus=${group.focus}`, `--ginkgo.skip=${skipPattern(group)}`, `--ginkgo.json-report=${report}`],
    ],
    { cwd: folder, env: { ...process.env, ...lab.host.environment() }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  signal?.addEventListener('abort', () => child.kill('SIGINT'), { once: true });
  const failed = new Promise<never>((_resolve, reject) => child.once('error', reject));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const log = createWriteStream(join(folder, `${group.name}.log`));
  const progress = new Progress(group.name, say);
  createInterface({ input: child.stdout }).on('line', (line) => {
    log.write(`${line}\n`);
    progress.line(line);
  });
  await Promise.race([ended, failed]);
  log.end();
  return readReport(await readFile(report, 'utf8'));
}
