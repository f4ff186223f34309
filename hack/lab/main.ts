import { spawnSync } from 'node:child_process';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Family } from './addresses.js';
import { Lab } from './lab.js';
import type { LabOptions } from './options.js';
import { listInstances } from './state.js';

interface UpFlags {
  readonly instance: string;
  readonly members: number;
  readonly nodes?: number;
  readonly hostNodes?: number;
  readonly full?: boolean;
  readonly family: Family;
  readonly sameCidrs?: boolean;
  readonly kubeVersion?: string;
}

interface InstanceFlags {
  readonly instance: string;
}

function count(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('not a whole number');
  return Number(text);
}

/** Ends this program, but not before what it has made so far is removed. */
function removeOnInterrupt(instance: string): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      console.error('interrupted; cleaning up');
      // Synchronous, so that "up" goes no further meanwhile.
      spawnSync(process.execPath, [process.argv[1] ?? '', 'down', '--instance', instance], { stdio: 'inherit' });
      process.exit(130);
    });
  }
}

async function up(flags: UpFlags): Promise<void> {
  removeOnInterrupt(flags.instance);
  const started = performance.now();
  const options: LabOptions = { ...flags, log: (line) => console.log(line) };
  const lab = await Lab.up(options);
  console.log(`up in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  for (const cluster of lab.clusters) console.log(`${cluster.name}: export KUBECONFIG=${cluster.kubeconfigPath}`);
  console.log(`A program in the root namespace is reached from the clusters at ${lab.hostAddress}.`);
  lab.close();
}

async function down(flags: InstanceFlags & { readonly all?: boolean }): Promise<void> {
  const instances = flags.all === true ? listInstances() : [flags.instance];
  for (const instance of instances) {
    await Lab.down(instance);
    console.log(`lab "${instance}" is gone`);
  }
}

function status(flags: InstanceFlags): void {
  const lab = Lab.open(flags.instance);
  for (const cluster of lab.clusters) console.log(`${cluster.name}\t${cluster.server}\t${cluster.kubeconfigPath}`);
  for (const { name, pid, alive } of lab.processes()) console.log(`  ${name}\t${pid}\t${alive ? 'runs' : 'has ended'}`);
  if (lab.processes().some((entry) => !entry.alive)) process.exitCode = 1;
}

async function exec(where: string, command: readonly string[], flags: InstanceFlags): Promise<void> {
  const [program = 'sh', ...args] = command;
  process.exitCode = await Lab.open(flags.instance).exec(where, program, args);
}

const instance = (): Option => new Option('--instance <name>', 'name of the lab').default('default');

const program = new Command('lab').description('Real Kubernetes clusters on this machine').enablePositionalOptions();

program
  .command('up')
  .description('start a host cluster and its member clusters')
  .addOption(instance())
  .option('--members <n>', 'number of member clusters', count, 2)
  .option('--nodes <n>', 'nodes of each member (default: 3 KWOK nodes, with --full 1)', count)
  .option('--host-nodes <n>', 'nodes of the host (default: 0, with --full as --nodes)', count)
  .option('--full', 'real kubelets and containers, in the host too')
  .addOption(new Option('--family <family>', 'IP families').choices(['ipv4', 'ipv6', 'dual']).default('ipv4'))
  .option('--same-cidrs', 'give all clusters the same pod and service CIDRs')
  .option('--kube-version <version>', 'Kubernetes version, as 1.34 or 1.34.2')
  .action(up);

program
  .command('down')
  .description('remove a lab, or what a crash has left of it')
  .addOption(instance())
  .option('--all', 'remove every lab of this repository')
  .action(down);

program.command('status').description('show clusters and processes').addOption(instance()).action(status);

program
  .command('kubectl')
  .description('run kubectl with all rights in a cluster')
  .addOption(instance())
  .argument('<cluster>')
  .argument('[args...]')
  .passThroughOptions()
  .action((cluster: string, args: string[], flags: InstanceFlags) => exec(cluster, ['kubectl', ...args], flags));

program
  .command('exec')
  .description("run a command in a cluster's network namespace (or in that of clients: client)")
  .addOption(instance())
  .argument('<cluster>')
  .argument('[command...]')
  .passThroughOptions()
  .action(exec);

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
