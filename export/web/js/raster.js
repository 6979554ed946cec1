/**
 * Pixels as they are stored in a picture, not yet turned upright.
 *
 * `readRows(left, top, width, rows)` gives RGBA bytes, row by row, whose alpha is already laid on white; what it gives is
 * valid until the next call.
 * @typedef {{width: number, height: number,
 *   readRows: (left: number, top: number, width: number, rows: number) => Uint8Array | Uint8ClampedArray}} Raster
 */

/**
 * How an EXIF orientation (EXIF 2.32, tag 0x0112) turns stored pixels upright: a row of the upright picture is a stored
 * column where `transposed`; stored rows and columns count backwards where `flipsRows` and `flipsColumns`.
 * @typedef {{transposed: boolean, flipsRows: boolean, flipsColumns: boolean}} Turn
 */

/** The turn of orientation 1..8; any other number means none. @param {number} orientation @returns {Turn} */
export function turnOf(orientation) {
  return {
    transposed: orientation >= 5 && orientation <= 8,
    flipsRows: [3, 4, 6, 7].includes(orientation),
    flipsColumns: [2, 3, 7, 8].includes(orientation),
  };
}

/** Width and height of the upright picture. @param {Raster} raster @param {Turn} turn */
export function uprightSize(raster, turn) {
  return turn.transposed ? {width: raster.height, height: raster.width} : {width: raster.width, height: raster.height};
}

/**
 * RGBA pixels in memory.
 * @param {number} width
 * @param {number} height
 * @param {Uint8Array | Uint8ClampedArray} rgba width * height * 4 bytes; its alpha is laid on white in place
 * @returns {Raster}
 */
export function rasterOf(width, height, rgba) {
  layOnWhite(rgba);
  return {
    width,
    height,
    readRows(left, top, wide, rows) {
      if (left === 0 && wide === width) return rgba.subarray(4 * top * width, 4 * (top + rows) * width);
      const part = new Uint8Array(4 * wide * rows);
      for (let row = 0; row < rows; row += 1) {
        const from = 4 * ((top + row) * width + left);
        part.set(rgba.subarray(from, from + 4 * wide), 4 * row * wide);
      }
      return part;
    },
  };
}

// Pillow's alpha_composite keeps this many more bits (src/libImaging/AlphaComposite.c).
const MORE_BITS = 7;

/**
 * Lays RGBA pixels, whose colours are *not* multiplied by alpha, on white, in place: equal to Pillow's
 * `alpha_composite` over opaque white in every bit.
 * @param {Uint8Array | Uint8ClampedArray} rgba
 */
export function layOnWhite(rgba) {
  for (let i = 3; i < rgba.length; i += 4) {
    const alpha = rgba[i];
    if (alpha !== 255) {
      for (let channel = i - 3; channel < i; channel += 1) {
        const sum = (rgba[channel] * alpha + 255 * (255 - alpha) + 128) << MORE_BITS;
        rgba[channel] = (((sum >>> 8) + sum) >>> 8) >>> MORE_BITS;
      }
      rgba[i] = 255;
    }
  }
}
