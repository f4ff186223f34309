import { execFile } from 'node:child_process';
import type { Clock } from '../lib/clock.js';
import { FederationError } from '../lib/errors.js';
import {
  type AuthMaterial,
  bearer,
  type ClientCertificate,
  type Credential,
  sameClientCertificate,
} from './credential.js';
import { Secret } from './secret.js';
import { SharedCall } from './shared-call.js';

/** `users[].user.exec` of a kubeconfig. */
export interface ExecCredentialOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Of the ExecCredential that the plugin must print. */
  readonly apiVersion: string;
  /** The whole environment of the plugin. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Tells the user how to get the plugin, when it isn't there. */
  readonly installHint: string | undefined;
  /** Given to the plugin when it wants to know what the credential is for. */
  readonly clusterInfo: Readonly<Record<string, unknown>> | undefined;
  readonly workingDirectory: string;
  readonly clock: Clock;
  /** @default 60000 */
  readonly timeoutMs?: number | undefined;
}

/** What the plugin prints. */
interface PrintedStatus {
  readonly expirationTimestamp?: unknown;
  readonly token?: unknown;
  readonly clientCertificateData?: unknown;
  readonly clientKeyData?: unknown;
}

const LONGEST_OUTPUT_BYTES = 1 << 20;
const TIMEOUT_MS = 60_000;

/**
 * A credential that a program prints (client-go's exec plugins). It is run when a credential is needed for the first
 * time, when the last one has expired, and when the server refused it. What the program prints, on stdout or stderr, is
 * never put into an error: it may be the credential.
 */
export class ExecCredential implements Credential {
  readonly #options: ExecCredentialOptions;
  readonly #runs = new SharedCall<AuthMaterial>();
  #material: AuthMaterial | undefined;
  #expiresAt = Infinity;

  constructor(options: ExecCredentialOptions) {
    this.#options = options;
  }

  current(signal: AbortSignal): Promise<AuthMaterial> {
    if (this.#material && this.#options.clock.now() < this.#expiresAt) return Promise.resolve(this.#material);
    return this.#runs.join(() => this.#renew(), signal);
  }

  refused(material: AuthMaterial): void {
    if (material === this.#material) this.#expiresAt = -Infinity;
  }

  async #renew(): Promise<AuthMaterial> {
    const status = this.#parse(await this.#run());
    const next = this.#materialOf(status);
    const { expirationTimestamp } = status;
    const expiresAt = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : Infinity;
    if (Number.isNaN(expiresAt)) throw this.#error('printed an expiration time that is none');
    this.#expiresAt = expiresAt;
    this.#material = next;
    return next;
  }

  #run(): Promise<string> {
    const { command, args, apiVersion, clusterInfo, environment, workingDirectory } = this.#options;
    const spec = { interactive: false, ...(clusterInfo && { cluster: clusterInfo }) };
    const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec });
    return new Promise((resolve, reject) => {
      const child = execFile(
        command,
        [...args],
        {
          cwd: workingDirectory,
          env: { ...environment, KUBERNETES_EXEC_INFO: info },
          timeout: this.#options.timeoutMs ?? TIMEOUT_MS,
          killSignal: 'SIGKILL',
          maxBuffer: LONGEST_OUTPUT_BYTES,
          encoding: 'utf8',
        },
        (error, stdout) => {
          if (error) reject(this.#failure(error));
          else resolve(stdout);
        },
      );
      child.stdin?.end();
    });
  }

  #failure(
    error: Error & { code?: string | number | null; killed?: boolean; signal?: string | null },
  ): FederationError {
    if (error.code === 'ENOENT') {
      const hint = this.#options.installHint;
      return this.#error(`was not found${hint === undefined ? '' : `. ${hint}`}`);
    }
    if (error.killed) return this.#error('took too long');
    if (error.signal) return this.#error(`was ended by ${error.signal}`);
    return this.#error(
      typeof error.code === 'number' ? `failed with exit code ${error.code}` : `failed (${error.code})`,
    );
  }

  #parse(output: string): PrintedStatus {
    let printed: { readonly kind?: unknown; readonly apiVersion?: unknown; readonly status?: PrintedStatus | null };
    try {
      printed = JSON.parse(output) as typeof printed;
    } catch {
      throw this.#error('printed something that is not JSON');
    }
    if (printed.kind !== 'ExecCredential') throw this.#error('printed something that is no ExecCredential');
    if (printed.apiVersion !== this.#options.apiVersion) {
      throw this.#error(`printed another version than ${this.#options.apiVersion}`);
    }
    if (!printed.status) throw this.#error('printed no credential');
    return printed.status;
  }

  #materialOf(status: PrintedStatus): AuthMaterial {
    const { token, clientCertificateData: certificate, clientKeyData: key } = status;
    const hasToken = typeof token === 'string' && token !== '';
    const hasCertificate = typeof certificate === 'string' && certificate !== '';
    const hasKey = typeof key === 'string' && key !== '';
    if (hasCertificate !== hasKey) throw this.#error('printed only one of certificate and key');
    if (!hasToken && !hasCertificate) throw this.#error('printed neither a token nor a certificate');
    let clientCertificate: ClientCertificate | undefined;
    if (hasCertificate && hasKey) clientCertificate = { certificate, key: new Secret(key) };
    const old = this.#material?.clientCertificate;
    return {
      authorization: hasToken ? bearer(token) : undefined,
      // The same object for the same certificate, or each renewal would cost all connections.
      clientCertificate: sameClientCertificate(old, clientCertificate) ? old : clientCertificate,
    };
  }

  #error(what: string): FederationError {
    return new FederationError('CREDENTIAL_FAILED', `the credential plugin ${this.#options.command} ${what}`);
  }
}
