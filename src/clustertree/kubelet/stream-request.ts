import { isDnsLabel, isDnsSubdomain } from '../../lib/label-syntax.js';
import { decodeValue, escapeValue, queryParameters, type RequestTarget } from './target.js';

/** What can be opened in a pod. */
export type SessionKind = 'exec' | 'attach' | 'portForward';

/** A request for a session in a pod, as its path says. */
export interface SessionPath {
  readonly kind: SessionKind;
  readonly namespace: string;
  readonly pod: string;
  /** UID that the host pod must have; undefined when the path names none. */
  readonly uid: string | undefined;
  /** Undefined for port-forward. */
  readonly container: string | undefined;
}

const KINDS: readonly string[] = ['exec', 'attach', 'portForward'] satisfies SessionKind[];

/** Whether a path opens a session; it need not be a valid one. */
export function opensSession({ segments }: RequestTarget): boolean {
  return KINDS.includes(segments[0] ?? '');
}

/**
 * Reads kubelet's paths `/exec/NAMESPACE/POD[/UID]/CONTAINER`, `/attach/…` and `/portForward/NAMESPACE/POD[/UID]`.
 * Undefined when it is another path, or when a name could not be one.
 */
export function parseSessionPath({ segments }: RequestTarget): SessionPath | undefined {
  const [kind = '', namespace = '', pod = '', ...rest] = segments;
  if (!KINDS.includes(kind) || !isDnsLabel(namespace) || !isDnsSubdomain(pod)) return undefined;
  const container = kind === 'portForward' ? undefined : rest.pop();
  const [uid, ...more] = rest;
  const isNamed = kind === 'portForward' || isDnsLabel(container ?? '');
  if (!isNamed || more.length > 0) return undefined;
  return { kind: kind as SessionKind, namespace, pod, uid, container };
}

/** Parameters of exec and attach: kubelet's name, and the one of the pods API. */
const STREAMS: ReadonlyMap<string, string> = new Map([
  ['input', 'stdin'],
  ['output', 'stdout'],
  ['error', 'stderr'],
  ['tty', 'tty'],
]);

/**
 * The path and query by which an API server opens the same session. The command's words keep their order and every byte;
 * parameters that mean nothing here are left out.
 */
export function memberSessionPath(session: SessionPath, query: string): string {
  const { kind, namespace, pod, container } = session;
  const root = `/api/v1/namespaces/${namespace}/pods/${pod}/${kind.toLowerCase()}`;
  const parameters =
    kind === 'portForward' ? portParameters(query) : [`container=${container ?? ''}`, ...streamParameters(kind, query)];
  return parameters.length === 0 ? root : `${root}?${parameters.join('&')}`;
}

function streamParameters(kind: SessionKind, query: string): readonly string[] {
  return queryParameters(query).flatMap(({ name, encoded }) => {
    if (name === 'command' && kind === 'exec') return [`command=${escapeValue(encoded)}`];
    const stream = STREAMS.get(name);
    return stream !== undefined && decodeValue(encoded) === '1' ? [`${stream}=true`] : [];
  });
}

/** Only WebSocket clients name ports here; over SPDY they travel inside the streams. */
function portParameters(query: string): readonly string[] {
  return queryParameters(query)
    .filter(({ name }) => name === 'port')
    .flatMap(({ encoded }) => (decodeValue(encoded) ?? '').split(','))
    .filter((port) => /^\d{1,5}$/.test(port))
    .map((port) => `ports=${port}`);
}
