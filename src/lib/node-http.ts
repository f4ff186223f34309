import type * as Http from 'node:http';
import { createRequire } from 'node:module';

/**
 * Node's HTTP server. Importing it as an ES module would load all that `node:http` exports, Node's own fetch and WebSocket
 * too: 10 MB, and a fifteenth of a second.
 */
export const { createServer, STATUS_CODES } = createRequire(import.meta.url)('node:http') as typeof Http;
