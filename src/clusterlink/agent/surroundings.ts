import type { Surroundings } from './detect.js';
import type { Kernel } from './kernel.js';
import { FAMILIES } from './netlink/family.js';

/** The table that routes are in unless something else is said. */
const MAIN_TABLE = 254;

/** Reads what the detection of the underlay needs. Throws KernelError. */
export function readSurroundings(kernel: Kernel): Surroundings {
  return {
    links: kernel.links(),
    addresses: kernel.addresses(),
    routes: FAMILIES.flatMap((family) => kernel.routes({ family, table: MAIN_TABLE })),
  };
}
