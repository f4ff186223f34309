import { readFileSync } from 'node:fs';
import { loadLibc } from '../clusterlink/agent/netlink/libc.js';
import { Floater } from '../clusterlink/floater/floater.js';
import { ownMtu } from '../clusterlink/floater/own-mtu.js';
import { decodePlan, encodeReport, type ProbeReport } from '../clusterlink/floater/plan.js';
import { runPlan } from '../clusterlink/floater/run-plan.js';
import { systemClock as clock, systemRandom as random } from '../lib/clock.js';
import type { Logger } from '../lib/logger.js';
import { nodeNameOf, type AgentOptions } from './agent-options.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Answers connectivity checks until the signal aborts. */
export async function runFloater(
  options: AgentOptions,
  environment: Environment,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const floater = new Floater({
    address: options.floaterAddress,
    httpPort: options.floaterHttpPort,
    tcpPort: options.floaterTcpPort,
    udpPort: options.floaterUdpPort,
    nodeName: nodeNameOf(options, environment),
    logger,
  });
  logger.info('answering connectivity checks', { ports: await floater.listen() });
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await floater.close();
}

/** Tries what the plan says and prints how each thing ended, a line of JSON for each. */
export async function runProbes(
  options: AgentOptions,
  _environment: Environment,
  _logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const plan = decodePlan(options.probePlan ?? '');
  const runner = {
    ...{ clock, random, libc: await loadLibc(), mtu: ownMtu() },
    resolvConf: readFileSync('/etc/resolv.conf', 'utf8'),
    report: (report: ProbeReport) => void process.stdout.write(encodeReport(report)),
  };
  await runPlan(plan, runner, signal);
}
