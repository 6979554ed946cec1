// What a picture file says before it is decoded, and whether Fauxlens reads it: the rules of train/image/decode.py.
// A browser's decoder is only shown files whose first bytes are those of a picture, so no SVG or HTML reaches it.
import {FauxlensError} from './error.js';
import {refusalOf} from './file_kinds.js';
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
 * @property {boolean} progressive a JPEG of several passes
 * @property {number} scans of a JPEG; 1 for others
 * @property {number} orientation 1..8
 * @property {Uint8Array} decodable the file as the browser's decoder gets it: without orientation
 * @property {boolean} whole
 */

const MAX_PIXELS = 120_000_000;
const MAX_WEBP_PIXELS = 50_000_000;
const MAX_PROGRESSIVE_PIXELS = 80_000_000;
const MAX_AVIF_PIXELS = 64_000_000;
const MAX_SIDE = 1_000_000;
const MAX_SCANS = 100;
const MAX_BYTES = 2 ** 30;

/** @type {[string, RegExp, (bytes: Uint8Array) => PictureHeader | null][]} */
const READERS = [
  ['JPEG', /^\xff\xd8\xff/, readJpeg],
  ['PNG', /^\x89PNG\r\n\x1a\n/, readPng],
  ['WEBP', /^RIFF[^]{4}WEBP/, readWebp],
  ['GIF', /^GIF8[79]a/, readGif],
  ['BMP', /^BM/, readBmp],
  ['AVIF', /^[^]{4}ftypavi[fs]/, readAvif],
];
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
  const reader = READERS.find(([, magic]) => magic.test(start));
  if (!reader) throw new FauxlensError(`${name} ${refusalOf(bytes)}`);
  const header = reader[2](bytes);
  if (!header) throw damaged(name);
  const {width, height, frames, format, whole} = header;
  if (format !== 'AVIF' && width * height === 0) {
    throw new FauxlensError(`${name} has no pixels (its header says width or height 0): get the file again.`);
  }
  checkSize(header, name);
  if (header.scans > MAX_SCANS) {
    throw new FauxlensError(`${name} is a JPEG of more than ${MAX_SCANS} scans: save it again as a baseline JPEG.`);
  }
  if (frames > 1) {
    throw new FauxlensError(
      `${name} has ${frames} frames: save one frame as a picture.`,
    );
  }
  if (!whole) throw damaged(name);
  return header;
}

/**
 * Refuses a picture of too many pixels, or of a side that is too long: the limits of train/image/limits.py.
 * @param {{format: string, width: number, height: number, progressive: boolean}} header @param {string} name
 */
export function checkSize({format, width, height, progressive}, name) {
  const [most, kind] =
    format === 'WEBP' ? [MAX_WEBP_PIXELS, 'a WebP']
    : format === 'AVIF' ? [MAX_AVIF_PIXELS, 'an AVIF or HEIC']
    : progressive ? [MAX_PROGRESSIVE_PIXELS, 'a progressive JPEG']
    : [MAX_PIXELS, ''];
  const limit = most.toLocaleString('en');
  if (width * height > most) {
    const allowed = kind ? `the ${limit} in all that ${kind} may have` : `${limit} in all`;
    throw new FauxlensError(`${name} has ${width} x ${height} pixels, more than ${allowed}: save a smaller copy.`);
  }
  if (Math.max(width, height) > MAX_SIDE) {
    const longest = MAX_SIDE.toLocaleString('en');
    throw new FauxlensError(
      `${name} has ${width} x ${height} pixels, more than ${longest} on one side: save a smaller copy.`,
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
export function conversionNotes({mode, deep}, clear) {
  const notes = [];
  if (deep) notes.push('16 bits a channel were reduced to 8.');
  if (mode === 'CMYK') notes.push('CMYK was converted to RGB without a colour profile.');
  if (mode === 'P') notes.push('The palette was expanded to RGB.');
  if (mode === 'L') notes.push('Greyscale was repeated in three channels.');
  if (mode === '1') notes.push('Black and white was expanded to RGB.');
  if (clear) notes.push('Transparency was laid on white.');
  return notes;
}
