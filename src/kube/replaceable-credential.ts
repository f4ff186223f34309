import { fingerprintOf, type ClusterAccess } from './cluster-access.js';
import type { AuthMaterial, Credential } from './credential.js';

/** A credential that can be exchanged for another while connections stay open. */
export class ReplaceableCredential implements Credential {
  #credential: Credential;

  constructor(credential: Credential) {
    this.#credential = credential;
  }

  /** Requests from now on show this one. */
  replace(credential: Credential): void {
    this.#credential = credential;
  }

  current(signal: AbortSignal): Promise<AuthMaterial> {
    return this.#credential.current(signal);
  }

  refused(material: AuthMaterial): void {
    this.#credential.refused(material);
  }
}

/** Access whose credential can be exchanged for that of another kubeconfig. */
export interface ReplaceableAccess {
  readonly access: ClusterAccess;
  /** False, and nothing is exchanged, when the kubeconfig doesn't lead to the same server in the same way. */
  readonly adopt: (kubeconfig: string) => boolean;
}

/** Access by a kubeconfig. @throws as `parse` does; `adopt` too */
export function replaceableAccess(parse: (kubeconfig: string) => ClusterAccess, kubeconfig: string): ReplaceableAccess {
  const parsed = parse(kubeconfig);
  const credential = new ReplaceableCredential(parsed.credential);
  return {
    access: { ...parsed, credential },
    adopt: (text) => {
      const next = parse(text);
      if (!isSameServer(parsed, next)) return false;
      credential.replace(next.credential);
      return true;
    },
  };
}

/** Whether both lead to the same server in the same way, whoever asks. */
export function isSameServer(one: ClusterAccess, other: ClusterAccess): boolean {
  return serverFingerprint(one) === serverFingerprint(other);
}

function serverFingerprint(access: ClusterAccess): string {
  const { server, certificateAuthority, tlsServerName, insecureSkipTlsVerify, proxyUrl, impersonation } = access;
  const parts = [server, certificateAuthority, tlsServerName, insecureSkipTlsVerify, proxyUrl?.reveal(), impersonation];
  // A list keeps nothing in the place of what is missing.
  return fingerprintOf(parts.map((part) => part ?? null));
}
