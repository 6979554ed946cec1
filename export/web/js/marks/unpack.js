// Compressed bytes by the browser's own decompression, bounded.
import {concatenated} from './bytes.js';

// A browser unpacks each piece of its input whole, to a thousand times its size, before anyone can say that it is enough.
const PIECE = 4096;

/**
 * Hands unpacked bytes to `take` as they come, until it says that it has enough or they end. Returns false where they are
 * damaged before that, cut short or followed by something else.
 * @param {Iterable<Uint8Array>} parts what is packed, one after the other
 * @param {CompressionFormat} format
 * @param {(bytes: Uint8Array) => boolean} take returns whether that was enough
 */
export async function unpackInto(parts, format, take) {
  const waiting = pieces(parts);
  /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */
  const packed = new ReadableStream({
    pull(controller) {
      const {done, value} = waiting.next();
      if (done) controller.close();
      else controller.enqueue(/** @type {Uint8Array<ArrayBuffer>} */ (value));
    },
  });
  const reader = packed.pipeThrough(new DecompressionStream(format)).getReader();
  for (;;) {
    // Browsers throw a TypeError, Node.js what zlib says.
    const next = await reader.read().catch(() => null);
    if (!next) return false;
    if (next.done) return true;
    if (take(next.value)) {
      await reader.cancel();
      return true;
    }
  }
}

/**
 * The first `most` bytes, and whether there were more; null for what is damaged before that.
 * @param {Iterable<Uint8Array>} parts @param {CompressionFormat} format @param {number} most
 */
export async function unpack(parts, format, most) {
  /** @type {Uint8Array[]} */
  const found = [];
  let length = 0;
  const whole = await unpackInto(parts, format, (bytes) => {
    found.push(bytes);
    length += bytes.length;
    return length > most;
  });
  return !whole ? null : {bytes: concatenated(found).subarray(0, most), cut: length > most};
}

/** @param {Iterable<Uint8Array>} parts @returns {Generator<Uint8Array>} */
function* pieces(parts) {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += PIECE) yield part.subarray(at, at + PIECE);
  }
}
