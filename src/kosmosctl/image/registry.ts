import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { CliError } from '../failure.js';
import { digestOf } from './digest.js';
import { ACCEPTED, LONGEST_MANIFEST, type Descriptor } from './manifest.js';
import { isDigest, renderReference, type ImageReference } from './reference.js';
import { explainNoAnswer } from './registry-error.js';
import { RegistryHttp, type RegistryAnswer, type RegistryOptions } from './registry-http.js';

/** A manifest as it is in a registry. */
export interface StoredManifest {
  readonly content: Buffer;
  readonly mediaType: string | undefined;
  readonly digest: string;
}

/** One repository of a registry (OCI distribution specification). All failures are CliErrors. */
export class Repository {
  readonly #http: RegistryHttp;
  readonly #registry: string;
  readonly #name: string;
  readonly #signal: AbortSignal;

  constructor(name: string, options: RegistryOptions) {
    this.#http = new RegistryHttp(options);
    this.#registry = options.registry;
    this.#name = name;
    this.#signal = options.signal;
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  /** @param reference - tag or digest; what comes for a digest has that digest */
  async manifest(reference: string): Promise<StoredManifest> {
    const what = renderReference({ registry: this.#registry, repository: this.#name, reference });
    const action = `read ${this.#name}`;
    const url = this.#url(`manifests/${reference}`);
    const answer = await this.#http.send({ method: 'GET', url, action, headers: { accept: ACCEPTED.join(', ') } });
    if (answer.statusCode === 404) {
      await answer.body.dump();
      throw new CliError(`there is no image ${what}`, { cure: 'Correct its name or its tag.' });
    }
    if (answer.statusCode !== 200) throw await this.#http.refused(answer, action);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.#read(answer)) {
      size += chunk.length;
      if (size > LONGEST_MANIFEST) throw new CliError(`the manifest of ${what} is too long to be one`);
      chunks.push(chunk);
    }
    const content = Buffer.concat(chunks);
    const digest = digestOf(content);
    if (isDigest(reference) && digest !== reference) throw wrongContent(this.#registry, reference);
    const type = answer.headers['content-type'];
    return { content, digest, mediaType: typeof type === 'string' ? type.split(';')[0]?.trim() : undefined };
  }

  /** The content of a blob. Ends with an error unless it is exactly what the descriptor says. */
  async *blob({ digest, size }: Descriptor): AsyncGenerator<Buffer, void, undefined> {
    const action = `read ${this.#name}`;
    const answer = await this.#http.send({ method: 'GET', url: this.#url(`blobs/${digest}`), action });
    if (answer.statusCode !== 200) throw await this.#http.refused(answer, action);
    const hash = createHash('sha256');
    let length = 0;
    for await (const chunk of this.#read(answer)) {
      length += chunk.length;
      if (length > size) throw wrongContent(this.#registry, digest);
      hash.update(chunk);
      yield chunk;
    }
    if (length !== size || `sha256:${hash.digest('hex')}` !== digest) throw wrongContent(this.#registry, digest);
  }

  async hasBlob(digest: string): Promise<boolean> {
    const action = `look into ${this.#name}`;
    const answer = await this.#http.send({ method: 'HEAD', url: this.#url(`blobs/${digest}`), action });
    await answer.body.dump();
    if (answer.statusCode === 200) return true;
    if (answer.statusCode === 404) return false;
    throw await this.#http.refused(answer, action);
  }

  /**
   * Puts a blob into the repository.
   *
   * @param from - another repository of the registry that may have it, so that it needn't be sent
   * @param open - its content; called again when it has to be sent again
   * @returns whether it was sent, or was found there
   */
  async upload(
    { digest, size }: Descriptor,
    from: string | undefined,
    open: () => Readable,
  ): Promise<'sent' | 'found'> {
    const action = `push to ${this.#name}`;
    const mount = from === undefined ? '' : `?${new URLSearchParams({ mount: digest, from }).toString()}`;
    const begun = await this.#http.send({ method: 'POST', url: this.#url(`blobs/uploads/${mount}`), action });
    const { location } = begun.headers;
    if (begun.statusCode === 201) {
      await begun.body.dump();
      return 'found';
    }
    if (begun.statusCode !== 202 || typeof location !== 'string') throw await this.#http.refused(begun, action);
    await begun.body.dump();
    const url = new URL(location, begun.url);
    // What is there already may be signed, so that it stays as it is written.
    url.search += `${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
    const headers = { 'content-type': 'application/octet-stream', 'content-length': `${size}` };
    const ended = await this.#http.send({ method: 'PUT', url: url.href, action, headers, body: open });
    if (ended.statusCode !== 201) throw await this.#http.refused(ended, action);
    await ended.body.dump();
    return 'sent';
  }

  /** Gives blobs that are there a name. */
  async putManifest(reference: string, { content, digest, mediaType }: StoredManifest): Promise<void> {
    const action = `push to ${this.#name}`;
    const headers = { 'content-type': mediaType ?? 'application/octet-stream' };
    const url = this.#url(`manifests/${reference}`);
    const answer = await this.#http.send({ method: 'PUT', url, action, headers, body: () => content });
    if (answer.statusCode !== 201) throw await this.#http.refused(answer, action);
    await answer.body.dump();
    const { 'docker-content-digest': stored = digest } = answer.headers;
    if (stored !== digest) throw wrongContent(this.#registry, digest);
  }

  #url(rest: string): string {
    return `/v2/${this.#name}/${rest}`;
  }

  /** A connection that breaks in the middle is a failure of the registry, not of whoever reads. */
  async *#read({ body, url }: RegistryAnswer): AsyncGenerator<Buffer, void, undefined> {
    try {
      for await (const chunk of body) yield chunk as Buffer;
    } catch (error) {
      if (this.#signal.aborted || error instanceof CliError) throw error;
      throw explainNoAnswer(error, url.host);
    }
  }
}

function wrongContent(registry: string, digest: string): CliError {
  return new CliError(`what the registry ${registry} has as ${digest} is something else`, {
    cure: 'Run the command again. When it says the same, push the image there anew.',
  });
}

/** What a token is to allow with a repository. */
export function scopeOf({ repository }: Pick<ImageReference, 'repository'>, actions: 'pull' | 'pull,push'): string {
  return `repository:${repository}:${actions}`;
}
