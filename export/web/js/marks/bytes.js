// Bytes as Python's `bytes` has them: comparisons, and the encodings of metadata.

/** @param {Uint8Array} bytes @param {string} text of Latin-1 characters @param {number} [at] */
export function startsWith(bytes, text, at = 0) {
  if (at + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i += 1) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** @param {Uint8Array} bytes @param {string} prefix */
export function withoutPrefix(bytes, prefix) {
  return startsWith(bytes, prefix) ? bytes.subarray(prefix.length) : bytes;
}

/** Bytes as ISO 8859-1, which browsers decode as Windows-1252 if asked. @param {Uint8Array} bytes */
export function latin1(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

/** UTF-8; what is none becomes U+FFFD. @param {Uint8Array} bytes */
export function utf8(bytes) {
  return new TextDecoder('utf-8', {ignoreBOM: true}).decode(bytes);
}

/** UTF-8 where it is that, else Latin-1. @param {Uint8Array} bytes */
export function utf8OrLatin1(bytes) {
  try {
    return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes);
  } catch {
    return latin1(bytes);
  }
}

/** @param {Uint8Array} bytes @param {'utf-16le' | 'utf-16be'} encoding */
export function utf16(bytes, encoding) {
  return new TextDecoder(encoding, {ignoreBOM: true}).decode(bytes);
}

/** What stands before and after the first NUL; all of it before where there is none. @param {Uint8Array} bytes @returns {[Uint8Array, Uint8Array]} */
export function partition(bytes) {
  const at = bytes.indexOf(0);
  return at < 0 ? [bytes, bytes.subarray(bytes.length)] : [bytes.subarray(0, at), bytes.subarray(at + 1)];
}

/** @param {Uint8Array[]} parts */
export function concatenated(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @param {Uint8Array} bytes */
export function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
