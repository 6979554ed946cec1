/** Binary places of a weight: Pillow's PRECISION_BITS. */
export const PRECISION_BITS = 32 - 8 - 2;
export const HALF = 1 << (PRECISION_BITS - 1);

/**
 * Which input pixels make each output pixel of one axis, and how much of each: output o is the sum over
 * i < `count[o]` of `weights[o * stride + i]` x input `first[o] + i`, in fixed point.
 *
 * Pillow 13's BILINEAR, antialiased when it reduces: precompute_coeffs and normalize_coeffs_8bpc of
 * src/libImaging/Resample.c, the same operations on doubles in the same order.
 * @typedef {{first: Int32Array, count: Int32Array, stride: number, weights: Int32Array, output: number}} Coefficients
 */

/** @param {number} input @param {number} output @returns {Coefficients} */
export function coefficients(input, output) {
  // Pillow keeps the box in floats, which matters beyond 2^24 pixels.
  const scale = Math.fround(input) / output;
  const support = Math.max(scale, 1);
  const ratio = 1 / support;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(output);
  const count = new Int32Array(output);
  const weights = new Int32Array(output * stride);
  const exact = new Float64Array(stride);
  for (let o = 0; o < output; o += 1) {
    const centre = (o + 0.5) * scale;
    first[o] = Math.max(Math.trunc(centre - support + 0.5), 0);
    count[o] = Math.min(Math.trunc(centre + support + 0.5), input) - first[o];
    let sum = 0;
    for (let i = 0; i < count[o]; i += 1) {
      exact[i] = triangle((i + first[o] - centre + 0.5) * ratio);
      sum += exact[i];
    }
    for (let i = 0; i < count[o]; i += 1) {
      const share = sum !== 0 ? exact[i] / sum : exact[i];
      weights[o * stride + i] = Math.trunc(0.5 + share * (1 << PRECISION_BITS));
    }
  }
  return {first, count, stride, weights, output};
}

/** @param {number} x */
function triangle(x) {
  const distance = x < 0 ? -x : x;
  return distance < 1 ? 1 - distance : 0;
}

/**
 * Resizes one line of RGB pixels.
 * @param {Uint8Array} line
 * @param {Coefficients} along
 * @param {Uint8Array} target `along.output` RGB pixels
 */
export function resizeLine(line, along, target) {
  const {first, count, stride, weights, output} = along;
  for (let o = 0; o < output; o += 1) {
    let red = HALF;
    let green = HALF;
    let blue = HALF;
    let pixel = 3 * first[o];
    const end = o * stride + count[o];
    for (let i = o * stride; i < end; i += 1) {
      const weight = weights[i];
      red += line[pixel] * weight;
      green += line[pixel + 1] * weight;
      blue += line[pixel + 2] * weight;
      pixel += 3;
    }
    target[3 * o] = level(red);
    target[3 * o + 1] = level(green);
    target[3 * o + 2] = level(blue);
  }
}

/**
 * Mixes lines that come in ascending order into fewer or more of them: each line is added to the sums of the outputs
 * that need it, and an output is told once it is whole. Sums are whole numbers, so their order changes nothing.
 */
export class LineMixer {
  /** @param {Coefficients} over @param {number} length bytes of a line @param {(output: number, line: Uint8Array) => void} done */
  constructor(over, length, done) {
    this.over = over;
    this.done = done;
    this.next = 0;
    /** @type {Map<number, Int32Array>} */
    this.sums = new Map();
    /** @type {Int32Array[]} */
    this.free = [];
    this.line = new Uint8Array(length);
  }

  /** @param {number} index @param {Uint8Array} line */
  add(index, line) {
    const {first, count, stride, weights, output} = this.over;
    for (let o = this.next; o < output && first[o] <= index; o += 1) {
      const sums = this.sums.get(o) ?? this.#begin(o);
      const weight = weights[o * stride + index - first[o]];
      for (let i = 0; i < line.length; i += 1) sums[i] += line[i] * weight;
    }
    while (this.next < output && first[this.next] + count[this.next] === index + 1) this.#finish();
  }

  /** @param {number} output */
  #begin(output) {
    const sums = this.free.pop() ?? new Int32Array(this.line.length);
    sums.fill(HALF);
    this.sums.set(output, sums);
    return sums;
  }

  #finish() {
    const sums = /** @type {Int32Array} */ (this.sums.get(this.next));
    for (let i = 0; i < sums.length; i += 1) this.line[i] = level(sums[i]);
    this.sums.delete(this.next);
    this.free.push(sums);
    this.done(this.next, this.line);
    this.next += 1;
  }
}

// Weights are never negative, so sums are not either; rounding of the weights may carry one beyond 255.
/** @param {number} sum */
function level(sum) {
  return Math.min(sum >>> PRECISION_BITS, 255);
}
