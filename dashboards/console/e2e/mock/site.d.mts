// The mock's sites as the tests see them.
export const KICK_OFF: number;
export const SITES: unknown[];
