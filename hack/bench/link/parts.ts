import { agentPart } from './agent.js';
import type { LinkBenchPart } from './part.js';
import { plannerPart } from './planner.js';
import { tunnelPart } from './tunnel.js';

/** All parts, in the order in which they run. */
export const LINK_PARTS: readonly LinkBenchPart[] = [plannerPart, agentPart, tunnelPart];
