/** Who sends a request, as an authenticator found out; `user.Info` of Kubernetes. */
export interface User {
  readonly username: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** The group of everybody whose identity was proved. */
export const AUTHENTICATED_GROUP = 'system:authenticated';
