// What a file is that is no picture in a format read here, whatever its name says (train/image/file_kinds.py).
import {latin1} from './zip.js';

const KINDS = /** @type {[RegExp, string][]} */ ([
  [/^(II\*\0|MM\0\*)/, 'is a TIFF picture, which browsers do not read: save it as PNG'],
  [/^[^]{4}ftyp(heic|heix|hevc|hevx|heim|heis|mif1|msf1)/, 'is a HEIC picture, which this page does not read: save it as JPEG or PNG'],
  [/^[^]{4}ftyp(cr|CR)/, "is a camera's raw file"],
  [/^([^]{4}ftyp|\x1aE\xdf\xa3)/, 'is a video'],
  [/^version https:\/\/git-lfs/, 'is a Git LFS pointer, not the picture itself: run `git lfs pull` where it is from'],
  [/^(\xff\x0a|\0\0\0\x0cJXL )/, 'is a JPEG XL picture'],
  [/^(\0\0\0\x0cjP {2}|\xff\x4f\xff\x51)/, 'is a JPEG 2000 picture'],
  [/^8BPS/, 'is a Photoshop file'],
  [/^gimp xcf/, 'is a GIMP file'],
  [/^%PDF/, 'is a PDF'],
  [/^PK\x03\x04/, 'is a zip archive'],
  [/^\x1f\x8b/, 'is a gzip archive'],
  [/^7z\xbc\xaf/, 'is a 7-Zip archive'],
  [/^Rar!/, 'is a RAR archive'],
  [/^FUJIFILMCCD-RAW/, "is a camera's raw file"],
  [/^P5/, 'is a PGM picture'],
  [/^P6/, 'is a PPM picture'],
  [
    /^[\xef\xbb\xbf \t\r\n]*<(!doctype html|html|head|body)/i,
    'is a web page, not a picture: what was to be downloaded was answered by a page; open it to see why',
  ],
  [/^[\xef\xbb\xbf \t\r\n]*<(svg|\?xml)/i, 'is a drawing in SVG or another XML file, not a photograph'],
]);
const FORMATS = 'JPEG, PNG, WEBP, BMP or GIF';

/** The sentence that refuses a file, after its name. @param {Uint8Array} bytes */
export function refusalOf(bytes) {
  const start = latin1(bytes, 0, Math.min(512, bytes.length));
  const kind = KINDS.find(([magic]) => magic.test(start))?.[1];
  if (!kind) return `is not a picture that can be read: save it as ${FORMATS}.`;
  return kind.includes(':') ? `${kind}.` : `${kind}, which is not read: save it as ${FORMATS}.`;
}
