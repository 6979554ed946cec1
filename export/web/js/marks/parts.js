// The parts of a picture file that may hold marks, whatever its container (train/image/marks/parts.py).

/** What one file may cost. */
export const MAX_PARTS = 20_000;
export const MAX_TEXT = 1 << 20;
const MAX_TEXTS = 64;
const MAX_ALL_TEXT = 8 << 20;
export const MAX_MANIFEST = 16 << 20;
export const MAX_XMP = 4 << 20;

export const CUT_SHORT = 'The file ends in the middle of a part: it was cut short, or a length in it is wrong.';
export const TOO_MANY = tooMany(MAX_PARTS);

/** What a walk through a container found, in the order of the file. */
export class Parts {
  /** @param {string} container "JPEG", "PNG", "WebP", "HEIF", "AVIF", "TIFF", "GIF" or "" for others */
  constructor(container) {
    this.container = container;
    /** @type {Uint8Array | null} a TIFF structure, with its byte order mark first */
    this.exif = null;
    /** @type {Uint8Array | null} */
    this.xmp = null;
    /** @type {Uint8Array | null} what did not fit into the XMP packet */
    this.extendedXmp = null;
    /** @type {Uint8Array | null} */
    this.iptc = null;
    /** @type {Uint8Array | null} a C2PA manifest store (JUMBF) */
    this.manifest = null;
    /** @type {[string, string][]} */
    this.texts = [];
    /** @type {string[]} sentences about what does not hold together */
    this.faults = [];
    this.allText = 0;
  }

  /** Notes a fault once. @param {string} sentence */
  fault(sentence) {
    if (!this.faults.includes(sentence)) this.faults.push(sentence);
  }

  /** Keeps a text; the longest are cut, and of very many the first are kept. @param {string} key @param {string} text */
  text(key, text) {
    const characters = text.length > MAX_TEXT ? Array.from(text) : null;
    const cut = characters !== null && characters.length > MAX_TEXT;
    if (cut) this.fault(`A text is longer than ${grouped(MAX_TEXT)} characters: only its beginning was read.`);
    if (this.hasRoom()) {
      this.texts.push([key, cut ? characters.slice(0, MAX_TEXT).join('') : text]);
      this.allText += characters?.length ?? text.length;
    }
  }

  /** Whether another text is read. */
  hasRoom() {
    if (this.texts.length < MAX_TEXTS && this.allText < MAX_ALL_TEXT) return true;
    this.fault(`The file has more than ${MAX_TEXTS} texts or very long ones: the others were not read.`);
    return false;
  }

  /** Whether a part is beyond `limit` bytes, which is noted as a fault. @param {string} what @param {number} length @param {number} limit */
  large(what, length, limit) {
    if (length > limit) {
      this.fault(`The ${what} has ${grouped(length)} bytes, more than ${grouped(limit)}: it was not read.`);
    }
    return length > limit;
  }
}

/** The fault of a file with more than so many parts. @param {number} most */
export function tooMany(most) {
  return `The file has more than ${grouped(most)} parts: what follows them was not read.`;
}

/** @param {number} number */
export function grouped(number) {
  return number.toLocaleString('en');
}
