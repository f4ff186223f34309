import { createPrivateKey, KeyObject, X509Certificate } from 'node:crypto';
import { type Credential, PlainCredential, type ValueSource } from './credential.js';
import { ExecCredential, type ExecCredentialOptions } from './exec-credential.js';
import type { FieldReader } from './field-reader.js';
import type { KubeconfigContext } from './kubeconfig-options.js';
import { readBase64, type ReadCluster, readNamedFile, readPath } from './kubeconfig-cluster.js';
import { OidcCredential } from './oidc-credential.js';
import { Secret } from './secret.js';

/** The user part of an access. */
export interface ReadUser {
  readonly credential: Credential;
  readonly impersonation: readonly (readonly [string, string])[] | undefined;
  /** What the files that the kubeconfig names hold now; for the fingerprint. */
  readonly fileContents: readonly string[];
}

const EXEC_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

/** Reads `users[].user`; a context without user is anonymous. */
export function readUser(
  fields: FieldReader | undefined,
  cluster: ReadCluster | undefined,
  context: KubeconfigContext,
): ReadUser {
  const { clock } = context;
  if (!fields) return { credential: new PlainCredential({}, clock), impersonation: undefined, fileContents: [] };
  reportCombinations(fields);
  const exec = fields.object('exec');
  const provider = fields.object('auth-provider');
  const credential =
    (exec && readExec(exec, cluster, context)) ??
    (provider && readProvider(provider, context)) ??
    readPlain(fields, context);
  return { credential, impersonation: readImpersonation(fields), fileContents: readFileContents(fields, context) };
}

/** What client-go refuses too: which of them would count? */
function reportCombinations(fields: FieldReader): void {
  const kinds = [
    ['token', fields.has('token') || fields.has('tokenFile')],
    ['username', fields.has('username') || fields.has('password')],
    ['exec', fields.has('exec')],
    ['auth-provider', fields.has('auth-provider')],
  ] as const;
  const [, ...more] = kinds.filter(([, present]) => present);
  for (const [name] of more) fields.problem(name, 'may not be combined with another kind of credential');
}

function readPlain(fields: FieldReader, context: KubeconfigContext): PlainCredential {
  const certificate = readValue(fields, 'client-certificate', context);
  const key = readValue(fields, 'client-key', context);
  if (certificate && !key) fields.problem('client-key-data', 'is missing');
  if (key && !certificate) fields.problem('client-certificate-data', 'is missing');
  const username = fields.string('username');
  const basic =
    username === undefined ? undefined : { username, password: new Secret(fields.string('password') ?? '') };
  checkKeyPair(fields, certificate, key);
  return new PlainCredential({ token: readToken(fields, context), certificate, key, basic }, context.clock);
}

/** The file counts when both are there, as with client-go, since it can be renewed. */
function readToken(fields: FieldReader, context: KubeconfigContext): ValueSource | undefined {
  const file = readPath(fields, 'tokenFile', context);
  if (file !== undefined) return { file };
  const token = fields.string('token');
  return token === undefined ? undefined : { value: new Secret(token) };
}

function readValue(fields: FieldReader, name: string, context: KubeconfigContext): ValueSource | undefined {
  if (fields.has(`${name}-data`)) {
    const text = readBase64(fields, `${name}-data`);
    return text === undefined ? undefined : { value: new Secret(text) };
  }
  const file = readPath(fields, name, context);
  return file === undefined ? undefined : { file };
}

/** Files may change, so that only values can be checked here; a bad file shows when it is used. */
function checkKeyPair(fields: FieldReader, certificate: ValueSource | undefined, key: ValueSource | undefined): void {
  const x509 = parsePem(certificate, (pem) => new X509Certificate(pem));
  const privateKey = parsePem(key, (pem) => createPrivateKey(pem));
  if (x509 === 'bad') fields.problem('client-certificate-data', 'holds no PEM certificate');
  if (privateKey === 'bad') fields.problem('client-key-data', 'holds no PEM private key');
  if (x509 instanceof X509Certificate && privateKey instanceof KeyObject && !x509.checkPrivateKey(privateKey)) {
    fields.problem('client-key-data', 'does not belong to the client certificate');
  }
}

function parsePem<R>(source: ValueSource | undefined, parse: (pem: string) => R): R | 'bad' | undefined {
  if (!source || 'file' in source) return undefined;
  try {
    return parse(source.value.reveal());
  } catch {
    // OpenSSL's errors say nothing that the caller's problem text doesn't.
    return 'bad';
  }
}

function readExec(
  fields: FieldReader,
  cluster: ReadCluster | undefined,
  context: KubeconfigContext,
): ExecCredential | undefined {
  if (!context.allowExec) fields.problem('command', 'names a program, which is not allowed here');
  const command = fields.required('command');
  const apiVersion = fields.required('apiVersion');
  if (apiVersion !== undefined && !EXEC_VERSIONS.includes(apiVersion)) {
    fields.problem('apiVersion', `must be one of ${EXEC_VERSIONS.join(', ')}`);
  }
  if (fields.string('interactiveMode') === 'Always')
    fields.problem('interactiveMode', 'there is nobody to answer here');
  if (command === undefined || apiVersion === undefined) return undefined;
  const options: ExecCredentialOptions = {
    command,
    args: fields.strings('args'),
    apiVersion,
    environment: { ...context.environment, ...readExecEnvironment(fields) },
    installHint: fields.string('installHint'),
    clusterInfo: fields.boolean('provideClusterInfo') ? cluster?.execInfo : undefined,
    workingDirectory: context.baseDirectory,
    clock: context.clock,
  };
  return new ExecCredential(options);
}

function readExecEnvironment(fields: FieldReader): Record<string, string> {
  const pairs = fields.objects('env').map((entry) => [entry.required('name') ?? '', entry.string('value') ?? '']);
  return Object.fromEntries(pairs) as Record<string, string>;
}

function readProvider(fields: FieldReader, context: KubeconfigContext): OidcCredential | undefined {
  const name = fields.required('name');
  if (name !== undefined && name !== 'oidc') {
    fields.problem('name', 'only oidc is supported; use an exec plugin instead');
    return undefined;
  }
  const config = fields.object('config');
  if (!config) {
    if (!fields.has('config')) fields.problem('config', 'is missing');
    return undefined;
  }
  config.required('id-token');
  readPath(config, 'idp-certificate-authority', context);
  const entries = Object.keys(config.raw()).map((key) => [key, new Secret(config.string(key) ?? '')] as const);
  return new OidcCredential(new Map(entries), context.clock);
}

function readImpersonation(fields: FieldReader): ReadUser['impersonation'] {
  const single = (name: string, header: string): [string, string][] => {
    const value = fields.string(name);
    return value === undefined ? [] : [[header, value]];
  };
  const extra = fields.object('as-user-extra');
  const headers = [
    ...single('as', 'impersonate-user'),
    ...single('as-uid', 'impersonate-uid'),
    ...fields.strings('as-groups').map((group) => ['impersonate-group', group] as const),
    ...Object.keys(extra?.raw() ?? {}).flatMap((key) => {
      const header = `impersonate-extra-${encodeURIComponent(key)}`;
      return (extra?.strings(key) ?? []).map((value) => [header, value] as const);
    }),
  ];
  if (headers.length > 0 && !fields.has('as')) fields.problem('as', 'is missing');
  return headers.length === 0 ? undefined : headers;
}

/** Unreadable files are a problem of their own when they are used; tokens change by design and don't count. */
function readFileContents(fields: FieldReader, context: KubeconfigContext): readonly string[] {
  if (!context.allowFiles) return [];
  return ['client-certificate', 'client-key'].flatMap((name) => {
    if (!fields.has(name) || fields.has(`${name}-data`)) return [];
    return readNamedFile(fields, name, context) ?? [];
  });
}
