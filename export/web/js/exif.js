// The orientation that a file asks for, read as Pillow's `Image.getexif` does: EXIF first, then XMP.

const ORIENTATION = 0x0112;
// EXIF 2.32, 4.6.2: bytes of SHORT and LONG.
const SHORT = 3;
const LONG = 4;
const MOST_ENTRIES = 1000;
const XMP_ORIENTATION = /tiff:Orientation(?:="|>)([0-9])/;

/**
 * Finds the orientation in the TIFF structure of an EXIF block.
 * @param {Uint8Array} bytes the whole file
 * @param {number} start where the TIFF header stands
 * @param {number} end
 * @returns {{orientation: number, at: number} | null} `at` is where the entry stands; null where there is none
 */
export function findOrientation(bytes, start, end) {
  if (end - start < 8) return null;
  const data = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  const order = data.getUint16(0);
  const little = order === 0x4949;
  if ((!little && order !== 0x4d4d) || data.getUint16(2, little) !== 42) return null;
  const directory = data.getUint32(4, little);
  if (directory + 2 > data.byteLength) return null;
  const count = Math.min(data.getUint16(directory, little), MOST_ENTRIES);
  for (let i = 0; i < count; i += 1) {
    const at = directory + 2 + 12 * i;
    if (at + 12 > data.byteLength) return null;
    if (data.getUint16(at, little) === ORIENTATION) {
      const type = data.getUint16(at + 2, little);
      if (type !== SHORT && type !== LONG) return null;
      const orientation = type === SHORT ? data.getUint16(at + 8, little) : data.getUint32(at + 8, little);
      return {orientation, at: start + at};
    }
  }
  return null;
}

/** The orientation of an XMP packet, null where it names none. @param {string} packet */
export function xmpOrientation(packet) {
  const match = XMP_ORIENTATION.exec(packet);
  return match ? Number(match[1]) : null;
}
