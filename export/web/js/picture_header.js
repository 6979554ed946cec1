// What a picture file says before it is decoded, and whether Fauxlens reads it: the rules of train/image/decode.py.
// A browser's decoder is only shown files whose first bytes are those of a picture, so no SVG or HTML reaches it.
import {FauxlensError} from './error.js';
import {readGif, readBmp, readAvif} from './picture_header_others.js';
import {readJpeg} from './picture_header_jpeg.js';
import {readPng} from './picture_header_png.js';
import {readWebp} from './picture_header_webp.js';
import {latin1} from './zip.js';

/**
 * `mode` is Pillow's: what is said of a conversion follows from it. `deep`: more than 8 bits a channel. `mayBeClear`: it
 * has an alpha channel or a transparent colour. `exif` are where EXIF blocks stand, `turnAt` where an orientation entry
 * stands that the browser must not see. `whole` is false for a file that breaks off.
 * @typedef {object} PictureHeader
 * @property {'JPEG' | 'PNG' | 'WEBP' | 'BMP' | 'GIF' | 'AVIF'} format
 * @property {number} width as stored; 0 where only the decoder will know (AVIF)
 * @property {number} height
 * @property {number} frames
 * @property {'RGB' | 'L' | '1' | 'P' | 'CMYK'} mode
 * @property {boolean} deep
 * @property {boolean} mayBeClear
 * @property {number} orientation 1..8
 * @property {Uint8Array} decodable the file as the browser's decoder gets it: without orientation
 * @property {boolean} whole
 */

export const MAX_PIXELS = 120_000_000;
export const MAX_BYTES = 2 ** 30;

/** @type {[string, RegExp, (bytes: Uint8Array) => PictureHeader | null][]} */
const READERS = [
  ['JPEG', /^\xff\xd8\xff/, readJpeg],
  ['PNG', /^\x89PNG\r\n\x1a\n/, readPng],
  ['WEBP', /^RIFF[^]{4}WEBP/, readWebp],
  ['GIF', /^GIF8[79]a/, readGif],
  ['BMP', /^BM/, readBmp],
  ['AVIF', /^[^]{4}ftypavi[fs]/, readAvif],
];
const OTHERS = /** @type {[RegExp, string][]} */ ([
  [/^(II\*\0|MM\0\*)/, 'TIFF'],
  [/^[^]{4}ftyp(heic|heix|mif1|msf1)/, 'HEIC'],
  [/^(\xff\x0a|[^]{4}JXL )/, 'JPEG XL'],
]);

/**
 * Reads a picture's header.
 * @param {Uint8Array} bytes the whole file
 * @param {string} name how errors call it
 * @returns {PictureHeader}
 * @throws {FauxlensError} with one sentence for everything that is not read: empty, no picture, animated, too large, ...
 */
export function readPictureHeader(bytes, name) {
  if (bytes.length === 0) throw new FauxlensError(`${name} is empty (0 bytes): get the file again.`);
  if (bytes.length > MAX_BYTES) {
    throw new FauxlensError(`${name} has ${bytes.length} bytes, more than ${MAX_BYTES}: save a smaller picture.`);
  }
  const start = latin1(bytes, 0, Math.min(16, bytes.length));
  const other = OTHERS.find(([magic]) => magic.test(start));
  if (other) throw new FauxlensError(`${name} is a ${other[1]} file, which browsers do not read: save it as PNG.`);
  const reader = READERS.find(([, magic]) => magic.test(start));
  if (!reader) {
    throw new FauxlensError(
      `${name} is not a picture that can be read: save it as JPEG, PNG, WEBP, BMP or GIF.`,
    );
  }
  const header = reader[2](bytes);
  if (!header) throw damaged(name);
  const {width, height, frames, format, whole} = header;
  if (format !== 'AVIF' && width * height === 0) {
    throw new FauxlensError(`${name} has no pixels (its header says width or height 0): get the file again.`);
  }
  checkPixels(width, height, name);
  if (frames > 1) {
    throw new FauxlensError(
      `${name} has ${frames} frames: save the frame you mean as a picture of its own.`,
    );
  }
  if (!whole) throw damaged(name);
  return header;
}

/** @param {number} width @param {number} height @param {string} name */
export function checkPixels(width, height, name) {
  if (width * height > MAX_PIXELS) {
    throw new FauxlensError(
      `${name} has ${width} x ${height} pixels, more than ${MAX_PIXELS.toLocaleString('en')} in all: save a smaller copy.`,
    );
  }
}

/** @param {string} name */
export function damaged(name) {
  return new FauxlensError(`${name} is damaged or cut short: get the file again.`);
}

/**
 * One sentence for each conversion that a picture goes through, as train/image/decode.py writes them.
 * @param {PictureHeader} header
 * @param {boolean} clear whether a pixel is not opaque
 */
export function conversionNotes({mode, deep, format}, clear) {
  const notes = [];
  if (deep) notes.push('16 bits a channel were reduced to 8.');
  if (mode === 'CMYK') notes.push('CMYK was converted to RGB without a colour profile.');
  if (mode === 'P') notes.push('The palette was expanded to RGB.');
  if (mode === 'L') notes.push('Greyscale was repeated in three channels.');
  if (mode === '1') notes.push('Black and white was expanded to RGB.');
  if (clear) notes.push('Transparency was laid on white.');
  if (format === 'AVIF') {
    notes.push('AVIF was decoded by this browser; `fauxlens detect` does not read it, so nothing confirms this score.');
  }
  return notes;
}
