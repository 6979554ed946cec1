// Pixels by the browser's own decoders, without colour conversion: in Chromium those of Pillow in every bit for JPEG,
// PNG, WebP, GIF and BMP (tests/export/web measures it; docs/web.md says what does not).
import {FauxlensError} from './error.js';
import {checkSize, conversionNotes, damaged, readPictureHeader} from './picture_header.js';
import {layOnWhite} from './raster.js';

/**
 * A decoded picture. `orientation` is the EXIF orientation 1..8 that remains to be applied; `notes` has a sentence for
 * each conversion that was made; `bitmap` is the browser's, as stored; `close` gives its memory back.
 * @typedef {{raster: import('./raster.js').Raster, bitmap: ImageBitmap, orientation: number, format: string,
 *   notes: string[], close: () => void}} Picture
 */

const BAND_PIXELS = 1 << 20;
// No colour conversion, as Pillow does none; colours not multiplied by alpha.
const OPTIONS = /** @type {ImageBitmapOptions} */ ({colorSpaceConversion: 'none', premultiplyAlpha: 'none'});

/**
 * Decodes a picture file.
 * @param {Uint8Array} bytes
 * @param {string} name how errors call it
 * @returns {Promise<Picture>}
 * @throws {FauxlensError} for what train/image/decode.py refuses
 */
export async function decodePicture(bytes, name) {
  const header = readPictureHeader(bytes, name);
  const type = `image/${header.format.toLowerCase()}`;
  let bitmap;
  try {
    const blob = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (header.decodable)], {type});
    bitmap = await createImageBitmap(blob, OPTIONS);
  } catch {
    if (header.format === 'AVIF') throw new FauxlensError(`${name} is an AVIF that this browser does not read: save it as PNG.`);
    throw damaged(name);
  }
  const expected = header.format === 'AVIF' || (bitmap.width === header.width && bitmap.height === header.height);
  try {
    if (!expected) throw damaged(name);
    checkSize({...header, width: bitmap.width, height: bitmap.height}, name);
    const picture = pictureOf(bitmap);
    const clear = header.mayBeClear && hasClearPixel(picture.raster, name);
    return {...picture, orientation: header.orientation, format: header.format, notes: conversionNotes(header, clear)};
  } catch (error) {
    bitmap.close();
    throw error;
  }
}

/** An upright picture that is decoded already. @param {ImageBitmap} bitmap @returns {Picture} */
export function pictureOf(bitmap) {
  return {raster: bitmapRaster(bitmap), bitmap, orientation: 1, format: '', notes: [], close: () => bitmap.close()};
}

/**
 * The alpha of a WebP file as it is stored; null where the browser cannot decode it.
 * @type {import('./marks/alpha.js').AlphaOf}
 */
export async function alphaOfWebp(bytes) {
  const blob = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)], {type: 'image/webp'});
  const bitmap = await createImageBitmap(blob, OPTIONS).catch(() => null);
  if (!bitmap) return null;
  const readPixels = pixelsOf(bitmap);
  return {
    width: bitmap.width,
    height: bitmap.height,
    close: () => bitmap.close(),
    read(left, top, width, rows) {
      const rgba = readPixels(left, top, width, rows);
      return Uint8Array.from({length: width * rows}, (_, i) => rgba[4 * i + 3]);
    },
  };
}

/** @param {ImageBitmap} bitmap @returns {import('./raster.js').Raster & {alpha: {least: number, greatest: number}}} */
function bitmapRaster(bitmap) {
  const readPixels = pixelsOf(bitmap);
  const raster = {
    width: bitmap.width,
    height: bitmap.height,
    /** The least and the greatest alpha of the pixels that were read. */
    alpha: {least: 255, greatest: 0},
    /** @param {number} left @param {number} top @param {number} width @param {number} rows */
    readRows(left, top, width, rows) {
      const data = readPixels(left, top, width, rows);
      measureAlpha(data, raster.alpha);
      layOnWhite(data);
      return data;
    },
  };
  return raster;
}

/** Reads rectangles of a bitmap as RGBA. @param {ImageBitmap} bitmap */
function pixelsOf(bitmap) {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', {willReadFrequently: true, colorSpace: 'srgb'});
  if (!context) throw new FauxlensError('This browser gives this page no memory for pictures: close other pages.');
  return (/** @type {number} */ left, /** @type {number} */ top, /** @type {number} */ width, /** @type {number} */ rows) => {
    if (canvas.width !== width || canvas.height < rows) {
      canvas.width = width;
      canvas.height = rows;
    }
    context.globalCompositeOperation = 'copy';
    context.imageSmoothingEnabled = false;
    context.drawImage(bitmap, left, top, width, rows, 0, 0, width, rows);
    return context.getImageData(0, 0, width, rows).data;
  };
}

/** @param {Uint8ClampedArray} rgba @param {{least: number, greatest: number}} alpha */
function measureAlpha(rgba, alpha) {
  if (alpha.least < 255 && alpha.greatest > 0) return;
  for (let i = 3; i < rgba.length; i += 4) {
    if (rgba[i] < alpha.least) alpha.least = rgba[i];
    if (rgba[i] > alpha.greatest) alpha.greatest = rgba[i];
  }
}

/**
 * Whether a pixel is not opaque.
 * @param {import('./raster.js').Raster} raster @param {string} name
 * @throws {FauxlensError} for a picture of which no pixel shows
 */
function hasClearPixel(raster, name) {
  const {alpha} = /** @type {ReturnType<typeof bitmapRaster>} */ (raster);
  const rows = Math.max(1, Math.floor(BAND_PIXELS / raster.width));
  for (let top = 0; top < raster.height && !(alpha.least < 255 && alpha.greatest > 0); top += rows) {
    raster.readRows(0, top, raster.width, Math.min(rows, raster.height - top));
  }
  if (alpha.greatest === 0) {
    throw new FauxlensError(`${name} is fully transparent: save it without transparency.`);
  }
  return alpha.least < 255;
}

/**
 * The RGB bytes of a whole picture, row by row as stored.
 * @param {import('./raster.js').Raster} raster
 */
export function storedPixels(raster) {
  const rgb = new Uint8Array(3 * raster.width * raster.height);
  const rows = Math.max(1, Math.floor(BAND_PIXELS / raster.width));
  let target = 0;
  for (let top = 0; top < raster.height; top += rows) {
    const band = raster.readRows(0, top, raster.width, Math.min(rows, raster.height - top));
    for (let i = 0; i < band.length; i += 4) {
      rgb[target] = band[i];
      rgb[target + 1] = band[i + 1];
      rgb[target + 2] = band[i + 2];
      target += 3;
    }
  }
  return rgb;
}
