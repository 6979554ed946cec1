// The lowest bits of a PNG's alpha, out of its rows as they are unpacked (W3C PNG, 9 and 10). A canvas would hold every pixel
// before the first could be asked for.
import {latin1, startsWith, viewOf} from './bytes.js';
import {MAX_PARTS} from './parts.js';
import {unpackInto} from './unpack.js';

const SIGNATURE = '\x89PNG\r\n\x1a\n';
const WHOLE = [[0, 0, 1, 1]];
// Column, row, and their steps in each pass of Adam7 (W3C PNG, 8.2).
const ADAM7 = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

/**
 * What is looked for: `markBits` bits that `isMarked` knows in packed bits; without them the rest is not read.
 * @typedef {{maxPixels: number, markBits: number, isMarked: (bits: Uint8Array) => boolean}} Limits
 */

/**
 * The lowest bits, column by column, packed with the high bit first. Null for what is no PNG with 8-bit alpha, has too many
 * pixels, is damaged, or has no mark.
 * @param {Uint8Array} data
 * @param {Limits} limits
 * @returns {Promise<{bits: Uint8Array, count: number} | null>}
 */
export async function pngLowBits(data, limits) {
  if (!startsWith(data, SIGNATURE) || data.length < 29) return null;
  const view = viewOf(data);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, colour, woven] = [data[24], data[25], data[28]];
  if (depth !== 8 || colour !== 6 || width * height === 0 || width * height > limits.maxPixels) return null;
  const rows = new Rows(width, height, woven !== 0, limits);
  await unpackInto(imageData(data), 'deflate', (bytes) => rows.take(bytes));
  return rows.complete ? {bits: rows.bits, count: width * height} : null;
}

/** The contents of the IDAT chunks. @param {Uint8Array} data @returns {Generator<Uint8Array>} */
function* imageData(data) {
  const view = viewOf(data);
  let at = SIGNATURE.length;
  for (let i = 0; i < MAX_PARTS && at + 8 <= data.length; i += 1) {
    const length = view.getUint32(at);
    if (latin1(data.subarray(at + 4, at + 8)) === 'IDAT') yield data.subarray(at + 8, at + 8 + length);
    at += 12 + length;
  }
}

/** Takes filtered rows in pieces of any length and keeps the lowest bit of each alpha. */
class Rows {
  /** @param {number} width @param {number} height @param {boolean} woven @param {Limits} limits */
  constructor(width, height, woven, limits) {
    this.height = height;
    this.limits = limits;
    this.bits = new Uint8Array(Math.ceil((width * height) / 8));
    /** Whether every row was read. */
    this.complete = false;
    this.passes = (woven ? ADAM7 : WHOLE).filter(([x, y]) => x < width && y < height).map(([x, y, across, down]) => ({
      x, y, across, down, columns: Math.ceil((width - x) / across), rows: Math.ceil((height - y) / down),
    }));
    this.#begin();
  }

  #pass = 0;
  #row = 0;
  #filled = 0;
  #bytes = new Uint8Array();
  #alpha = new Uint8Array();
  #above = new Uint8Array();

  #begin() {
    const {columns} = this.passes[this.#pass];
    this.#row = 0;
    this.#bytes = new Uint8Array(1 + 4 * columns);
    this.#alpha = new Uint8Array(columns);
    this.#above = new Uint8Array(columns);
  }

  /** Returns whether that was enough: all rows are there, or no mark is. @param {Uint8Array} piece */
  take(piece) {
    let at = 0;
    while (at < piece.length) {
      const part = piece.subarray(at, at + this.#bytes.length - this.#filled);
      this.#bytes.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#bytes.length && !this.#next()) return true;
    }
    return false;
  }

  /** Takes the row that is there; returns whether another is wanted. */
  #next() {
    const {x, y, across, down, columns, rows} = this.passes[this.#pass];
    this.#filled = 0;
    if (!this.#unfilter()) return false;
    for (let column = 0; column < columns; column += 1) {
      const at = (x + column * across) * this.height + y + this.#row * down;
      if (this.#alpha[column] & 1) this.bits[at >> 3] |= 0x80 >> (at & 7);
    }
    [this.#above, this.#alpha] = [this.#alpha, this.#above];
    this.#row += 1;
    const {markBits, isMarked} = this.limits;
    // The first column holds the mark, if it is so high.
    if (this.passes.length === 1 && this.#row === markBits && !isMarked(this.bits)) return false;
    if (this.#row < rows) return true;
    this.#pass += 1;
    this.complete = this.#pass === this.passes.length;
    if (!this.complete) this.#begin();
    return !this.complete;
  }

  /** Each channel is filtered by itself, so the alphas alone suffice; returns false for a filter that does not exist. */
  #unfilter() {
    const [bytes, alpha, above] = [this.#bytes, this.#alpha, this.#above];
    const kind = bytes[0];
    for (let i = 0, left = 0, corner = 0; i < alpha.length; i += 1) {
      const up = above[i];
      alpha[i] = bytes[4 + 4 * i] + predicted(kind, left, up, corner);
      left = alpha[i];
      corner = up;
    }
    return kind <= 4;
  }
}

/** None, Sub, Up, Average and Paeth. @param {number} kind @param {number} left @param {number} up @param {number} corner */
function predicted(kind, left, up, corner) {
  if (kind === 1) return left;
  if (kind === 2) return up;
  if (kind === 3) return (left + up) >> 1;
  if (kind !== 4) return 0;
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
