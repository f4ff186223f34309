import type { NodeConfigRoute, NodeConfigSpec } from '../../apis/kosmos/v1alpha1/node-config.js';
import { errorMessage } from '../../lib/errors.js';
import { type Surroundings, underlayOf } from './detect.js';
import { desiredState, ownershipOf } from './desired.js';
import { countChanges, describeOperation, diffStates } from './diff.js';
import type { Kernel } from './kernel.js';
import type { Nftables } from './nftables/nft.js';
import { renderTable } from './nftables/render.js';
import { EMPTY_STATE } from './state.js';
import type { StateStore } from './state-store.js';
import { desiredSysctls, diffSysctls, type SysctlFiles } from './sysctl.js';

/** What to bring the kernel to. */
export interface SyncInput {
  readonly spec: NodeConfigSpec;
  /** Those of the spec, or what they become when a gateway is dead. */
  readonly routes: readonly NodeConfigRoute[];
  readonly around: Surroundings;
  /** Also compare the nftables table with what it was made of, not only with what it should be. */
  readonly inspectTable: boolean;
}

/** What came of it. */
export interface SyncResult {
  /** What was put right or made; a line for each, the first few only. */
  readonly changes: readonly string[];
  readonly changeCount: number;
  /** Changes that nobody asked for: somebody had undone what was there. */
  readonly driftCount: number;
  /** What could not be had, with the kernel's own words. */
  readonly errors: readonly string[];
}

/** Collaborators of {@link NodeNetwork}. */
export interface NodeNetworkDeps {
  readonly kernel: Kernel;
  readonly nftables: Nftables;
  readonly sysctls: SysctlFiles;
  readonly store: Pick<StateStore, 'savedSysctls' | 'saveSysctl'>;
}

const SHOWN_CHANGES = 20;

/** The part of a node's network that is the agent's own: devices, addresses, rules, routes, one nftables table, settings. */
export class NodeNetwork {
  readonly #deps: NodeNetworkDeps;
  /** What the last sync without errors was asked for. */
  #settled: string | undefined;
  /** What the table was made of, and how it looked then; undefined when it isn't known what is there. */
  #table: { readonly text: string | undefined; readonly listing: string | undefined } | undefined;

  constructor(deps: NodeNetworkDeps) {
    this.#deps = deps;
  }

  /** Brings the kernel to what the config says. Throws KernelError only when it can't be talked to at all. */
  async sync({ spec, routes, around, inspectTable }: SyncInput): Promise<SyncResult> {
    const { kernel } = this.#deps;
    const { state, problems } = desiredState(spec, routes, (name) => underlayOf(name, around));
    const present = kernel.present(state, ownershipOf(spec).protocol);
    const changes = diffStates(present, state);
    const table = renderTable(spec);
    const errors = [...problems, ...changes.problems, ...table.problems];
    const lines = [...changes.devices, ...changes.rest].slice(0, SHOWN_CHANGES).map(describeOperation);
    let others = 0;
    const note = (line: string): void => {
      others++;
      lines.push(line);
    };
    const refused = await kernel.apply(changes, async () => {
      this.#applySysctls(
        desiredSysctls(state, (key) => this.#deps.sysctls.read(key)),
        note,
        errors,
      );
      await this.#applyTable(table.text, inspectTable, note).catch((error: unknown) =>
        errors.push(errorMessage(error)),
      );
    });
    errors.push(...refused);
    const asked = JSON.stringify([spec, routes, [...state.devices.values()]]);
    const changeCount = countChanges(changes) + others;
    const driftCount = asked === this.#settled ? changeCount : 0;
    this.#settled = errors.length === 0 ? asked : undefined;
    return { changes: lines, changeCount, driftCount, errors };
  }

  /** Takes away all that is the agent's own, and gives settings the values that they had. Returns what can't be done. */
  async remove(protocol: number): Promise<readonly string[]> {
    const { kernel, nftables } = this.#deps;
    const errors: string[] = [];
    const changes = diffStates(kernel.present(EMPTY_STATE, protocol), EMPTY_STATE);
    await nftables.remove().catch((error: unknown) => errors.push(errorMessage(error)));
    this.#table = undefined;
    this.#settled = undefined;
    errors.push(...(await kernel.apply(changes)));
    this.#restoreSysctls(errors);
    return errors;
  }

  #applySysctls(wanted: ReturnType<typeof desiredSysctls>, note: (line: string) => void, errors: string[]): void {
    const { sysctls, store } = this.#deps;
    for (const { sysctl, present } of diffSysctls(wanted, (key) => sysctls.read(key))) {
      const { key, value, own } = sysctl;
      try {
        // First, so that nothing is changed that couldn't be undone.
        if (!own) store.saveSysctl(key, { before: present, set: value });
        sysctls.write(key, value);
        if (!own) note(`set ${key} to ${value}`);
      } catch (error) {
        errors.push(`sysctl ${key}: ${errorMessage(error)}`);
      }
    }
  }

  #restoreSysctls(errors: string[]): void {
    const { sysctls, store } = this.#deps;
    // The last one first: they were set in an order.
    for (const [key, { before, set }] of Object.entries(store.savedSysctls()).reverse()) {
      try {
        // Whoever has changed it since wants it like that.
        if (sysctls.read(key) === set) sysctls.write(key, before);
      } catch (error) {
        errors.push(`sysctl ${key}: ${errorMessage(error)}`);
      }
    }
  }

  async #applyTable(text: string | undefined, inspect: boolean, note: (line: string) => void): Promise<void> {
    const { nftables } = this.#deps;
    if (this.#table !== undefined && text === this.#table.text) {
      if (!inspect || (await nftables.list()) === this.#table.listing) return;
    }
    this.#table = undefined;
    if (text === undefined) {
      await nftables.remove();
      this.#table = { text, listing: undefined };
      return;
    }
    await nftables.run(text);
    this.#table = { text, listing: await nftables.list() };
    note('replace the nftables table');
  }
}
