import { EndpointError, type NodeEndpoint, type NodeRoutes } from './endpoint.js';

/**
 * `/configz`: what of a KubeletConfiguration means something for a virtual node. `/logs`: refused, as by a kubelet whose
 * system logs are switched off; the machines behind the node are the member's.
 */
export const nodeConfig: NodeEndpoint = {
  register: (routes: NodeRoutes) => {
    routes.get('/configz', (_node, { request, response }) => {
      response.json({ kubeletconfig: kubeletConfiguration(request.socket.localPort) });
    });
    for (const path of ['/logs', '/logs/*rest']) {
      routes.all(path, () => {
        throw new EndpointError(405, 'logs endpoint is disabled.');
      });
    }
  },
};

function kubeletConfiguration(port: number | undefined): object {
  return {
    kind: 'KubeletConfiguration',
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    port,
    readOnlyPort: 0,
    rotateCertificates: true,
    serverTLSBootstrap: true,
    authentication: {
      x509: {},
      webhook: { enabled: true, cacheTTL: '2m0s' },
      anonymous: { enabled: false },
    },
    authorization: {
      mode: 'Webhook',
      webhook: { cacheAuthorizedTTL: '5m0s', cacheUnauthorizedTTL: '30s' },
    },
    enableServer: true,
    enableDebuggingHandlers: true,
    enableSystemLogHandler: false,
    enableProfilingHandler: false,
  };
}
