// Every fifteenth of the 256 colours of "inferno" (matplotlib/_cm_listed.py, CC0), linear in between: the same as in
// export/inference/overlay.py.
const INFERNO = [
  0x000004, 0x0a0722, 0x1e0c45, 0x380962, 0x510e6c, 0x69166e, 0x801f6c, 0x982766, 0xb0315b,
  0xc63d4d, 0xd94d3d, 0xe9612b, 0xf47918, 0xfa9407, 0xfcb014, 0xf8cd37, 0xf2ea69, 0xfcffa4,
];
const LAST = INFERNO.length - 1;
const STRONGEST = 0.7;

/** What spoke for fake and where: row by row, 0..1, all zero where nothing did.
 * @typedef {{rows: number, columns: number, values: Float32Array}} Heatmap */

/**
 * Enlarges a heatmap to side x side values, row by row: bilinear with the corners aligned, the sums of
 * export/inference/overlay.py in the same order.
 * @param {Heatmap} heatmap
 * @param {number} side
 */
export function expand(heatmap, side) {
  const columns = positions(heatmap.columns, side);
  const rows = positions(heatmap.rows, side);
  const result = new Float32Array(side * side);
  const line = new Float64Array(heatmap.columns);
  for (let y = 0; y < side; y += 1) {
    for (let column = 0; column < line.length; column += 1) {
      line[column] = between(rows[y], heatmap.rows, (row) => heatmap.values[row * heatmap.columns + column]);
    }
    for (let x = 0; x < side; x += 1) result[y * side + x] = between(columns[x], heatmap.columns, (cell) => line[cell]);
  }
  return result;
}

/** Inferno of a value that is held to 0..1, as [red, green, blue], 0..255. @param {number} value */
export function heatColour(value) {
  const x = Math.min(Math.max(value, 0), 1);
  // As numpy.interp: the last anchor at or below x, and a slope to the next.
  let below = Math.min(Math.trunc(x * LAST), LAST);
  if (anchor(below) > x) below -= 1;
  if (below < LAST && anchor(below + 1) <= x) below += 1;
  return [16, 8, 0].map((shift) => {
    const low = ((INFERNO[below] >> shift) & 0xff) / 255;
    if (below === LAST) return halfToEven(255 * low);
    const high = ((INFERNO[below + 1] >> shift) & 0xff) / 255;
    return halfToEven(255 * (((high - low) / (anchor(below + 1) - anchor(below))) * (x - anchor(below)) + low));
  });
}

/**
 * The overlay's pixels, side * side, RGBA not premultiplied: alpha is 0.7 x value, so 0 shows the picture unchanged.
 * @param {Heatmap} heatmap
 * @param {number} side
 */
export function overlay(heatmap, side) {
  const values = expand(heatmap, side);
  const rgba = new Uint8ClampedArray(4 * values.length);
  values.forEach((value, i) => {
    rgba.set(heatColour(value), 4 * i);
    rgba[4 * i + 3] = halfToEven(255 * STRONGEST * Math.min(Math.max(value, 0), 1));
  });
  return rgba;
}

/** @param {number} index */
function anchor(index) {
  return index === LAST ? 1 : index * (1 / LAST);
}

/** @param {number} value */
function halfToEven(value) {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** As numpy.linspace(0, cells - 1, side). @param {number} cells @param {number} side */
function positions(cells, side) {
  const end = cells - 1;
  const step = side > 1 ? end / (side - 1) : 0;
  return Float64Array.from({length: side}, (_, i) => (i > 0 && i === side - 1 ? end : i * step));
}

/** The weighted sum of the two cells around a position. @param {number} position @param {number} cells @param {(cell: number) => number} cell */
function between(position, cells, cell) {
  const first = Math.trunc(position);
  const near = cell(first) * Math.max(0, 1 - Math.abs(position - first));
  return first + 1 < cells ? near + cell(first + 1) * Math.max(0, 1 - Math.abs(position - (first + 1))) : near;
}
