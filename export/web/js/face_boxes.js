// Output tensors to faces: anchors, threshold, and overlapping boxes averaged by weight, in whole numbers. The steps and
// their reasons stand in train/image/face_finder/decode.py; no number passes 2^53.

/** Parts of a pixel of the input square in which faces are given. */
export const UNITS = 32;
const FIXED = 4096;
const STEP = FIXED / UNITS;
const LARGEST_LOGIT = 16;
const LARGEST_REGRESSOR = 1024;
const NUMBERS = 16;
// MediaPipe's min_suppression_threshold for both networks, as tenths.
const OVERLAP_TENTHS = 3;

/** In 1/32: centre x, y, width, height of the box, then x, y of six points; and the logit.
 * @typedef {{numbers: number[], logit: number}} FaceNumbers */
/** @typedef {{row: number, score: number, numbers: number[]}} Candidate */

/**
 * The faces in a network's outputs, the largest logit first.
 * @param {import('./face_networks.js').Network} network
 * @param {Float32Array} regressors 16 an anchor
 * @param {Float32Array} logits one an anchor
 * @returns {FaceNumbers[]}
 */
export function decodeFaces({side, grids, leastLogit}, regressors, logits) {
  const faces = [];
  let left = candidates(anchorCentres(side, grids), leastLogit, regressors, logits);
  // Stable, so that rows with one score stay in their order.
  left.sort((a, b) => b.score - a.score || a.row - b.row);
  while (left.length) {
    const first = left[0];
    const together = left.filter((other) => other === first || overlaps(first.numbers, other.numbers));
    faces.push(mean(together, leastLogit));
    left = left.filter((other) => !together.includes(other));
  }
  return faces;
}

/** The anchors' centres x, y in pixels of the input square. @param {number} side @param {[number, number][]} grids */
export function anchorCentres(side, grids) {
  /** @type {[number, number][]} */
  const centres = [];
  for (const [cells, each] of grids) {
    const middle = (/** @type {number} */ i) => Math.floor(((2 * i + 1) * side) / (2 * cells));
    for (let row = 0; row < cells; row += 1) {
      for (let column = 0; column < cells; column += 1) {
        for (let i = 0; i < each; i += 1) centres.push([middle(column), middle(row)]);
      }
    }
  }
  return centres;
}

/** @param {[number, number][]} centres @param {number} least @param {Float32Array} regressors @param {Float32Array} logits */
function candidates(centres, least, regressors, logits) {
  /** @type {Candidate[]} */
  const found = [];
  centres.forEach(([x, y], row) => {
    const own = regressors.subarray(NUMBERS * row, NUMBERS * (row + 1));
    if (!Number.isFinite(logits[row])) return;
    const score = fixed(logits[row], LARGEST_LOGIT);
    if (score < least || !own.every(Number.isFinite)) return;
    const numbers = Array.from(own, (value) => fixed(value, LARGEST_REGRESSOR));
    if (!(numbers[2] > 0 && numbers[3] > 0)) return;
    for (let i = 0; i < NUMBERS; i += 1) {
      if (i !== 2 && i !== 3) numbers[i] += FIXED * (i % 2 === 0 ? x : y);
    }
    found.push({row, score, numbers});
  });
  return found;
}

/** @param {number} value @param {number} high */
function fixed(value, high) {
  return Math.floor(Math.min(Math.max(value, -LARGEST_REGRESSOR), high) * FIXED + 0.5);
}

/** @param {number[]} first @param {number[]} other */
function overlaps(first, other) {
  const [left, right] = shared(first, other, 0);
  const [top, bottom] = shared(first, other, 1);
  const both = Math.max(0, right - left) * Math.max(0, bottom - top);
  const union = 4 * first[2] * first[3] + 4 * other[2] * other[3] - both;
  return 10 * both > OVERLAP_TENTHS * union;
}

/** What two boxes share along an axis, in doubled numbers. @param {number[]} a @param {number[]} b @param {0 | 1} axis */
function shared(a, b, axis) {
  return [
    Math.max(2 * a[axis] - a[axis + 2], 2 * b[axis] - b[axis + 2]),
    Math.min(2 * a[axis] + a[axis + 2], 2 * b[axis] + b[axis + 2]),
  ];
}

/** @param {Candidate[]} together @param {number} least @returns {FaceNumbers} */
function mean(together, least) {
  let total = 0;
  const sums = new Array(NUMBERS).fill(0);
  for (const {score, numbers} of together) {
    const weight = score - least + 1;
    total += weight;
    numbers.forEach((value, i) => {
      sums[i] += weight * value;
    });
  }
  const numbers = sums.map((sum) => Math.floor((2 * sum + STEP * total) / (2 * STEP * total)));
  return {numbers, logit: Math.floor((2 * together[0].score + STEP) / (2 * STEP))};
}
