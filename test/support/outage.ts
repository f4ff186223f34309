import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabCluster } from '../../hack/lab/cluster.js';
import type { Component, LabOptions } from '../../hack/lab/options.js';

/**
 * What an API server's clients in its own cluster do when it is away. Controller manager and scheduler lose their
 * leases and exit, and are started again; in the lab, where they elect no leader, they would go on with caches that
 * are older than the outage. KWOK would wait up to a minute in its back-off, where kubelets retry after seconds.
 */
const COMPANIONS: readonly Component[] = ['kube-controller-manager', 'kube-scheduler', 'kwok'];

function companionsOf(cluster: LabCluster): readonly Component[] {
  return cluster.name === 'host' ? COMPANIONS.filter((component) => component !== 'kwok') : COMPANIONS;
}

/** An API server that crashes. */
export async function stopControlPlane(cluster: LabCluster): Promise<void> {
  await cluster.stopApiServer('SIGKILL');
  for (const component of companionsOf(cluster)) await cluster.stopComponent(component, 'SIGKILL');
}

/** Returns the time (of `performance.now`) at which the API server was ready again. */
export async function startControlPlane(cluster: LabCluster): Promise<number> {
  await cluster.startApiServer();
  const readyAt = performance.now();
  for (const component of companionsOf(cluster)) await cluster.startComponent(component);
  return readyAt;
}

/** An API server that takes connections and answers nothing, as behind a network that drops packets. */
export async function freezeControlPlane(cluster: LabCluster): Promise<void> {
  await cluster.pauseComponent('kube-apiserver');
  // A controller manager that wakes up takes all its nodes for lost.
  await cluster.stopComponent('kube-controller-manager', 'SIGKILL');
}

export async function thawControlPlane(cluster: LabCluster): Promise<number> {
  cluster.resumeComponent('kube-apiserver');
  await cluster.waitForApiServer();
  const readyAt = performance.now();
  await cluster.startComponent('kube-controller-manager');
  return readyAt;
}

/** A deletion of a pod, as an API server's audit log has it. */
export interface AuditedDelete {
  readonly user: string;
  readonly userAgent: string;
  readonly namespace: string;
  readonly name: string;
}

/** Lab options with which all API servers write down who deletes pods; see {@link podDeletes}. */
export function auditPodDeletes(instance: string): Pick<LabOptions, 'extraArgs'> {
  const file = join(tmpdir(), `kosmos-${instance}-audit-policy.json`);
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [
      { level: 'Metadata', verbs: ['delete', 'deletecollection'], resources: [{ group: '', resources: ['pods'] }] },
      { level: 'None' },
    ],
  };
  writeFileSync(file, JSON.stringify(policy));
  return { extraArgs: { 'kube-apiserver': [`--audit-policy-file=${file}`, '--audit-log-path=-'] } };
}

/** All deletions of pods that a cluster's API server was asked for. */
export function podDeletes(cluster: LabCluster): readonly AuditedDelete[] {
  const lines = readFileSync(cluster.logFile('kube-apiserver'), 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('{"kind":"Event","apiVersion":"audit.k8s.io/v1"')).map(parseAudit);
}

/** Those that the manager asked for. The tests delete with kubectl, so that the two can be told apart. */
export function managerDeletes(cluster: LabCluster): readonly AuditedDelete[] {
  return podDeletes(cluster).filter(({ userAgent }) => userAgent.startsWith('kosmos'));
}

function parseAudit(line: string): AuditedDelete {
  const event = JSON.parse(line) as {
    readonly user?: { readonly username?: string };
    readonly userAgent?: string;
    readonly objectRef?: { readonly namespace?: string; readonly name?: string };
  };
  return {
    user: event.user?.username ?? '',
    userAgent: event.userAgent ?? '',
    namespace: event.objectRef?.namespace ?? '',
    name: event.objectRef?.name ?? '',
  };
}
