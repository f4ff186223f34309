import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CrashRig, kindOf } from './crash-rig.js';
import { eventually } from './eventually.js';
import { isReady } from './federation.js';
import { deployments } from './resources.js';
import { deployment } from './workloads.js';

const SLOW = { timeoutMs: 180_000 };
/** Whatever a manager has to say about pods when it starts, it has said by then. */
const CALM_MS = 3_000;

/** Kills a manager that has `count` healthy pods, ends the next one in good order, and asserts that none writes about them. */
export async function restartWithHealthyPods(rig: CrashRig, count: number): Promise<void> {
  const { federation } = rig;
  const web = { namespace: await federation.namespace('healthy'), name: 'web' };
  const inHost = () => federation.pods('host', web.namespace);
  const allReady = async () => expect((await inHost()).filter(isReady).length).to.equal(count);
  await federation.host.create(deployments, deployment({ ...web, replicas: count }));
  await eventually(allReady, { ...SLOW, intervalMs: 1_000 });
  await sleep(CALM_MS);
  rig.arm([]);
  rig.forget();
  await rig.crash();
  await rig.settled();
  federation.manager.kill('SIGTERM');
  await federation.manager.wait();
  await federation.startManager();
  await rig.settled();
  await sleep(CALM_MS);
  expect(rig.calls.filter(({ resource }) => resource === 'pods').map(kindOf)).to.include('member LIST pods');
  const touched = rig.writes.filter(({ resource }) => /^(pods|events|namespaces)/.test(resource));
  expect(touched.filter(({ name, resource }) => name !== undefined || resource === 'pods')).to.deep.equal([]);
  await federation.host.delete(deployments, web, { propagationPolicy: 'Background' });
  await eventually(async () => expect((await inHost()).length).to.equal(0), SLOW);
}
