import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { NodeConfig } from '../../src/apis/kosmos/v1alpha1/node-config.js';
import { hasApplied } from '../../src/clusterlink/cluster/link-condition.js';
import { nodeConfigs } from '../../src/kube/kosmos-resources.js';
import { always, eventually } from './eventually.js';
import type { LinkedLab, LinkedPod } from './linked-lab.js';

/** What happens first is given this time, and so is the calm at the end. */
const RESTARTS_MS = 5_000;
const CALM_MS = 4_000;
const CONFIRM_MS = 120_000;

export interface HostOutage {
  readonly lab: LinkedLab;
  /** Who pings: in a member, on a node that stays. */
  readonly from: LinkedPod;
  /** The pod in the host that is pinged, on a node that stays. */
  readonly to: LinkedPod;
  /** The host's gateway, which is killed. */
  readonly gateway: string;
  /** For how long the host's API server is away, at least. */
  readonly awayMs: number;
}

/** For how long nothing came through in each part of an outage, in milliseconds. */
export interface OutageLosses {
  /** While agents were killed and started again without an API server of their own. */
  readonly restarts: number;
  /** From the end of the gateway to that of the outage. */
  readonly gateway: number;
  /** While the host came back, and after that. */
  readonly comeback: number;
}

/**
 * Takes the API server of the host away; kills and starts agents on both sides; kills the host's gateway; brings the API
 * server back, and waits until the manager has confirmed the gateway that agents chose meanwhile.
 */
export async function hostOutage({ lab, from, to, gateway, awayMs }: HostOutage): Promise<OutageLosses> {
  const host = lab.federation.lab.cluster('host');
  const address = to.ips[0] ?? '';
  // What is planned has to be there before nobody can plan any more.
  await eventually(async () => expect(await activeGateway(lab, from, 'host')).to.equal(gateway));
  await lab.linked('host');
  await eventually(async () => expect(hasApplied(await configOf(lab, from))).to.equal(true));
  const beginsAt = performance.now();
  await host.stopApiServer();
  const restarts = await lab.lostDuring(from, address, RESTARTS_MS, async () => {
    for (const { cluster, node } of [to, from]) await lab.restartAgent(cluster, node);
  });
  await keptConfig(lab, to.node);

  const left = Math.max(8_000, awayMs - (performance.now() - beginsAt));
  const lostAfterKill = await lab.lostDuring(from, address, left, () => lab.crashNode(gateway));
  await eventually(async () => expect(await activeGateway(lab, from, 'host')).to.equal(to.node));
  await lab.reaches(from, address);

  const comeback = await lab.lostWhile(from, address, async () => {
    await host.startApiServer();
    // Kubelets that could not report for so long may first be given up.
    await eventually(async () => expect(await gatewayOf(lab, 'host')).to.equal(to.node), { timeoutMs: CONFIRM_MS });
    await always(async () => {
      expect(await gatewayOf(lab, 'host')).to.equal(to.node);
      // Where there is only one left, a config names none.
      expect(await activeGateway(lab, from, 'host')).to.be.oneOf([to.node, undefined]);
    }, CALM_MS);
  });
  return { restarts, gateway: lostAfterKill, comeback };
}

/** Until the agent of a node has started with the config that it had kept. */
async function keptConfig(lab: LinkedLab, node: string): Promise<void> {
  await eventually(() => expect(readFileSync(lab.agentLog(node), 'utf8')).to.contain('using the config that was kept'));
}

/** The gateway of a cluster as the manager says. */
export async function gatewayOf(lab: LinkedLab, cluster: string): Promise<string | undefined> {
  return (await lab.cluster(cluster)).status?.clusterLinkStatus?.gateway;
}

/** The gateway that the agent on a pod's node uses for a cluster, as it says itself. */
async function activeGateway(lab: LinkedLab, from: LinkedPod, of: string): Promise<string | undefined> {
  const { activeGateways } = (await configOf(lab, from))?.status ?? {};
  return activeGateways?.find(({ clusterName }) => clusterName === of)?.nodeName;
}

/** What is planned for a pod's node, as its own cluster has it. */
async function configOf(lab: LinkedLab, { cluster, node }: LinkedPod): Promise<NodeConfig | undefined> {
  const { items } = await lab.federation.client(cluster).list(nodeConfigs);
  return items.find(({ spec }) => spec.nodeName === node);
}
