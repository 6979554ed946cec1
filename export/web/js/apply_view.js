import {turnOf, uprightSize} from './raster.js';
import {LineMixer, coefficients, resizeLine} from './resize.js';
import {squareOf} from './view.js';

/** @typedef {import('./raster.js').Raster} Raster */
/** @typedef {import('./raster.js').Turn} Turn */

// Stored pixels that are read at once.
const BAND_PIXELS = 1 << 19;

/**
 * Applies a view: RGB bytes row by row, size * size * 3, equal to train/image/view.py apply_view in every bit.
 *
 * The picture is read once, in bands of whole rows of the part that the view takes.
 * @param {import('./view.js').View} view
 * @param {Raster} stored not upright yet
 * @param {number} orientation its EXIF orientation 1..8
 * @param {import('./view.js').Eyes | null} eyes
 * @returns {Uint8Array}
 * @throws {FauxlensError} as squareOf
 */
export function applyView(view, stored, orientation, eyes) {
  const turn = turnOf(view.turnsUpright ? orientation : 1);
  const {width, height} = uprightSize(stored, turn);
  const square = squareOf(view, width, height, eyes);
  const across = {from: square?.left ?? 0, size: square?.side ?? width, length: width};
  const down = {from: square?.top ?? 0, size: square?.side ?? height, length: height};
  return resizePart(stored, turn, across, down, view.size, view.size);
}

/**
 * Resizes a part of the upright picture to `width` x `height` RGB pixels as Pillow's `Image.resize(..., BILINEAR)` does:
 * rows first, then columns; in between pixels are rounded to 8 bits.
 * @param {Raster} stored
 * @param {Turn} turn
 * @param {Span} across
 * @param {Span} down
 * @param {number} width
 * @param {number} height
 */
export function resizePart(stored, turn, across, down, width, height) {
  const result = new Uint8Array(3 * width * height);
  const rows = coefficients(across.size, width);
  const columns = coefficients(down.size, height);
  if (turn.transposed) {
    const column = new Uint8Array(3 * height);
    const mixer = new LineMixer(rows, 3 * down.size, (output, line) => {
      resizeLine(line, columns, column);
      for (let i = 0; i < height; i += 1) result.set(column.subarray(3 * i, 3 * i + 3), 3 * (i * width + output));
    });
    eachLine(stored, turn, across, down, (index, line) => mixer.add(index, line));
  } else {
    const row = new Uint8Array(3 * width);
    const mixer = new LineMixer(columns, row.length, (output, line) => result.set(line, output * line.length));
    eachLine(stored, turn, down, across, (index, line) => {
      resizeLine(line, rows, row);
      mixer.add(index, row);
    });
  }
  return result;
}

/** A stretch of one axis of a picture of `length` pixels; beyond the border the border's pixel repeats.
 * @typedef {{from: number, size: number, length: number}} Span */

/** @param {Span} span @param {number} index */
function place({from, length}, index) {
  return Math.min(Math.max(from + index, 0), length - 1);
}

/**
 * Reads the stored rows under a view, turned: line i is the stored row at place i of `rows`, its pixels those of
 * `columns`, both stretches of the upright picture along the axes that stored rows and columns have there.
 * @param {Raster} stored
 * @param {Turn} turn
 * @param {Span} rows
 * @param {Span} columns
 * @param {(index: number, line: Uint8Array) => void} use gets RGB bytes that are valid until the next call
 */
function eachLine(stored, turn, rows, columns, use) {
  const one = place(columns, 0);
  const other = place(columns, columns.size - 1);
  const width = other - one + 1;
  const left = turn.flipsColumns ? stored.width - 1 - other : one;
  // How many places of the line lie before the picture's border.
  const before = Math.min(Math.max(-columns.from, 0), columns.size - 1);
  const line = new Uint8Array(3 * columns.size);
  /** @type {Uint8Array | Uint8ClampedArray} */
  let band = new Uint8Array(0);
  let bandTop = 0;
  let bandRows = 0;
  let last = -1;
  for (let index = 0; index < rows.size; index += 1) {
    const row = place(rows, index);
    const storedRow = turn.flipsRows ? rows.length - 1 - row : row;
    if (storedRow < bandTop || storedRow >= bandTop + bandRows) {
      const wanted = place(rows, rows.size - 1) - row + 1;
      bandRows = Math.min(Math.max(1, Math.floor(BAND_PIXELS / width)), wanted);
      bandTop = turn.flipsRows ? storedRow - bandRows + 1 : storedRow;
      band = stored.readRows(left, bandTop, width, bandRows);
    }
    if (storedRow !== last) {
      copyLine(band, (storedRow - bandTop) * width, width, turn.flipsColumns, line, before);
      last = storedRow;
    }
    use(index, line);
  }
}

/**
 * @param {Uint8Array | Uint8ClampedArray} band RGBA @param {number} from @param {number} width
 * @param {boolean} flips @param {Uint8Array} line RGB @param {number} before
 */
function copyLine(band, from, width, flips, line, before) {
  let target = 3 * before;
  let source = 4 * (flips ? from + width - 1 : from);
  const step = flips ? -4 : 4;
  for (let i = 0; i < width; i += 1) {
    line[target] = band[source];
    line[target + 1] = band[source + 1];
    line[target + 2] = band[source + 2];
    target += 3;
    source += step;
  }
  const end = 3 * (before + width);
  for (let i = 0; i < 3 * before; i += 1) line[i] = line[3 * before + (i % 3)];
  for (let i = end; i < line.length; i += 1) line[i] = line[end - 3 + ((i - end) % 3)];
}
