import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { PathRight, Right } from '../../src/kosmosctl/rights/right.js';

/** A request in the audit log of an API server, as far as it matters here. */
interface AuditEvent {
  readonly user: string;
  readonly verb: string;
  readonly requestURI: string;
  /** RBAC had no rule for it. */
  readonly denied: boolean;
  readonly group: string;
  /** With the subresource, as RBAC writes it. */
  readonly resource: string;
}

interface WireEvent {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly requestURI: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly objectRef?: { readonly apiGroup?: string; readonly resource?: string; readonly subresource?: string };
}

const DECISION = 'authorization.k8s.io/decision';

/** What service accounts of some namespaces ask the API servers of a lab, all in one file. */
export class AuditLog {
  readonly #folder = mkdtempSync(join(tmpdir(), 'kosmos-audit-'));

  constructor(namespaces: readonly string[]) {
    const rules = [
      { level: 'Metadata', userGroups: namespaces.map((namespace) => `system:serviceaccounts:${namespace}`) },
      { level: 'None' },
    ];
    const policy = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules };
    writeFileSync(join(this.#folder, 'policy.yaml'), stringify(policy));
  }

  /** Flags for the API servers. */
  get flags(): readonly string[] {
    return [
      `--audit-policy-file=${join(this.#folder, 'policy.yaml')}`,
      `--audit-log-path=${join(this.#folder, 'audit.log')}`,
      '--audit-log-mode=blocking',
    ];
  }

  /** Requests of one service account. */
  requestsOf(account: string): readonly AuditEvent[] {
    const lines = readFileSync(join(this.#folder, 'audit.log'), 'utf8').split('\n');
    const events = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as WireEvent);
    return events
      .filter(({ user }) => user.username === `system:serviceaccount:${account}`)
      .map(({ user, verb, requestURI, annotations, objectRef }) => ({
        ...{ user: user.username, verb, requestURI, denied: annotations?.[DECISION] === 'forbid' },
        group: objectRef?.apiGroup ?? '',
        resource: [objectRef?.resource, objectRef?.subresource].filter((part) => part !== undefined).join('/'),
      }));
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** What was refused, once each. */
export function deniedOf(requests: readonly AuditEvent[]): readonly string[] {
  const denied = requests.filter(({ denied }) => denied).map(({ verb, requestURI }) => `${verb} ${requestURI}`);
  return [...new Set(denied)];
}

/** Rights that no request needed, as `verb resource.group`. */
export function unusedOf(rights: readonly (Right | PathRight)[], requests: readonly AuditEvent[]): readonly string[] {
  const unused = rights.flatMap((right) => {
    if ('nonResourceURLs' in right)
      return right.nonResourceURLs.filter((url) => !requests.some((r) => r.requestURI === url));
    return right.apiGroups.flatMap((group) =>
      right.resources.flatMap((resource) =>
        right.verbs
          .filter((verb) => !requests.some((request) => matches(request, { group, resource, verb })))
          .map((verb) => `${verb} ${resource}${group === '' ? '' : `.${group}`}`),
      ),
    );
  });
  return [...new Set(unused)].sort();
}

function matches(request: AuditEvent, wanted: { group: string; resource: string; verb: string }): boolean {
  if (wanted.resource === '*') return request.verb === wanted.verb;
  return request.group === wanted.group && request.resource === wanted.resource && request.verb === wanted.verb;
}
