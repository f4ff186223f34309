import { systemClock } from '../lib/clock.js';
import { TerminalError } from '../lib/errors.js';
import { yaml } from '../lib/yaml.js';
import { type ClusterAccess, fingerprintOf } from './cluster-access.js';
import { FieldReader, Problems } from './field-reader.js';
import { readCluster } from './kubeconfig-cluster.js';
import type { KubeconfigContext, KubeconfigOptions } from './kubeconfig-options.js';
import { readUser } from './kubeconfig-user.js';

/** A kubeconfig that can't be used: `KUBECONFIG_INVALID`, with everything that is wrong with it and no value out of it. */
export class KubeconfigError extends TerminalError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('KUBECONFIG_INVALID', `the kubeconfig is not valid: ${problems.join('; ')}`);
    this.problems = problems;
  }
}

/** More than any real kubeconfig has; a Secret can't be larger either. */
const LONGEST_TEXT = 1 << 20;

/** Reads the access to one cluster (that of the context) out of a kubeconfig. Throws KubeconfigError. */
export function parseKubeconfig(text: string, options: KubeconfigOptions = {}): ClusterAccess {
  const context: KubeconfigContext = {
    allowFiles: options.allowFiles ?? false,
    allowExec: options.allowExec ?? false,
    baseDirectory: options.baseDirectory ?? '.',
    environment: options.environment ?? {},
    clock: options.clock ?? systemClock,
  };
  const problems = new Problems();
  const root = FieldReader.of(parseYaml(text), '', problems);
  const access = root && readAccess(root, options.context, { context, problems });
  if (!access || problems.list.length > 0) throw new KubeconfigError(problems.list);
  return access;
}

function parseYaml(text: string): unknown {
  if (text.length > LONGEST_TEXT) throw new KubeconfigError([`document: is longer than ${LONGEST_TEXT} characters`]);
  const document = yaml().parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) {
    // The parser's messages quote the text.
    const problems = document.errors.map(
      ({ code, linePos }) => `document: ${code} at line ${linePos?.[0].line ?? '?'}`,
    );
    throw new KubeconfigError([...new Set(problems)]);
  }
  try {
    return document.toJS();
  } catch {
    throw new KubeconfigError(['document: too many aliases']);
  }
}

function readAccess(
  root: FieldReader,
  wanted: string | undefined,
  how: { readonly context: KubeconfigContext; readonly problems: Problems },
): ClusterAccess | undefined {
  const name = wanted ?? root.required('current-context');
  if (name === undefined) return undefined;
  const current = findNamed(root, { list: 'contexts', part: 'context', name }, how.problems);
  const clusterName = current?.required('cluster');
  const userName = current?.string('user');
  const clusterFields =
    clusterName === undefined
      ? undefined
      : findNamed(root, { list: 'clusters', part: 'cluster', name: clusterName }, how.problems);
  const userFields =
    userName === undefined ? undefined : findNamed(root, { list: 'users', part: 'user', name: userName }, how.problems);
  const cluster = clusterFields && readCluster(clusterFields, how.context);
  const user = readUser(userFields, cluster, how.context);
  if (!cluster) return undefined;
  const fingerprint = fingerprintOf([cluster.configured, userFields?.raw() ?? {}, user.fileContents]);
  return { ...cluster.access, credential: user.credential, impersonation: user.impersonation, fingerprint };
}

/** kubeconfigs keep maps as lists of `{name, <part>}`. */
function findNamed(
  root: FieldReader,
  what: { readonly list: string; readonly part: string; readonly name: string },
  problems: Problems,
): FieldReader | undefined {
  const entry = root.objects(what.list).find((candidate) => candidate.string('name') === what.name);
  if (!entry) {
    problems.add(what.list, 'has no entry of the name that is referred to');
    return undefined;
  }
  const part = entry.object(what.part);
  if (!part && !entry.has(what.part)) entry.problem(what.part, 'is missing');
  return part;
}
