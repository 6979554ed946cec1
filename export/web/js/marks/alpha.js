// Settings that are hidden in the lowest bits of a picture's transparency: NovelAI's, and what copies its way
// (train/image/marks/alpha.py). Column by column, each alpha's lowest bit: a mark of 15 bytes, the length in bits
// (big-endian, 32 bits), the text.
import {NotJson, parseJson} from '../json.js';
import {latin1, startsWith, utf8, viewOf} from './bytes.js';
import {pngLowBits} from './png_alpha.js';
import {MAX_TEXT} from './parts.js';
import {unpack} from './unpack.js';

/** The alpha of a decoded picture; `read` gives a rectangle row by row, and `close` the memory back.
 * @typedef {{width: number, height: number, close: () => void,
 *   read: (left: number, top: number, width: number, height: number) => Uint8Array}} Alpha */
/** Decodes a WebP file; null where it cannot be. @typedef {(data: Uint8Array) => Promise<Alpha | null>} AlphaOf */

/** Larger pictures are not looked into; NovelAI's have three million pixels at most. */
const MAX_PIXELS = 16_000_000;
const MAX_FIELDS = 20;
const MAX_KEY = 79;
const [PLAIN, ZIPPED] = ['stealth_pnginfo', 'stealth_pngcomp'];
const HEADER = PLAIN.length + 4;
const MAX_STRIP = 1 << 20;

/** @param {Uint8Array} bits packed, the high bit of a byte first */
const isMarked = (bits) => startsWith(bits, PLAIN) || startsWith(bits, ZIPPED);

/**
 * Keys and texts of what the alpha of a PNG or lossless WebP hides; none where it hides nothing.
 * @param {Uint8Array} data
 * @param {AlphaOf | null} alphaOf
 * @returns {Promise<[string, string][]>}
 */
export async function hiddenTexts(data, alphaOf) {
  const limits = {maxPixels: MAX_PIXELS, markBits: 8 * PLAIN.length, isMarked};
  const bits = (await pngLowBits(data, limits)) ?? (alphaOf && mayHide(data) ? await lowBits(await alphaOf(data)) : null);
  const message = bits && (await messageOf(bits));
  return message ? textsOf(message) : [];
}

/** Whether the bytes are those of a WebP with alpha and a lossless frame, of not too many pixels. @param {Uint8Array} data */
function mayHide(data) {
  if (!startsWith(data, 'RIFF') || !startsWith(data, 'WEBP', 8) || data.length < 30) return false;
  const view = viewOf(data);
  if (startsWith(data, 'VP8L', 12)) {
    // RFC 9649, 3.4: 14 bits of each side less one, then whether alpha is used.
    const sides = view.getUint32(21, true);
    return Boolean((sides >>> 28) & 1) && (1 + (sides & 0x3fff)) * (1 + ((sides >>> 14) & 0x3fff)) <= MAX_PIXELS;
  }
  // RFC 9649, 2.7: flags, and 24 bits of each side less one.
  const width = 1 + (view.getUint32(24, true) & 0xffffff);
  const height = 1 + (view.getUint32(26, true) >>> 8);
  const hasAlpha = startsWith(data, 'VP8X', 12) && (data[20] & 0x10) !== 0;
  return hasAlpha && latin1(data.subarray(0, 4096)).includes('VP8L') && width * height <= MAX_PIXELS;
}

/** The lowest bits of an alpha, column by column; null where they do not begin with a mark. @param {Alpha | null} alpha */
async function lowBits(alpha) {
  if (!alpha) return null;
  const {width, height} = alpha;
  try {
    if (width * height > MAX_PIXELS) return null;
    const bits = new Uint8Array(Math.ceil((width * height) / 8));
    const strip = Math.max(1, Math.floor(MAX_STRIP / height));
    for (let left = 0; left < width; left += strip) {
      const columns = Math.min(strip, width - left);
      const values = alpha.read(left, 0, columns, height);
      for (let x = 0; x < columns; x += 1) {
        for (let y = 0; y < height; y += 1) {
          const at = (left + x) * height + y;
          if (values[y * columns + x] & 1) bits[at >> 3] |= 0x80 >> (at & 7);
        }
      }
      if (left === 0 && columns * height >= 8 * HEADER && !isMarked(bits)) return null;
    }
    return {bits, count: width * height};
  } finally {
    alpha.close();
  }
}

/** The hidden bytes; null where the mark is not there, and where what follows it is damaged. @param {{bits: Uint8Array, count: number}} found */
async function messageOf({bits, count}) {
  if (count < 8 * HEADER || !isMarked(bits)) return null;
  const length = Math.min(viewOf(bits).getUint32(PLAIN.length), count - 8 * HEADER, 32 * MAX_TEXT);
  const body = bits.subarray(HEADER, HEADER + Math.floor(length / 8));
  if (startsWith(bits, PLAIN)) return body;
  return (await unpack([body], 'gzip', 4 * MAX_TEXT))?.bytes ?? null;
}

/** @param {Uint8Array} message @returns {[string, string][]} */
function textsOf(message) {
  const text = utf8(message).slice(0, MAX_TEXT);
  if (!text) return [];
  let fields;
  try {
    fields = parseJson(text);
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
  }
  if (!(fields instanceof Map)) return [['parameters', text]];
  /** @type {[string, string][]} */
  const found = [];
  for (const [key, value] of [...fields].slice(0, MAX_FIELDS)) {
    if (typeof value === 'string') found.push([Array.from(key.slice(0, 2 * MAX_KEY)).slice(0, MAX_KEY).join(''), value]);
  }
  return found;
}
