/**
 * The version of the shape of every statistics document (docs/operations.md, "Statistics"). Fields may be added within
 * a version; one that is renamed, taken out, or comes to mean something else makes the next.
 */
export const STATS_VERSION = 1;
