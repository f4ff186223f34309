/** What the kubelet API reports; must not throw. */
export interface KubeletObserver {
  /** A request was answered. `endpoint` is the first part of its path, or `other`. */
  request(cluster: string, endpoint: string, code: number, seconds: number): void;
  /** A session began or ended. */
  session(cluster: string, kind: string, change: 1 | -1): void;
  /** Bytes that went through sessions. */
  bytes(cluster: string, kind: string, direction: 'toMember' | 'toClient', count: number): void;
  /** A connection was opened or closed. */
  connection(change: 1 | -1): void;
  /** A connection was refused: `limit` (too many) or `handshake` (no TLS was agreed on). */
  refused(reason: 'limit' | 'handshake'): void;
  /** A virtual node is served from now on, or no more. */
  served(cluster: string, change: 1 | -1): void;
}
