import { readdirSync, readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';

/** The root of the repository, seen from the compiled tests. */
const ROOT = new URL('../../../', import.meta.url);

/** The text of a file, named by its path in the repository. */
export function repositoryFile(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

/** The one document of a YAML file in the repository. */
export function repositoryYaml(path: string): unknown {
  return parse(repositoryFile(path)) as unknown;
}

/** All documents of all YAML files in a folder of the repository, with the path of each file. */
export function repositoryManifests(folder: string): readonly { readonly path: string; readonly object: unknown }[] {
  return readdirSync(new URL(`${folder}/`, ROOT))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => `${folder}/${name}`)
    .flatMap((path) =>
      parseAllDocuments(repositoryFile(path)).map((document) => ({ path, object: document.toJS() as unknown })),
    );
}
