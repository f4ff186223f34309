/** A token of a service account, with a signature of nobody: issued at a time, and good for some seconds from then on. */
export function serviceAccountToken(namespace: string, name: string, issuedAtMs: number, seconds: number): string {
  const iat = Math.floor(issuedAtMs / 1000);
  const claims = { sub: `system:serviceaccount:${namespace}:${name}`, iat, exp: iat + seconds };
  return `aGVhZGVy.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2lnbmF0dXJl`;
}
