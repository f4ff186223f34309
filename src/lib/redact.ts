import { errorMessage, FederationError } from './errors.js';

/** Stands in for a value that must not be seen. */
export const REDACTED = '[redacted]';

/** Keys whose values are secret wherever they are, in lower case without separators. */
const SECRET_KEY =
  /^(authorization|proxyauthorization|cookie|setcookie|kubeconfig|kubeconfigs|stringdata|secretdata|credentials?)$|(token|password|passwd|passphrase|privatekey|clientkey|clientkeydata|apikey|secretkey|clientsecret)$/;

const PRIVATE_KEY_BLOCK = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/-]{8,}=*/gi;
const JSON_WEB_TOKEN = /\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g;
const URL_PASSWORD = /(\w+:\/\/[^\s:/@]*):[^\s@/]+@/g;

const DEEPEST = 8;

/** A text without the parts that look like keys, tokens or passwords. */
export function redactText(text: string): string {
  return text
    .replace(PRIVATE_KEY_BLOCK, REDACTED)
    .replace(BEARER, `$1 ${REDACTED}`)
    .replace(JSON_WEB_TOKEN, REDACTED)
    .replace(URL_PASSWORD, `$1:${REDACTED}@`);
}

/**
 * A plain copy of anything, fit for a log: values under telling keys, the data of Secrets and what looks like a
 * credential are replaced; an object's own `toJSON` is honoured first; errors become their messages with causes.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST) return '[too deep]';
  return redactObject(value, depth);
}

function redactObject(value: object, depth: number): unknown {
  if (value instanceof Error) return redactError(value);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return redact((value as { toJSON: () => unknown }).toJSON(), depth + 1);
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if (value instanceof Map || value instanceof Set) return redact([...(value as Iterable<unknown>)], depth + 1);
  return redactFields(value, depth);
}

function redactFields(value: object, depth: number): Record<string, unknown> {
  const isSecret = 'kind' in value && value.kind === 'Secret';
  const copy: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value) as [string, unknown][]) {
    const hidden = isSecretKey(key) || (isSecret && key === 'data');
    copy[key] = hidden && field !== undefined && field !== null ? REDACTED : redact(field, depth + 1);
  }
  return copy;
}

function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key.replaceAll(/[-_.]/g, '').toLowerCase());
}

function redactError(error: Error): Record<string, unknown> {
  const message = redactText(errorMessage(error));
  if (error instanceof FederationError) return { name: error.name, code: error.code, message };
  return { name: error.name, message, stack: redactText(error.stack ?? '') };
}
