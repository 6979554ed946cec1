// FlatBuffers tables read so that no byte outside the file is ever looked at (export/artifacts/flat_tables.py).

/** An offset, a length or an alignment leads out of the file, or a graph is not as the exporter writes it. */
export class BadFlatBuffer extends Error {}

/** The root table of a file. @param {Uint8Array} bytes @returns {FlatTable} @throws {BadFlatBuffer} */
export function rootOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return tableAt(view, unsigned(view, 0));
}

/** A table whose vtable has been checked; `fields` are the places of its fields, 0 for an absent one. */
export class FlatTable {
  /** @param {DataView} view @param {number} at @param {number} size @param {number[]} fields */
  constructor(view, at, size, fields) {
    this.view = view;
    this.at = at;
    this.size = size;
    this.fields = fields;
  }

  /** @param {number} field */
  has(field) {
    return field < this.fields.length && this.fields[field] !== 0;
  }

  /** @param {number} field */
  byte(field) {
    const place = this.place(field, 1);
    return place === null ? 0 : this.view.getUint8(place);
  }

  /** @param {number} field */
  signedByte(field) {
    const place = this.place(field, 1);
    return place === null ? 0 : this.view.getInt8(place);
  }

  /** @param {number} field @param {number} [absent] */
  int(field, absent = 0) {
    const place = this.place(field, 4);
    return place === null ? absent : this.view.getInt32(place, true);
  }

  /** @param {number} field */
  unsigned(field) {
    return this.int(field) >>> 0;
  }

  /** @param {number} field */
  long(field) {
    const place = this.place(field, 8);
    return place === null ? 0n : this.view.getBigUint64(place, true);
  }

  /** @param {number} field @returns {FlatTable | null} */
  table(field) {
    const target = this.target(field);
    return target === null ? null : tableAt(this.view, target);
  }

  /** A field that is a vector of tables. @param {number} field @returns {FlatTable[]} */
  tables(field) {
    const [start, count] = this.vector(field, 4);
    return Array.from({length: count}, (_, i) => tableAt(this.view, follow(this.view, start + 4 * i)));
  }

  /** Vectors of numbers, empty where the field is absent. @param {number} field */
  ints(field) {
    const [start, count] = this.vector(field, 4);
    return Array.from({length: count}, (_, i) => this.view.getInt32(start + 4 * i, true));
  }

  /** @param {number} field */
  floats(field) {
    const [start, count] = this.vector(field, 4);
    return Array.from({length: count}, (_, i) => this.view.getFloat32(start + 4 * i, true));
  }

  /** @param {number} field */
  longs(field) {
    const [start, count] = this.vector(field, 8);
    return Array.from({length: count}, (_, i) => this.view.getBigInt64(start + 8 * i, true));
  }

  /** @param {number} field */
  bytes(field) {
    const [start, count] = this.vector(field, 1);
    return Array.from({length: count}, (_, i) => this.view.getUint8(start + i));
  }

  /** How many bytes a field that is a vector of bytes, or a text, has. @param {number} field */
  countOfBytes(field) {
    return this.vector(field, 1)[1];
  }

  /** @param {number} field @param {number} width @returns {number | null} */
  place(field, width) {
    if (!this.has(field)) return null;
    const offset = this.fields[field];
    if (offset < 4 || offset + width > this.size || (this.at + offset) % width) {
      throw new BadFlatBuffer(`a field of the table at ${this.at} lies outside it`);
    }
    return this.at + offset;
  }

  /** @param {number} field */
  target(field) {
    const place = this.place(field, 4);
    return place === null ? null : follow(this.view, place);
  }

  /** Start and length. @param {number} field @param {number} width @returns {[number, number]} */
  vector(field, width) {
    const target = this.target(field);
    if (target === null) return [0, 0];
    const count = unsigned(this.view, target);
    if (target % 4 || count > Math.floor((this.view.byteLength - target - 4) / width)) {
      throw new BadFlatBuffer(`the vector at ${target} does not lie in the file`);
    }
    return [target + 4, count];
  }
}

/** @param {DataView} view @param {number} at */
function tableAt(view, at) {
  const end = view.byteLength;
  if (at % 4 || at < 4 || at > end - 4) throw new BadFlatBuffer(`there is no table at ${at}`);
  const vtable = at - view.getInt32(at, true);
  if (vtable % 2 || vtable < 4 || vtable > end - 4) throw new BadFlatBuffer(`the table at ${at} has no vtable`);
  const length = view.getUint16(vtable, true);
  const size = view.getUint16(vtable + 2, true);
  if (length < 4 || length % 2 || vtable + length > end || size < 4 || at + size > end) {
    throw new BadFlatBuffer(`the table at ${at} has a wrong vtable`);
  }
  const fields = Array.from({length: (length - 4) / 2}, (_, i) => view.getUint16(vtable + 4 + 2 * i, true));
  return new FlatTable(view, at, size, fields);
}

/** Where the offset at a place leads, counted from it. @param {DataView} view @param {number} place */
function follow(view, place) {
  return place + unsigned(view, place);
}

/** @param {DataView} view @param {number} place */
function unsigned(view, place) {
  if (place < 0 || place > view.byteLength - 4) {
    throw new BadFlatBuffer(`an offset leads to ${place}, outside the file`);
  }
  return view.getUint32(place, true);
}
