import type { NodeConfigSpec } from '../../apis/kosmos/v1alpha1/node-config.js';
import { samePartsAs } from './memory.js';

/** How a config is made, and what it is made of: equal parts give an equal config. */
export interface Recipe {
  readonly parts: readonly unknown[];
  readonly render: () => NodeConfigSpec;
}

/** Those of a cluster's nodes, by object name. */
export type ClusterRecipes = ReadonlyMap<string, Recipe>;

/** The recipes of all configs, and the configs that were asked for. */
export class RecipeBook {
  private clusters: ReadonlyMap<string, ClusterRecipes> = new Map();
  private readonly recipes = new Map<string, Recipe>();
  private readonly rendered = new Map<string, NodeConfigSpec>();

  /** `clusters` takes the place of all that was there; a map that was there already has changed nothing. */
  replace(clusters: ReadonlyMap<string, ClusterRecipes>): {
    readonly changed: ReadonlySet<string>;
    readonly removed: ReadonlySet<string>;
  } {
    const before = new Map<string, Recipe>();
    for (const [clusterName, recipes] of this.clusters) {
      if (clusters.get(clusterName) === recipes) continue;
      for (const name of recipes.keys()) this.take(name, before);
    }
    const changed = new Set<string>();
    for (const [clusterName, recipes] of clusters) {
      if (this.clusters.get(clusterName) === recipes) continue;
      for (const [name, recipe] of recipes) {
        this.recipes.set(name, recipe);
        if (!samePartsAs(before.get(name)?.parts, recipe.parts)) changed.add(name);
      }
    }
    this.clusters = clusters;
    const removed = new Set([...before.keys()].filter((name) => !this.recipes.has(name)));
    for (const name of [...changed, ...removed]) this.rendered.delete(name);
    return { changed, removed };
  }

  names(): Iterable<string> {
    return this.recipes.keys();
  }

  config(name: string): NodeConfigSpec | undefined {
    const recipe = this.recipes.get(name);
    if (recipe === undefined) return undefined;
    const rendered = this.rendered.get(name) ?? recipe.render();
    this.rendered.set(name, rendered);
    return rendered;
  }

  private take(name: string, into: Map<string, Recipe>): void {
    const recipe = this.recipes.get(name);
    if (recipe !== undefined) into.set(name, recipe);
    this.recipes.delete(name);
  }
}
