/** The path and query of a request, checked. */
export interface RequestTarget {
  /** As it was sent; contains nothing that could be read in two ways. */
  readonly path: string;
  /** The decoded parts of the path. */
  readonly segments: readonly string[];
  /** As it was sent, without the question mark. */
  readonly query: string;
}

/** What a decoded segment must not hold: it would mean something else to whoever decodes or cleans the path again. */
// eslint-disable-next-line no-control-regex -- these are what is looked for
const AMBIGUOUS = /[/\\%?#\u0000-\u001f\u007f]/;

/**
 * Takes a request target apart. Undefined when it isn't a plain path, or when it has empty or dot segments, encoded
 * slashes, control characters or bad escapes: authorization and routing both go by the path, and must never see two.
 */
export function parseTarget(url: string): RequestTarget | undefined {
  if (!url.startsWith('/')) return undefined;
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  // A slash at the end is fine: kubelet has such paths.
  const parts = path.slice(1).split('/');
  if (parts.length > 1 && parts.at(-1) === '') parts.pop();
  if (path === '/') return { path, segments: [], query };
  const segments = parts.map(decode).filter((segment) => segment !== undefined);
  const isPlain = segments.length === parts.length && segments.every(isPlainSegment);
  return isPlain ? { path, segments, query } : undefined;
}

function isPlainSegment(segment: string): boolean {
  return segment !== '' && segment !== '.' && segment !== '..' && !AMBIGUOUS.test(segment);
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    // A bad escape: the caller answers that.
    return undefined;
  }
}

/** One parameter of a query: its decoded name, and its value still encoded, so that no byte of it gets lost. */
export interface QueryParameter {
  readonly name: string;
  readonly encoded: string;
}

/** The parameters of a query in their order. Those with badly encoded names are left out, as Go's parser does. */
export function queryParameters(query: string): readonly QueryParameter[] {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .flatMap((pair) => {
      const equals = pair.indexOf('=');
      const name = decodeValue(equals < 0 ? pair : pair.slice(0, equals));
      return name === undefined ? [] : [{ name, encoded: equals < 0 ? '' : pair.slice(equals + 1) }];
    });
}

/** The decoded value of a parameter; undefined when it is badly encoded. */
export function decodeValue(encoded: string): string | undefined {
  return decode(encoded.replaceAll('+', ' '));
}

/** An encoded value in which nothing is left that could end it: everything unusual is escaped, escapes stay. */
export function escapeValue(encoded: string): string {
  return encoded.replace(/%(?![0-9a-fA-F]{2})|[^\w.~!*'()+%-]/g, (found) =>
    found === '%' ? '%25' : [...Buffer.from(found, 'latin1')].map((byte) => `%${hex(byte)}`).join(''),
  );
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}
