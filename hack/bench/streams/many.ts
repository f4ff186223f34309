import { Agent as HttpsAgent, request } from 'node:https';
import { Agent, WebSocket } from 'undici';
import { readAccess } from '../../lab/kubeconfig.js';
import type { Lab } from '../../lab/lab.js';
import { residentKiB } from '../process-usage.js';
import { createPod, NAMESPACE, POD, podRunning } from './stage.js';

const OPEN_AT_ONCE = 10;
const FOLLOWED_LINES = 300;
const LINE_INTERVAL_SECONDS = 0.1;

/** How many sessions at once cost the manager. */
export interface ManyResult {
  readonly sessions: number;
  readonly rssKibEach: number;
}

/** What of followed logs has come. */
export interface FollowResult {
  readonly pods: number;
  readonly linesEach: number;
  /** Pods whose log is not whole. */
  readonly incomplete: number;
}

/** Opens many exec sessions through the manager and holds them; returns by how much each made it grow. */
export async function holdSessions(lab: Lab, count: number, pid: number): Promise<ManyResult> {
  const { ca, cert, key, server } = readAccess(lab.host.kubeconfigPath);
  const dispatcher = new Agent({ connect: { ca, cert, key } });
  const base = server.replace('https:', 'wss:');
  const url = `${base}/api/v1/namespaces/${NAMESPACE}/pods/${POD}/exec?command=cat&stdin=true&stdout=true`;
  const before = residentKiB(pid);
  const open: WebSocket[] = [];
  const openOne = async (): Promise<void> => {
    const socket = new WebSocket(url, { protocols: ['v5.channel.k8s.io'], dispatcher });
    socket.binaryType = 'arraybuffer';
    open.push(socket);
    await echoed(socket);
  };
  for (let left = count; left > 0; left -= OPEN_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(OPEN_AT_ONCE, left) }, openOne));
  }
  const after = residentKiB(pid);
  for (const socket of open) socket.close();
  await dispatcher.destroy();
  return { sessions: count, rssKibEach: Math.round((after - before) / count) };
}

/** Resolves when the session echoes what is written to it. */
function echoed(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    // The first byte of a message is its channel: 0 is the standard input, 1 the standard output.
    socket.addEventListener('open', () => socket.send(Buffer.from('\x00ping\n')));
    socket.addEventListener('message', ({ data }) => {
      if (new Uint8Array(data as ArrayBuffer)[0] === 1) resolve();
    });
    socket.addEventListener('error', () => reject(new Error('a session could not be opened')));
    socket.addEventListener('close', () => reject(new Error('a session ended early')));
  });
}

/** Follows the logs of many pods that write at a fixed rate, and counts what comes. */
export async function followLogs(lab: Lab, count: number): Promise<FollowResult> {
  const script = `sleep 5; i=0; while [ $i -lt ${FOLLOWED_LINES} ]; do echo "line $i"; sleep ${LINE_INTERVAL_SECONDS}; i=$((i+1)); done`;
  const names = Array.from({ length: count }, (_, i) => `talker-${i}`);
  for (const name of names) await createPod(lab, name, script);
  const lines = await Promise.all(
    names.map(async (name) => {
      await podRunning(lab, name);
      return countLines(lab, name);
    }),
  );
  return { pods: count, linesEach: FOLLOWED_LINES, incomplete: lines.filter((n) => n !== FOLLOWED_LINES).length };
}

function countLines(lab: Lab, name: string): Promise<number> {
  const { ca, cert, key, server } = readAccess(lab.host.kubeconfigPath);
  const agent = new HttpsAgent({ ca, cert, key });
  const url = `${server}/api/v1/namespaces/${NAMESPACE}/pods/${name}/log?follow=true`;
  return new Promise((resolve, reject) => {
    request(url, { agent }, (answer) => {
      let lines = 0;
      answer.on('data', (chunk: Buffer) => (lines += chunk.toString('latin1').split('\n').length - 1));
      answer.on('error', reject);
      answer.on('end', () => resolve(lines));
    })
      .on('error', reject)
      .end();
  });
}
