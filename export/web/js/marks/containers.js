// Walks through JPEG, PNG and WebP files (train/image/marks/jpeg.py, png.py, riff.py); HEIF and AVIF stand in bmff.js, GIF
// in gif.js.
import {containerOf, walkBmff} from './bmff.js';
import {concatenated, latin1, partition, startsWith, utf8, viewOf, withoutPrefix} from './bytes.js';
import {isGif, walkGif} from './gif.js';
import {CUT_SHORT, MAX_MANIFEST, MAX_PARTS, MAX_TEXT, MAX_XMP, Parts, TOO_MANY, grouped} from './parts.js';
import {unpack} from './unpack.js';

const EXIF = 'Exif\0\0';
const XMP = 'http://ns.adobe.com/xap/1.0/\0';
const EXTENDED_XMP = 'http://ns.adobe.com/xmp/extension/\0';
// A packet names one extension; what overflowed of older packets may still be there.
const MAX_EXTENSIONS = 16;
const PHOTOSHOP = 'Photoshop 3.0\0';
const IPTC_RESOURCE = 0x0404;
export const PNG_SIGNATURE = '\x89PNG\r\n\x1a\n';
const PNG_XMP = 'XML:com.adobe.xmp';

/** Walks through the container that the first bytes name; other files give empty parts. @param {Uint8Array} data */
export async function readParts(data) {
  if (startsWith(data, '\xff\xd8')) return walkJpeg(data, new Parts('JPEG'));
  if (startsWith(data, PNG_SIGNATURE)) return walkPng(data, new Parts('PNG'));
  if (startsWith(data, 'RIFF') && startsWith(data, 'WEBP', 8)) return walkWebp(data, new Parts('WebP'));
  if (isGif(data)) return walkGif(data, new Parts('GIF'));
  if (startsWith(data, 'II*\0') || startsWith(data, 'MM\0*')) {
    const parts = new Parts('TIFF');
    parts.exif = data;
    return parts;
  }
  const parts = new Parts(containerOf(data));
  if (parts.container) walkBmff(data, parts);
  return parts;
}

/** The segments before the first scan (ITU T.81, B.1). @param {Uint8Array} data @param {Parts} parts */
function walkJpeg(data, parts) {
  const view = viewOf(data);
  /** @type {Map<number, [number, Uint8Array][]>} */
  const boxes = new Map();
  /** @type {Uint8Array[]} */
  const photoshop = [];
  /** @type {Map<string, [number, Uint8Array][]>} */
  const extended = new Map();
  let at = 2;
  let count = 0;
  for (;;) {
    while (at < data.length && data[at] === 0xff && data[at + 1] === 0xff) at += 1;
    if (at + 4 > data.length || data[at] !== 0xff) {
      parts.fault(CUT_SHORT);
      break;
    }
    const marker = data[at + 1];
    if (marker === 0xda || marker === 0xd9) break;
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
      continue;
    }
    const length = view.getUint16(at + 2);
    if (length < 2 || at + 2 + length > data.length) {
      parts.fault(CUT_SHORT);
      break;
    }
    count += 1;
    if (count > MAX_PARTS) {
      parts.fault(TOO_MANY);
      break;
    }
    const content = data.subarray(at + 4, at + 2 + length);
    if (marker === 0xe1 && startsWith(content, EXIF) && !parts.exif) parts.exif = content.subarray(EXIF.length);
    else if (marker === 0xe1 && startsWith(content, XMP) && !parts.xmp) parts.xmp = content.subarray(XMP.length);
    else if (marker === 0xe1 && startsWith(content, EXTENDED_XMP) && content.length > EXTENDED_XMP.length + 40) {
      // The digest that the packet names, the length of the whole, and where this piece belongs (XMP, part 3).
      const piece = content.subarray(EXTENDED_XMP.length);
      const digest = latin1(piece.subarray(0, 32));
      const pieces = extended.get(digest) ?? [];
      pieces.push([viewOf(piece).getUint32(36), piece.subarray(40)]);
      if (extended.has(digest) || extended.size < MAX_EXTENSIONS) extended.set(digest, pieces);
    } else if (marker === 0xeb && startsWith(content, 'JP') && content.length >= 16) {
      const number = view.getUint16(at + 6);
      const packets = boxes.get(number) ?? [];
      packets.push([view.getUint32(at + 8), content.subarray(8)]);
      boxes.set(number, packets);
    } else if (marker === 0xed && startsWith(content, PHOTOSHOP)) photoshop.push(content.subarray(PHOTOSHOP.length));
    else if (marker === 0xfe) parts.text('comment', utf8(content));
    at += 2 + length;
  }
  parts.manifest = joined(boxes, parts);
  parts.extendedXmp = extensionOf(extended, parts);
  parts.iptc = iptcOf(concatenated(photoshop));
  return parts;
}

/** The first JUMBF superbox that is a C2PA manifest store (ISO 19566-5, annex D). @param {Map<number, [number, Uint8Array][]>} boxes @param {Parts} parts */
function joined(boxes, parts) {
  for (const packets of boxes.values()) {
    packets.sort((a, b) => a[0] - b[0]);
    const first = packets[0][1];
    // Every packet repeats the box's header: its length and type, and the long length where there is one.
    const header = startsWith(first, '\0\0\0\x01') ? 16 : 8;
    const box = concatenated([first, ...packets.slice(1).map(([, content]) => content.subarray(header))]);
    const isStore = latin1(box.subarray(0, 128)).includes('c2pa');
    if (isStore && !parts.large('C2PA manifest', box.length, MAX_MANIFEST)) return box;
  }
  return null;
}

/** The rest of an XMP packet that one segment could not hold: that which the packet names, in its order.
 * @param {Map<string, [number, Uint8Array][]>} extended @param {Parts} parts */
function extensionOf(extended, parts) {
  const packet = parts.xmp ? latin1(parts.xmp) : '';
  for (const [digest, pieces] of extended) {
    if (!packet.includes(digest)) continue;
    const length = pieces.reduce((sum, [, piece]) => sum + piece.length, 0);
    if (parts.large('extended XMP packet', length, MAX_XMP)) continue;
    return concatenated(pieces.sort((a, b) => a[0] - b[0]).map(([, piece]) => piece));
  }
  return null;
}

/** The IPTC record among Photoshop's image resources. @param {Uint8Array} resources */
function iptcOf(resources) {
  const view = viewOf(resources);
  let at = 0;
  for (let i = 0; i < MAX_PARTS; i += 1) {
    if (!startsWith(resources, '8BIM', at) || at + 12 > resources.length) return null;
    const number = view.getUint16(at + 4);
    at += 6 + Math.floor((resources[at + 6] + 2) / 2) * 2;
    if (at + 4 > resources.length) return null;
    const length = view.getUint32(at);
    if (number === IPTC_RESOURCE) return resources.subarray(at + 4, at + 4 + Math.min(length, MAX_XMP));
    at += 4 + Math.floor((length + 1) / 2) * 2;
  }
  return null;
}

/** The chunks of a PNG file (W3C PNG, 5.3 and 11.3); checksums are not compared. @param {Uint8Array} data @param {Parts} parts */
async function walkPng(data, parts) {
  const view = viewOf(data);
  let at = PNG_SIGNATURE.length;
  for (let i = 0; i < MAX_PARTS; i += 1) {
    if (at + 8 > data.length) {
      parts.fault(CUT_SHORT);
      return parts;
    }
    const length = view.getUint32(at);
    if (at + 12 + length > data.length) {
      parts.fault(CUT_SHORT);
      return parts;
    }
    const kind = latin1(data.subarray(at + 4, at + 8));
    if (kind === 'IEND') return parts;
    await readChunk(kind, data.subarray(at + 8, at + 8 + length), parts);
    at += 12 + length;
  }
  parts.fault(TOO_MANY);
  return parts;
}

/** @param {string} kind @param {Uint8Array} chunk @param {Parts} parts */
async function readChunk(kind, chunk, parts) {
  if (kind === 'eXIf') parts.exif ??= withoutPrefix(chunk, EXIF);
  if (kind === 'caBX' && !parts.manifest && !parts.large('C2PA manifest', chunk.length, MAX_MANIFEST)) {
    parts.manifest = chunk;
  }
  if (!['tEXt', 'zTXt', 'iTXt'].includes(kind) || !parts.hasRoom()) return;
  const [key, rest] = partition(chunk);
  if (kind === 'tEXt') keep(key, rest, latin1, parts);
  if (kind === 'zTXt') keep(key, await unzipped(rest.subarray(1), parts), latin1, parts);
  if (kind === 'iTXt') {
    const [, tail] = partition(rest.subarray(2));
    const text = rest.subarray(2).indexOf(0) < 0 || tail.indexOf(0) < 0 ? null : partition(tail)[1];
    if (!text) parts.fault(CUT_SHORT);
    else keep(key, rest[0] === 1 ? await unzipped(text, parts) : text, utf8, parts);
  }
}

/** @param {Uint8Array} key @param {Uint8Array} text @param {(bytes: Uint8Array) => string} decode @param {Parts} parts */
function keep(key, text, decode, parts) {
  const name = latin1(key.subarray(0, 79));
  if (name === PNG_XMP) {
    if (!parts.xmp && !parts.large('XMP packet', text.length, MAX_XMP)) parts.xmp = text;
    return;
  }
  // Four bytes a character at most; one more character shows that it was longer.
  parts.text(name, decode(text.subarray(0, 4 * MAX_TEXT + 4)));
}

/** @param {Uint8Array} packed @param {Parts} parts @returns {Promise<Uint8Array>} at most MAX_XMP bytes */
async function unzipped(packed, parts) {
  const text = await unpack([packed], 'deflate', MAX_XMP);
  if (!text) parts.fault('A compressed text is damaged: it was not read.');
  if (text?.cut) parts.fault(`A text is longer than ${grouped(MAX_XMP)} bytes unpacked: only its beginning was read.`);
  return text?.bytes ?? new Uint8Array();
}

/** The chunks of a WebP file (RFC 9649; "C2PA" by the C2PA specification, A.3.3). @param {Uint8Array} data @param {Parts} parts */
function walkWebp(data, parts) {
  const view = viewOf(data);
  let at = 12;
  for (let i = 0; i < MAX_PARTS; i += 1) {
    if (at + 8 > data.length) {
      if (at < data.length) parts.fault(CUT_SHORT);
      return parts;
    }
    const kind = latin1(data.subarray(at, at + 4));
    const length = view.getUint32(at + 4, true);
    if (at + 8 + length > data.length) {
      parts.fault(CUT_SHORT);
      return parts;
    }
    const content = data.subarray(at + 8, at + 8 + length);
    if (kind === 'EXIF' && !parts.exif) parts.exif = withoutPrefix(content, EXIF);
    else if (kind === 'XMP ' && !parts.xmp && !parts.large('XMP packet', length, MAX_XMP)) parts.xmp = content;
    else if (kind === 'C2PA' && !parts.manifest && !parts.large('C2PA manifest', length, MAX_MANIFEST)) {
      parts.manifest = content;
    }
    at += 8 + length + (length & 1);
  }
  parts.fault(TOO_MANY);
  return parts;
}
