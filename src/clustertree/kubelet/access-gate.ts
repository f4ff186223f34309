import type { IncomingMessage } from 'node:http';
import { errorMessage } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import { accessAttributes } from './attributes.js';
import type { Authenticator } from './authenticator.js';
import type { Authorizer } from './authorizer.js';
import { EndpointError } from './endpoint.js';
import { opensSession } from './stream-request.js';
import type { RequestTarget } from './target.js';
import type { User } from './user.js';

export interface AccessGateOptions {
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly authorizer: Pick<Authorizer, 'isAllowed'>;
  readonly logger: Logger;
}

type CheckedRequest = Pick<IncomingMessage, 'method' | 'headers' | 'socket'>;

/** The one check that every request passes, ordinary ones and upgrades alike. What it can't find out, it refuses. */
export class AccessGate {
  readonly #options: AccessGateOptions;

  constructor(options: AccessGateOptions) {
    this.#options = options;
  }

  /** Returns the user who may do this. @throws EndpointError with kubelet's words: 401, 403, 429 or 500. */
  async check(request: CheckedRequest, node: string, target: RequestTarget): Promise<User> {
    const user = await this.#authenticate(request);
    if (user === undefined) throw new EndpointError(401, 'Unauthorized');
    const attributes = accessAttributes(request.method ?? '', target.path, opensSession(target));
    const { verb, subresources } = attributes;
    if (verb !== '' && (await this.#authorize(user, node, attributes))) return user;
    const what = `user=${user.username}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}]`;
    throw new EndpointError(403, `Forbidden (${what})`);
  }

  async #authenticate(request: CheckedRequest): Promise<User | undefined> {
    try {
      return await this.#options.authenticator.authenticate(request);
    } catch (error) {
      if (error instanceof EndpointError) throw error;
      this.#options.logger.warn('a request to the kubelet API could not be authenticated', {
        error: errorMessage(error),
      });
      return undefined;
    }
  }

  async #authorize(user: User, node: string, attributes: ReturnType<typeof accessAttributes>): Promise<boolean> {
    try {
      return await this.#options.authorizer.isAllowed(user, node, attributes);
    } catch (error) {
      const { username } = user;
      const { verb, subresources } = attributes;
      this.#options.logger.warn('a request to the kubelet API could not be authorized', {
        ...{ node, user: username, verb, subresources, error: errorMessage(error) },
      });
      const what = `user=${username}, verb=${verb}, resource=nodes, subresource=${subresources[0]}`;
      throw new EndpointError(500, `Authorization error (${what})`, { cause: error });
    }
  }
}
