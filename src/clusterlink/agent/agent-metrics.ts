import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { NodeConfigPeerStatus } from '../../apis/kosmos/v1alpha1/node-config.js';
import type { MetricSpec } from '../../runtime/metric-table.js';
import type { AgentObserver } from './agent.js';
import type { Link } from './netlink/link.js';

/** Every metric of `kosmos-agent`, beside those of a Node process; docs/reference/agent-metrics.md is made from it. */
export const AGENT_METRICS = {
  kosmos_agent_sync_total: {
    type: 'counter',
    help: 'Comparisons of the kernel with the config by outcome: success, error.',
    labels: ['outcome'],
  },
  kosmos_agent_sync_duration_seconds: {
    type: 'histogram',
    help: 'Time of a comparison with all that was put right.',
    labels: [],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  kosmos_agent_changes_total: { type: 'counter', help: 'Changes of the kernel that were made.', labels: [] },
  kosmos_agent_drift_repaired_total: {
    type: 'counter',
    help: 'Those of them that put right what others had changed.',
    labels: [],
  },
  kosmos_agent_errors: {
    type: 'gauge',
    help: 'What could not be applied at the last comparison; the status of the NodeConfig says what.',
    labels: [],
  },
  kosmos_agent_config_stale: {
    type: 'gauge',
    help: "1 while the API server of the node's own cluster can't be watched, so that the last known config is applied; else 0.",
    labels: [],
  },
  kosmos_agent_gateway_switches_total: {
    type: 'counter',
    help: 'How often another gateway was chosen because the present one did not answer; cluster is whose gateway it is.',
    labels: ['cluster'],
  },
  kosmos_agent_peer_up: {
    type: 'gauge',
    help: '1 when a peer answers probes in the tunnel, else 0.',
    labels: ['peer', 'ip'],
  },
  kosmos_agent_peer_rtt_seconds: {
    type: 'gauge',
    help: 'Round-trip time of the last probes in the tunnel.',
    labels: ['peer', 'ip'],
  },
  kosmos_agent_peer_loss: {
    type: 'gauge',
    help: 'Part of the last probes in the tunnel that did not come back.',
    labels: ['peer', 'ip'],
  },
  kosmos_agent_device_bytes: {
    type: 'gauge',
    help: 'Bytes that a device has carried; direction is received or sent. It begins again when the device is made anew.',
    labels: ['device', 'direction'],
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

/** What is looked at when somebody asks for the metrics. */
export interface AgentSnapshot {
  readonly peers: readonly NodeConfigPeerStatus[];
  readonly links: readonly Link[];
  /** Whether the config is known to be the present one. */
  readonly configKnown: boolean;
  /** Names of the devices to tell of. */
  readonly devices: ReadonlySet<string>;
}

interface Settings {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly registers: Registry[];
}

/** What the agent measures, in a registry of its own. */
export class AgentMetrics {
  readonly #registry = new Registry();
  readonly #snapshot: () => AgentSnapshot;
  readonly #syncs = new Counter(this.#settings('kosmos_agent_sync_total'));
  readonly #duration = new Histogram(this.#histogramSettings());
  readonly #changes = new Counter(this.#settings('kosmos_agent_changes_total'));
  readonly #drift = new Counter(this.#settings('kosmos_agent_drift_repaired_total'));
  readonly #errors = new Gauge(this.#settings('kosmos_agent_errors'));
  readonly #stale = new Gauge(this.#settings('kosmos_agent_config_stale'));
  readonly #switches = new Counter(this.#settings('kosmos_agent_gateway_switches_total'));
  readonly #up = new Gauge(this.#settings('kosmos_agent_peer_up'));
  readonly #rtt = new Gauge(this.#settings('kosmos_agent_peer_rtt_seconds'));
  readonly #loss = new Gauge(this.#settings('kosmos_agent_peer_loss'));
  readonly #bytes = new Gauge(this.#settings('kosmos_agent_device_bytes'));

  constructor(snapshot: () => AgentSnapshot, options: { readonly processMetrics?: boolean } = {}) {
    this.#snapshot = snapshot;
    if (options.processMetrics === true) collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in the Prometheus text format, as they are now. */
  render(): Promise<string> {
    this.#look();
    return this.#registry.metrics();
  }

  /** What the agent reports to. */
  observer(): AgentObserver {
    return {
      synced: (outcome, seconds, result) => {
        this.#syncs.inc({ outcome });
        this.#duration.observe(seconds);
        if (result === undefined) return;
        this.#changes.inc(result.changeCount);
        this.#drift.inc(result.driftCount);
        this.#errors.set(result.errors.length);
      },
      gatewaySwitched: (cluster) => this.#switches.inc({ cluster }),
    };
  }

  #look(): void {
    const { peers, links, devices, configKnown } = this.#snapshot();
    this.#stale.set(configKnown ? 0 : 1);
    for (const gauge of [this.#up, this.#rtt, this.#loss, this.#bytes]) gauge.reset();
    for (const { name: peer, ip, reachable, rttMs, loss } of peers) {
      this.#up.set({ peer, ip }, reachable ? 1 : 0);
      if (rttMs !== undefined) this.#rtt.set({ peer, ip }, rttMs / 1000);
      if (loss !== undefined) this.#loss.set({ peer, ip }, loss);
    }
    for (const { name: device, bytes } of links) {
      if (bytes === undefined || !devices.has(device)) continue;
      this.#bytes.set({ device, direction: 'received' }, bytes.received);
      this.#bytes.set({ device, direction: 'sent' }, bytes.sent);
    }
  }

  #settings(name: keyof typeof AGENT_METRICS): Settings {
    const { help, labels } = AGENT_METRICS[name];
    return { name, help, labelNames: labels, registers: [this.#registry] };
  }

  #histogramSettings(): Settings & { readonly buckets: number[] } {
    const name = 'kosmos_agent_sync_duration_seconds';
    return { ...this.#settings(name), buckets: [...AGENT_METRICS[name].buckets] };
  }
}
