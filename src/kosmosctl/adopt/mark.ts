import PQueue from 'p-queue';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isConflict, isInvalid, isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import { CLI_FIELD_MANAGER, findObject } from '../objects.js';
import type { Change, Finding } from './judgement.js';

/** Where changes go. */
export interface Clients {
  readonly host: KubeClient;
  readonly member: KubeClient;
}

const CONCURRENCY = 16;
const REPORT_EVERY = 100;

/**
 * Makes the changes, some at a time, those of one object one after the other. Returns what could not be changed because it
 * is no longer what was looked at; a later run sees it as it is then.
 */
export async function mark(
  clients: Clients,
  findings: readonly Finding[],
  report: (detail: string) => void,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const queue = new PQueue({ concurrency: CONCURRENCY });
  const missed: Finding[] = [];
  let done = 0;
  const tasks = findings.map((finding) => async () => {
    signal.throwIfAborted();
    if (!(await adopt(clients, finding, signal))) missed.push(finding);
    done += 1;
    if (done % REPORT_EVERY === 0) report(`${done} of ${findings.length}`);
  });
  await queue.addAll(tasks);
  return missed;
}

/** False when the object has changed since it was judged. */
async function adopt(clients: Clients, { judgement }: Finding, signal: AbortSignal): Promise<boolean> {
  if (judgement.kind !== 'adopt') return true;
  for (const change of judgement.changes) {
    if (!(await make(clients[change.where], change, signal))) return false;
  }
  return true;
}

async function make(
  client: KubeClient,
  { type, ref, how, body, where }: Change,
  signal: AbortSignal,
): Promise<boolean> {
  // What stands on copies counts as written by the manager; what is set in the host is nobody's but the user's.
  const fieldManager = where === 'member' ? FIELD_MANAGER : CLI_FIELD_MANAGER;
  try {
    await client.patch(type, ref, body, { type: how, fieldManager, ...(how === 'apply' && { force: true }), signal });
    return true;
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return false;
    if (!isInvalid(error)) throw error;
    const live = await findObject(client, type, ref, signal);
    const { uid } = (body as { readonly metadata: { readonly uid?: string } }).metadata;
    if (live?.metadata?.uid === uid) throw error;
    return false;
  }
}
