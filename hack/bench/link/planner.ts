import type { NodeConfigSpec } from '../../../src/apis/kosmos/v1alpha1/node-config.js';
import { Planner } from '../../../src/clusterlink/planner/planner.js';
import { median, rounded } from '../statistics.js';
import type { Federation } from './federation.js';
import { federation, nodeAt } from './federation.js';
import type { LinkBenchOptions } from './options.js';
import type { Figure, LinkBenchPart } from './part.js';

/** Clusters in P2P mode that are planned for besides: every node has tunnels to all, so there can't be as many. */
const P2P_CLUSTERS = 10;

/** The network-manager's computation: everything at once, and after a change. Writing the result is not part of it. */
export const plannerPart: LinkBenchPart = {
  name: 'planner',
  run: ({ clusters, nodes, repeat }: LinkBenchOptions, log) => {
    log(`planning for ${clusters} clusters of ${nodes} nodes`);
    const gateway = federation(clusters, nodes, 'gateway');
    const full = timed(repeat, () => configure(planned(gateway)));
    const planner = planned(gateway);
    configure(planner);
    log(`planning for ${P2P_CLUSTERS} clusters of ${nodes} nodes in P2P mode`);
    const p2p = planned(federation(P2P_CLUSTERS, nodes, 'p2p'));
    const p2pFullMs = timed(1, () => configure(p2p));
    return Promise.resolve({
      fullMs: full,
      oneNodeMs: timed(repeat, (run) => addNode(planner, nodes + run)),
      moveGatewayMs: timed(repeat, (run) => moveGateway(planner, run % 2 === 0)),
      configBytes: {
        gateway: bytesOf(planner.config('cluster-1-node-0')),
        standby: bytesOf(planner.config('cluster-1-node-1')),
        node: bytesOf(planner.config('cluster-1-node-5')),
      },
      p2p: {
        fullMs: p2pFullMs,
        oneNodeMs: timed(repeat, (run) => addNode(p2p, nodes + run)),
        configBytes: bytesOf(p2p.config('cluster-1-node-5')),
      },
    } satisfies Record<string, Figure>);
  },
};

function planned({ clusters, nodes }: Federation): Planner {
  const planner = new Planner();
  for (const cluster of clusters) planner.setCluster(cluster);
  for (const node of nodes) planner.setNode(node);
  return planner;
}

function configure(planner: Planner): number {
  const { changed } = planner.plan();
  for (const name of changed) planner.config(name);
  return changed.size;
}

function addNode(planner: Planner, node: number): void {
  planner.setNode(nodeAt(1, node));
  configure(planner);
}

/** The first standby and the gateway change places. */
function moveGateway(planner: Planner, away: boolean): void {
  for (const node of [0, 1]) {
    const { metadata, spec } = nodeAt(2, node);
    const gateway = (node === 0) !== away;
    planner.setNode({
      metadata,
      spec: { ...spec, roles: gateway ? ['gateway'] : [], standbyOrder: gateway ? undefined : 1 },
    });
  }
  configure(planner);
}

/** Median of some runs, in milliseconds. */
function timed(runs: number, act: (run: number) => unknown): number {
  const times = Array.from({ length: runs }, (_, run) => {
    const startedAt = performance.now();
    act(run);
    return performance.now() - startedAt;
  });
  return rounded(median(times), 2);
}

function bytesOf(config: NodeConfigSpec | undefined): number {
  return Buffer.byteLength(JSON.stringify(config ?? {}));
}
