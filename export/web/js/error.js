/** What this module throws: one sentence that says what is wrong, where, and what to do about it. */
export class FauxlensError extends Error {
  name = 'FauxlensError';
}
