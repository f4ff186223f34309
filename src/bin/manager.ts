import { Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { KOSMOS_NAMESPACE } from '../apis/names.js';
import { createKubeClient } from '../kube/http-client.js';
import { createInformerFactory } from '../kube/informer-factory.js';
import { parseKubeconfig } from '../kube/kubeconfig.js';
import { namespaces } from '../kube/resource.js';
import { createTransport } from '../kube/transport.js';
import { systemClock as clock, systemRandom as random } from '../lib/clock.js';
import type { Logger, LogFields } from '../lib/logger.js';
import { createControllerFactory } from '../runtime/controller-factory.js';
import { ApiEventRecorder } from '../runtime/event-recorder.js';
import { LeaderElector } from '../runtime/leader-election.js';
import { ClusterTree } from './clustertree.js';

function logger(fields: LogFields): Logger {
  const write = (level: string) => (message: string, more?: LogFields) =>
    process.stderr.write(`${JSON.stringify({ level, time: new Date().toISOString(), message, ...fields, ...more })}\n`);
  return {
    debug: () => undefined,
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (more) => logger({ ...fields, ...more }),
  } as Logger;
}

const program = new Command()
  .requiredOption('--kubeconfig <file>')
  .requiredOption('--kubelet-address <ip>')
  .option('--kubelet-port <port>', '', '10250')
  .parse();
const options = program.opts<{ kubeconfig: string; kubeletAddress: string; kubeletPort: string }>();
const log = logger({});
const access = parseKubeconfig(readFileSync(options.kubeconfig, 'utf8'), { allowFiles: true, allowExec: true });
const electionTransport = createTransport({ access, connections: 4, clock });
const transport = createTransport({ access, clock });
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort(new Error('SIGTERM')));
process.on('SIGINT', () => stop.abort(new Error('SIGINT')));
const elector = new LeaderElector({
  client: createKubeClient(electionTransport),
  ...{ clock, random, logger: log },
  lease: { namespace: KOSMOS_NAMESPACE, name: 'kosmos-manager' },
  identity: `${hostname()}_${randomUUID()}`,
});
const { gate } = elector;
const host = createKubeClient(transport, { gate, cluster: 'host' });
const lowPriorityHost = createKubeClient(transport, { gate, cluster: 'host', priority: 'low' });
const kubeSystem = await host.get(namespaces, { name: 'kube-system' });
try {
  await createKubeClient(electionTransport).create(namespaces, { metadata: { name: KOSMOS_NAMESPACE } });
} catch (error) {
  log.info('namespace', { error: String(error) });
}
const recorder = new ApiEventRecorder({
  client: lowPriorityHost,
  ...{ clock, random, logger: log },
  source: { component: 'kosmos-manager' },
});
const tree = new ClusterTree({
  hostClusterUid: kubeSystem.metadata?.uid ?? '',
  ...{ host, lowPriorityHost, gate, recorder, clock, random, logger: log },
  leaseClient: createKubeClient(electionTransport, { gate, cluster: 'host' }),
  createInformer: createInformerFactory({ clock, random, logger: log }),
  createController: createControllerFactory({ clock, logger: log }),
  onEventDropped: () => undefined,
  observeRequest: () => undefined,
  kubelet: { addresses: [options.kubeletAddress], port: Number(options.kubeletPort) },
  reservedNamespaces: ['kube-system', 'kosmos-system'],
  memberLimits: { qps: 200, burst: 400 },
  allowExecCredentials: false,
  excludeExistingDaemonSets: false,
});
await Promise.all([
  tree.run(stop.signal).catch((error: unknown) => log.error('tree', { error: String(error) })),
  recorder.run(stop.signal),
  elector.run(stop.signal, (signal) => tree.lead(signal)),
]);
await host.close();
await electionTransport.close();
