import PQueue from 'p-queue';
import type { Clock, Random } from '../../lib/clock.js';
import type { SocketLibc } from '../agent/netlink/libc.js';
import { probeIcmp, probeMtu, type ProbeTools, probeUdp } from './datagram-probes.js';
import { probeDns } from './dns-probe.js';
import type { Outcome, Probe, ProbePlan, ProbeReport, ProbeTarget } from './plan.js';
import { probeTcp } from './tcp-probe.js';

/** Of {@link runPlan}. */
export interface PlanRunner {
  readonly libc: SocketLibc;
  readonly clock: Clock;
  readonly random: Random;
  /** Of the own device, in bytes. */
  readonly mtu: number;
  readonly resolvConf: string;
  /** Takes each report as soon as it is there. */
  readonly report: (report: ProbeReport) => void;
}

/** Tries all targets of a plan, several at a time, until the signal aborts. */
export async function runPlan(plan: ProbePlan, runner: PlanRunner, signal: AbortSignal): Promise<void> {
  const queue = new PQueue({ concurrency: plan.concurrency });
  await Promise.all(
    plan.targets.map((target) =>
      queue.add(async () => {
        if (signal.aborted) return;
        runner.report({ id: target.id, outcomes: await probeTarget(target, plan, runner) });
      }),
    ),
  );
}

async function probeTarget(
  { ip, name, probes }: ProbeTarget,
  { port, timeoutMs }: ProbePlan,
  { mtu, ...runner }: PlanRunner,
): Promise<ProbeReport['outcomes']> {
  const { clock } = runner;
  const outcomes: Partial<Record<Probe, Outcome>> = {};
  const wants = (probe: Probe): boolean => probes.includes(probe);
  if (name !== undefined && wants('dns')) outcomes.dns = await probeDns(name, { ...runner, timeoutMs });
  if (ip === undefined) return outcomes;
  const tools: ProbeTools = { ...runner, timeoutMs };
  const address = { ip, port };
  if (wants('icmp')) outcomes.icmp = await probeIcmp(ip, tools);
  if (wants('tcp')) outcomes.tcp = await probeTcp(address, clock, timeoutMs);
  if (wants('udp')) outcomes.udp = await probeUdp(address, tools);
  // Sizes are asked by UDP: where that doesn't get through, nothing can be said of them.
  if (wants('mtu') && outcomes.udp?.ok !== false) outcomes.mtu = await probeMtu(address, mtu, tools);
  return outcomes;
}
