/** One request to an API server, as a proxy sees it. */
export interface ApiCall {
  /** Name of the cluster. */
  readonly cluster: string;
  /** `GET`, `LIST`, `WATCH`, `POST`, `PUT`, `PATCH` or `DELETE`. */
  readonly verb: string;
  /** Plural of the resource with its subresource, as `pods/status`; the path when it is no resource. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly path: string;
}

export function parseCall(cluster: string, method: string, url: string): ApiCall {
  const { pathname: path, searchParams } = new URL(url, 'https://proxy');
  const segments = resourceSegments(path);
  if (segments === undefined)
    return { cluster, verb: method, resource: path, namespace: undefined, name: undefined, path };
  const isNamespaced =
    segments[0] === 'namespaces' && segments.length > 2 && !['status', 'finalize'].includes(segments[2] ?? '');
  const namespace = isNamespaced ? segments[1] : undefined;
  const [plural = '', name, ...sub] = isNamespaced ? segments.slice(2) : segments;
  const reading = searchParams.has('watch') ? 'WATCH' : 'LIST';
  const verb = method === 'GET' && (name === undefined || reading === 'WATCH') ? reading : method;
  return { cluster, verb, resource: [plural, ...sub].join('/'), namespace, name, path };
}

/** What follows the group and version in the path of a resource. */
function resourceSegments(path: string): string[] | undefined {
  const segments = path
    .split('/')
    .filter((segment) => segment !== '')
    .map(decodeURIComponent);
  const rest = segments[0] === 'api' ? segments.slice(2) : segments[0] === 'apis' ? segments.slice(3) : [];
  return rest.length > 0 ? rest : undefined;
}

export function isWrite({ verb }: ApiCall): boolean {
  return ['POST', 'PUT', 'PATCH', 'DELETE'].includes(verb);
}
