// The decision table (docs/format.md): nothing else decides what a probability means.

/** @typedef {'real' | 'unsure' | 'fake'} Label */
/** @typedef {'balanced' | 'fpr-1%' | 'fpr-0.5%'} OperatingPoint */
/** "fake" from `fakeFrom` on, else "unsure" from `unsureFrom` on, else "real"; 0 <= unsureFrom <= fakeFrom <= 1.
 * @typedef {{fakeFrom: number, unsureFrom: number}} Limits */

export const OPERATING_POINTS = /** @type {OperatingPoint[]} */ (['balanced', 'fpr-1%', 'fpr-0.5%']);

/**
 * The label of a calibrated probability of "fake".
 * @param {Limits} limits
 * @param {number} probability
 * @returns {Label}
 */
export function labelOf({fakeFrom, unsureFrom}, probability) {
  if (probability >= fakeFrom) return 'fake';
  return probability >= unsureFrom ? 'unsure' : 'real';
}
