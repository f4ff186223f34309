import { decodeValue, queryParameters } from './target.js';

/** What a request for logs comes to. */
export type LogQuery =
  /** `query` is for the pods API, with its question mark. */
  | { readonly ok: true; readonly query: string; readonly follow: boolean }
  /** As kubelet refuses it. */
  | { readonly ok: false; readonly statusCode: 400 | 422; readonly message: string };

const UNDECODABLE: LogQuery = { ok: false, statusCode: 400, message: '{"message": "Unable to decode query."}' };
const INVALID: LogQuery = { ok: false, statusCode: 422, message: '{"message": "Invalid request."}' };

const BOOLEANS = ['follow', 'previous', 'timestamps'];
const STREAMS = ['All', 'Stdout', 'Stderr'];
const INT64_MAX = 2n ** 63n - 1n;
/** RFC 3339, as metav1.Time reads it. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/** The other options: the text to pass on; undefined when it can't be read. */
const PARSERS: Readonly<Record<string, (text: string) => string | undefined>> = {
  sinceSeconds: parseInteger,
  tailLines: parseInteger,
  limitBytes: parseInteger,
  sinceTime: (text) => (TIME.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined),
  stream: (text) => text,
};

/**
 * Reads the query of `/containerLogs` as kubelet does (pkg/kubelet/server/server.go and ValidatePodLogOptions) and writes
 * it for the pods API. Of a parameter that is there several times the first counts.
 */
export function parseLogQuery(query: string, container: string): LogQuery {
  const values = readValues(query);
  if (values === undefined) return UNDECODABLE;
  const wanted = new URLSearchParams({ container });
  for (const name of BOOLEANS) if (parseBoolean(values.get(name))) wanted.set(name, 'true');
  for (const [name, parse] of Object.entries(PARSERS)) {
    const text = values.get(name) ?? '';
    if (text === '') continue;
    const value = parse(text);
    if (value === undefined) return UNDECODABLE;
    wanted.set(name, value);
  }
  // The default is left out, since members before 1.32 don't know the parameter.
  if (wanted.get('stream') === 'All') wanted.delete('stream');
  return isValid(wanted) ? { ok: true, query: `?${wanted.toString()}`, follow: wanted.has('follow') } : INVALID;
}

/** A signed 64-bit number; undefined when it is none. */
function parseInteger(text: string): string | undefined {
  if (!/^[+-]?\d{1,19}$/.test(text)) return undefined;
  const number = BigInt(text.replace('+', ''));
  return number > INT64_MAX ? undefined : String(number);
}

/** Undefined when a value is badly encoded. */
function readValues(query: string): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>();
  for (const { name, encoded } of queryParameters(query)) {
    const value = decodeValue(encoded);
    if (value === undefined) return undefined;
    if (!values.has(name)) values.set(name, value);
  }
  // An older name of the same thing.
  const tail = values.get('tail') ?? '';
  if (tail === 'all') values.delete('tailLines');
  else if (tail !== '') values.set('tailLines', tail);
  return values;
}

/** As apimachinery's conversion of query parameters: what isn't plainly false is true. */
function parseBoolean(text: string | undefined): boolean {
  return text !== undefined && !['false', '0'].includes(text.toLowerCase());
}

function isValid(options: URLSearchParams): boolean {
  const number = (name: string): bigint | undefined => {
    const text = options.get(name);
    return text === null ? undefined : BigInt(text);
  };
  const stream = options.get('stream') ?? 'All';
  return (
    (number('tailLines') ?? 0n) >= 0n &&
    (number('limitBytes') ?? 1n) >= 1n &&
    (number('sinceSeconds') ?? 1n) >= 1n &&
    !(options.has('sinceSeconds') && options.has('sinceTime')) &&
    STREAMS.includes(stream) &&
    !(stream !== 'All' && options.has('tailLines'))
  );
}
