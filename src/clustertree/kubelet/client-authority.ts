import { X509Certificate } from 'node:crypto';
import type { ConfigMap } from '../../apis/core.js';
import type { Informer } from '../../kube/informer.js';
import type { Logger } from '../../lib/logger.js';

/** Where an API server publishes what its extension servers trust. */
export const AUTHENTICATION_CONFIG = { namespace: 'kube-system', name: 'extension-apiserver-authentication' } as const;
const CLIENT_CA_KEY = 'client-ca-file';

/** The certificates that clients of the host's API server are checked against; they count for the kubelet API too. */
export class ClientAuthority {
  readonly #configMaps: Informer<ConfigMap>;
  readonly #logger: Logger;
  readonly #listeners = new Set<() => void>();
  #pem: string | undefined;

  constructor(configMaps: Informer<ConfigMap>, logger: Logger) {
    this.#configMaps = configMaps;
    this.#logger = logger;
    configMaps.addHandler({ onAdd: () => this.#read(), onUpdate: () => this.#read(), onDelete: () => this.#read() });
  }

  /** PEM; undefined while there is none, and then no certificate is accepted. */
  get pem(): string | undefined {
    return this.#pem;
  }

  /** Hears of each change. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  #read(): void {
    const { namespace, name } = AUTHENTICATION_CONFIG;
    const text = this.#configMaps.store.get(`${namespace}/${name}`)?.data?.[CLIENT_CA_KEY];
    const pem = text === undefined || isCertificate(text) ? text : this.#pem;
    if (pem !== text)
      this.#logger.error('the client authority of the host is not a certificate', { key: CLIENT_CA_KEY });
    if (pem === this.#pem) return;
    this.#pem = pem;
    for (const listener of this.#listeners) listener();
  }
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    // Whatever is wrong with it, it can't be used; the caller keeps what it had.
    return false;
  }
}
