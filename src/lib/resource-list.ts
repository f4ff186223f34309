import {
  addQuantity,
  atLeastZero,
  compareQuantity,
  formatQuantity,
  parseQuantity,
  subtractQuantity,
} from './quantity.js';
import type { Quantity } from './quantity.js';

/** Amounts by resource name (`cpu`, `memory`, `nvidia.com/gpu`); a name that is missing counts as zero. Immutable. */
export type Resources = ReadonlyMap<string, Quantity>;

/** Amounts as they are on the wire. */
export type ResourceList = Readonly<Record<string, string>>;

export const NO_RESOURCES: Resources = new Map();

/** @throws SyntaxError when one of the amounts is no quantity. */
export function parseResources(list: ResourceList | undefined): Resources {
  if (list === undefined) return NO_RESOURCES;
  return new Map(Object.entries(list).map(([name, text]) => [name, parseQuantity(text)]));
}

/** The wire form, canonical and sorted by name. */
export function formatResources(resources: Resources): ResourceList {
  const names = [...resources.keys()].sort();
  return Object.fromEntries(names.map((name) => [name, formatQuantity(resources.get(name) as Quantity)]));
}

export function addResources(left: Resources, right: Resources): Resources {
  return combine(left, right, addQuantity);
}

/** The larger amount of each resource. */
export function maxResources(left: Resources, right: Resources): Resources {
  return combine(left, right, (a, b) => (compareQuantity(a, b) < 0 ? b : a));
}

function combine(left: Resources, right: Resources, operation: (a: Quantity, b: Quantity) => Quantity): Resources {
  if (right.size === 0) return left;
  if (left.size === 0) return right;
  const result = new Map(left);
  for (const [name, amount] of right) {
    const present = result.get(name);
    result.set(name, present === undefined ? amount : operation(present, amount));
  }
  return result;
}

/** What is left of each resource of `left`, never below zero; names only in `right` don't appear. */
export function remainingResources(left: Resources, right: Resources): Resources {
  const result = new Map<string, Quantity>();
  for (const [name, amount] of left) {
    const taken = right.get(name);
    result.set(name, atLeastZero(taken === undefined ? amount : subtractQuantity(amount, taken)));
  }
  return result;
}

/** A sum that is kept up to date by adding and taking away; holds no name whose amount is zero. */
export class RunningSum {
  readonly #amounts = new Map<string, Quantity>();

  add(resources: Resources): void {
    for (const [name, amount] of resources) this.#set(name, addQuantity(this.#get(name, amount), amount));
  }

  subtract(resources: Resources): void {
    for (const [name, amount] of resources) this.#set(name, subtractQuantity(this.#get(name, amount), amount));
  }

  /** A live view; copy it to keep it. */
  get value(): Resources {
    return this.#amounts;
  }

  #get(name: string, like: Quantity): Quantity {
    return this.#amounts.get(name) ?? { nanos: 0n, format: like.format };
  }

  #set(name: string, amount: Quantity): void {
    if (amount.nanos === 0n) this.#amounts.delete(name);
    else this.#amounts.set(name, amount);
  }
}
