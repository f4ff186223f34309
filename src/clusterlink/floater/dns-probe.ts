import { Resolver } from 'node:dns/promises';
import type { Clock } from '../../lib/clock.js';
import { type Outcome, PROBE_ERRORS } from './plan.js';

/** What is known of the resolver. */
export interface DnsTools {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Content of `/etc/resolv.conf`. */
  readonly resolvConf: string;
  /** Instead of those in `resolvConf`; with ports, if they have other ones. */
  readonly servers?: readonly string[];
}

/** There is no such name, or none of that kind: the server answers, so another name may be tried. */
const NO_SUCH_NAME: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

/** Looks a name up as a pod does, with the search list of the resolver; either family will do. */
export async function probeDns(name: string, { clock, timeoutMs, resolvConf, servers }: DnsTools): Promise<Outcome> {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  const start = clock.monotonic();
  let error: string = PROBE_ERRORS.timeout;
  for (const candidate of namesToTry(name, resolvConf)) {
    const answers = await Promise.allSettled([resolver.resolve4(candidate), resolver.resolve6(candidate)]);
    if (answers.some(({ status }) => status === 'fulfilled')) {
      return { ok: true, ms: Math.round((clock.monotonic() - start) * 100) / 100 };
    }
    const codes = answers.map((answer) => codeOf(answer.status === 'rejected' ? answer.reason : undefined));
    error = codes.find((code) => !NO_SUCH_NAME.has(code)) ?? codes[0] ?? error;
    if (!NO_SUCH_NAME.has(error)) break;
  }
  return { ok: false, error };
}

/** The name with each suffix of the search list, and the name alone in the end. */
export function namesToTry(name: string, resolvConf: string): readonly string[] {
  // The last one counts, as in the C library.
  const lists = [...resolvConf.matchAll(/^search[ \t]+(.*)$/gm)].map(([, list = '']) => list.trim().split(/\s+/));
  return [...(lists.at(-1) ?? []).map((suffix) => `${name}.${suffix}`), name];
}

/** `ETIMEOUT` is how the resolver says that nobody answers. */
function codeOf(reason: unknown): string {
  const code = (reason as NodeJS.ErrnoException | undefined)?.code ?? PROBE_ERRORS.timeout;
  return code === 'ETIMEOUT' ? PROBE_ERRORS.timeout : code;
}
