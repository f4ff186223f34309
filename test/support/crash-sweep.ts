import { expect } from 'chai';
import type { CrashRig, CrashPoint } from './crash-rig.js';
import { kindOf, nameOf } from './crash-rig.js';
import { cleaned, type CrashScript } from './crash-scripts.js';

/** A call that happens by chance, such as the repetition of an Event, may be missing in a run. */
const ATTEMPTS = 3;

/** A call that every run needs is missed only when an armed kill just before it made it happen another way. */
const EXPECTED_ATTEMPTS = 10;

/** Writes that the scripts are made to cause. A recording without one of them would sweep nothing. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'host POST nodes',
    'host PATCH nodes/status',
    'host POST events',
    'host PATCH pods/status',
    'host DELETE pods',
    'host POST leases of kube-node-lease',
    'member POST namespaces',
    'member POST serviceaccounts',
    'member POST pods',
    'member PATCH pods',
    'member PATCH pods/ephemeralcontainers',
    'member PATCH namespaces',
    'member DELETE pods',
    'member DELETE namespaces',
  ],
  membership: ['host PATCH clusters', 'host PATCH clusters/status', 'host PATCH nodes', 'host DELETE nodes'],
};

/** Whether a kind of call, such as `host PATCH pods/status`, changes something. */
export function isWrite(kind: string): boolean {
  return /^\S+ (POST|PUT|PATCH|DELETE) /.test(kind);
}

/** Kills the manager before and after each kind of call that a script causes, and lets the script end all the same. */
export class CrashSweep {
  readonly rig: CrashRig;
  readonly #kinds: (kind: string) => boolean;
  readonly #swept = new Set<string>();
  #runs = 0;

  /** Only kinds that `kinds` accepts are swept. */
  constructor(rig: CrashRig, kinds: (kind: string) => boolean) {
    this.rig = rig;
    this.#kinds = kinds;
  }

  /** How often a script was run. */
  get runs(): number {
    return this.#runs;
  }

  /** Sweeps what no earlier script has. */
  async sweep(script: CrashScript): Promise<void> {
    const { rig } = this;
    const points = await this.#record(script);
    const attempts = new Map<string, number>();
    while (points.length > 0) {
      const armed = points.splice(0, script.kills);
      rig.arm(armed);
      try {
        await this.#run(script);
        if (points.length === 0) await cleaned(rig);
      } catch (error) {
        throw new Error(`killed ${rig.fired.map(nameOf).join(', then ')}`, { cause: error });
      }
      await rig.disarm();
      for (const point of rig.fired) this.#swept.add(nameOf(point));
      const missed = armed.filter((point) => !rig.fired.includes(point));
      for (const point of missed) attempts.set(nameOf(point), (attempts.get(nameOf(point)) ?? 0) + 1);
      points.push(...missed.filter((point) => (attempts.get(nameOf(point)) ?? 0) < attemptsFor(point, script)));
    }
    await cleaned(rig);
    const missing = expectedOf(script).flatMap((kind) => [`before ${kind}`, `after ${kind}`]);
    expect(missing.filter((name) => !this.#swept.has(name))).to.deep.equal([]);
  }

  /** Points of all kinds of calls that a restart and an undisturbed run of the script cause. */
  async #record(script: CrashScript): Promise<CrashPoint[]> {
    const { rig } = this;
    rig.arm([]);
    rig.forget();
    await this.#run(script);
    await cleaned(rig);
    const kinds = new Set(rig.calls.map(kindOf));
    expect(expectedOf(script).filter((kind) => !kinds.has(kind))).to.deep.equal([]);
    const points = [...kinds].filter(this.#kinds).flatMap((kind) => [
      { kind, phase: 'before' as const },
      { kind, phase: 'after' as const },
    ]);
    return points.filter((point) => !this.#swept.has(nameOf(point)));
  }

  #run(script: CrashScript): Promise<void> {
    this.#runs += 1;
    return script.run(this.rig, `${script.name}-${this.#runs}`);
  }
}

function expectedOf({ name, expected }: CrashScript): readonly string[] {
  return expected ?? EXPECTED[name] ?? [];
}

function attemptsFor({ kind }: CrashPoint, script: CrashScript): number {
  return expectedOf(script).includes(kind) ? EXPECTED_ATTEMPTS : ATTEMPTS;
}
