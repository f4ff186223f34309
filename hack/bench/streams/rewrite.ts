import { memberSessionPath, parseSessionPath } from '../../../src/clustertree/kubelet/stream-request.js';
import { parseTarget } from '../../../src/clustertree/kubelet/target.js';

/** The pod behind the pipe has its own name in the host, since one pod can't be on two nodes. */
export const PIPED_SUFFIX = '-piped';

/** Turns the first line of a request to a kubelet into one to an API server; the rest of the bytes stays. */
export function rewriteRequestLine(first: Buffer): Buffer {
  const end = first.indexOf('\r\n');
  const [method = '', url = '', version = ''] = first.subarray(0, end).toString('latin1').split(' ');
  const target = parseTarget(url);
  if (target === undefined) throw new Error(`${url} is no path of a kubelet`);
  const session = parseSessionPath(target);
  const [, namespace = '', pod = '', container = ''] = target.segments;
  const path =
    session === undefined
      ? `/api/v1/namespaces/${namespace}/pods/${memberName(pod)}/log?container=${container}&${target.query}`
      : memberSessionPath({ ...session, pod: memberName(session.pod) }, target.query);
  // A reused connection would bring a second request, which nobody would rewrite.
  const close = session === undefined ? '\r\nConnection: close' : '';
  return Buffer.concat([Buffer.from(`${method} ${path} ${version}${close}`), first.subarray(end)]);
}

function memberName(pod: string): string {
  return pod.endsWith(PIPED_SUFFIX) ? pod.slice(0, -PIPED_SUFFIX.length) : pod;
}
