import { EndpointError, type NodeEndpoint, type NodeRoutes, type ServedNode } from './endpoint.js';

/** Why a node is not well; undefined when it is. */
type Check = (node: ServedNode) => string | undefined;

/** kubelet's checks of that name; `syncloop` asks whether pods make progress, which here is the member's business. */
const CHECKS: Readonly<Record<string, Check>> = {
  ping: () => undefined,
  syncloop: ({ member }) => {
    if (member === undefined) return 'the member cluster is not connected';
    return member.probe.reachable ? undefined : 'the member cluster can not be reached';
  },
};

/** `/healthz`: all checks, and `/healthz/NAME`: one of them, in the manner of kubelet. */
export const nodeHealth: NodeEndpoint = {
  register: (routes: NodeRoutes) => {
    routes.get('/healthz', (node, { response }) => {
      const outcomes = Object.entries(CHECKS).map(([name, check]) => ({ name, problem: check(node) }));
      const failed = outcomes.filter(({ problem }) => problem !== undefined);
      response.type('text/plain');
      if (failed.length === 0) response.send('ok');
      else response.status(500).send(outcomes.map(line).join(''));
    });
    routes.get('/healthz/:check', (node, { request, response }) => {
      const name = String(request.params['check']);
      const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
      if (check === undefined) throw new EndpointError(404, '404 page not found');
      const problem = check(node);
      if (problem !== undefined) throw new EndpointError(500, `internal server error: ${problem}`);
      response.type('text/plain').send('ok');
    });
  },
};

function line({ name, problem }: { readonly name: string; readonly problem: string | undefined }): string {
  return problem === undefined ? `[+]${name} ok\n` : `[-]${name} failed: ${problem}\n`;
}
