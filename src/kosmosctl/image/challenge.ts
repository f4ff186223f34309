/** What a registry wants to know before it answers (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** By name in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const PARAMETER = /^\s*,?\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/;
const SCHEME = /^\s*,?\s*([\w!#$%&'*+.^`|~-]+)(?=\s|,|$)/;

/** All challenges of the header `WWW-Authenticate`, which may be there several times. What can't be read is left out. */
export function parseChallenges(header: string | readonly string[] | undefined): readonly Challenge[] {
  const challenges: Challenge[] = [];
  let parameters: Record<string, string> = {};
  for (let rest = [header ?? []].flat().join(', '); rest.trim() !== '';) {
    const parameter = PARAMETER.exec(rest);
    const found = parameter ?? SCHEME.exec(rest);
    if (found === null) break;
    const [whole, name = '', quoted, plain = ''] = found;
    if (parameter === null) {
      parameters = {};
      challenges.push({ scheme: name.toLowerCase(), parameters });
    } else parameters[name.toLowerCase()] = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain;
    rest = rest.slice(whole.length);
  }
  return challenges;
}

/** The one to answer: a token where there is a choice, since it may do less than a password. */
export function chooseChallenge(challenges: readonly Challenge[]): Challenge | undefined {
  const find = (wanted: string): Challenge | undefined => challenges.find(({ scheme }) => scheme === wanted);
  return find('bearer') ?? find('basic');
}
