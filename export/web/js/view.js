// The view: one readable line that says what happens to pixels before the graph, such as
// `upright|face(2.4)|resize(224)`. The rules and their reasons stand in train/image/view.py; both sides accept the same
// texts and take the same pixels (tests/golden/view_texts.json, squares.json).
import {FauxlensError} from './error.js';

/** @typedef {{verb: 'upright' | 'square' | 'face' | 'resize', number: number | null}} Step */
/** @typedef {{steps: Step[], text: string, size: number, faceFactor: number | null, turnsUpright: boolean}} View */
/** The midpoint of the eyes and their distance, in pixels of the upright picture; 0, 0 is its top left corner.
 * @typedef {{x: number, y: number, distance: number}} Eyes */
/** In pixels of the upright picture; may lie beyond its border, whose pixels then repeat.
 * @typedef {{left: number, top: number, side: number}} Square */

const GRAMMAR = 'upright, square, face(K), resize(S)';
const STEP = /^([a-z]+)(?:\(([^()]*)\))?$/;
const WHOLE = /^[0-9]{1,5}$/;
const DECIMAL = /^[0-9]{1,2}(\.[0-9]{1,4})?$/;
// White space as Python's `str.strip` understands it.
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\p{Z}]';
const ENDS = new RegExp(`^${SPACE}+|${SPACE}+$`, 'gu');
// The centre of the face square lies this fraction of its side below the midpoint of the eyes (train/image/view.py).
const FACE_DROP = 0.2;
const MAX_PIXELS = 120_000_000;

/**
 * Parses a view.
 * @param {string} text
 * @returns {View}
 * @throws {FauxlensError} naming the step that is wrong and what is allowed
 */
export function parseView(text) {
  const steps = text.split('|').map((part) => parseStep(part.replace(ENDS, ''), text));
  const verbs = steps.map((step) => step.verb);
  if (verbs.indexOf('upright', 1) > 0) {
    throw new FauxlensError(`View '${text}': upright must be the first step and occur once.`);
  }
  if (verbs.indexOf('resize') !== verbs.length - 1) {
    throw new FauxlensError(`View '${text}': exactly one resize(S) is needed, as the last step.`);
  }
  if (verbs.filter((verb) => verb === 'square' || verb === 'face').length > 1) {
    throw new FauxlensError(`View '${text}': at most one of square and face(K) is allowed.`);
  }
  if (verbs.includes('face') && verbs[0] !== 'upright') {
    throw new FauxlensError(
      `View '${text}': face(K) needs upright first, because eye positions refer to the upright picture.`,
    );
  }
  return viewOf(steps);
}

/** The view with the centre square in place of its face. @param {View} view */
export function centreView(view) {
  return viewOf(view.steps.map((step) => (step.verb === 'face' ? {verb: 'square', number: null} : step)));
}

/** The same part of the picture at another resolution. @param {View} view @param {number} size */
export function resizedView(view, size) {
  return parseView([...view.steps.slice(0, -1).map(stepText), `resize(${size})`].join('|'));
}

/** @param {Step[]} steps @returns {View} */
function viewOf(steps) {
  return {
    steps,
    text: steps.map(stepText).join('|'),
    size: steps[steps.length - 1].number ?? 0,
    faceFactor: steps.find((step) => step.verb === 'face')?.number ?? null,
    turnsUpright: steps[0].verb === 'upright',
  };
}

/** @param {Step} step */
function stepText({verb, number}) {
  // At most four decimals were written, so this is no rounding.
  return number === null ? verb : `${verb}(${Number(number.toFixed(4))})`;
}

/** @param {string} part @param {string} text @returns {Step} */
function parseStep(part, text) {
  const [, verb, inside] = STEP.exec(part) ?? [];
  if (verb === 'upright' || verb === 'square') {
    if (inside !== undefined) {
      throw new FauxlensError(`View '${text}': ${verb} takes no number; allowed are ${GRAMMAR}.`);
    }
    return {verb, number: null};
  }
  if (verb === 'face' || verb === 'resize') {
    const [pattern, low, high, kind] =
      verb === 'face'
        ? /** @type {const} */ ([DECIMAL, 1, 8, 'a number with at most 4 decimals'])
        : /** @type {const} */ ([WHOLE, 8, 4096, 'a whole number']);
    const digits = (inside ?? '').replace(ENDS, '');
    const number = pattern.test(digits) ? Number(digits) : NaN;
    if (!(number >= low && number <= high)) {
      throw new FauxlensError(
        `View '${text}': '${part}' needs ${kind} from ${low} to ${high}, as in ${verb}(${high / 2}).`,
      );
    }
    return {verb, number};
  }
  throw new FauxlensError(`View '${text}': '${part}' is not a step; allowed are ${GRAMMAR}.`);
}

/**
 * What the view takes from an upright picture; null is the whole picture, squeezed.
 *
 * Every position is rounded half up in double precision.
 * @param {View} view
 * @param {number} width
 * @param {number} height
 * @param {Eyes | null} eyes
 * @returns {Square | null}
 * @throws {FauxlensError} where the view has face(K) and the eyes are missing or do not lie in the picture
 */
export function squareOf(view, width, height, eyes) {
  if (view.faceFactor !== null) return faceSquare(view.faceFactor, width, height, eyes);
  if (!view.steps.some((step) => step.verb === 'square')) return null;
  const side = Math.min(width, height);
  return {left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), side};
}

/** @param {number} factor @param {number} width @param {number} height @param {Eyes | null} eyes @returns {Square} */
function faceSquare(factor, width, height, eyes) {
  if (!eyes) {
    throw new FauxlensError('The view has face(K) but no eyes are known for this picture: find its face first.');
  }
  // Also false for NaN.
  const inside = eyes.x >= 0 && eyes.x <= width && eyes.y >= 0 && eyes.y <= height;
  if (!inside || !(eyes.distance > 0 && eyes.distance < Infinity)) {
    throw new FauxlensError(
      `The eyes do not lie in the upright picture of ${width} x ${height} pixels: find its face again.`,
    );
  }
  const side = Math.max(1, Math.floor(factor * eyes.distance + 0.5));
  if (side * side > MAX_PIXELS) {
    throw new FauxlensError('The eyes are so far apart that their face is larger than any picture: find it again.');
  }
  const left = Math.floor(eyes.x - side / 2 + 0.5);
  const top = Math.floor(eyes.y + FACE_DROP * side - side / 2 + 0.5);
  return {left, top, side};
}
