// What picture files say about themselves: the rows of Python, text for text (tests/golden/marks, docs/marks.md).
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import test from 'node:test';
import {deflateSync} from 'node:zlib';

import {readMarks} from '../../../export/web/js/marks/read.js';

const tables = JSON.parse(readFileSync(new URL('../../../train/image/marks/tables.json', import.meta.url), 'utf8'));
const folder = new URL('../../golden/marks/', import.meta.url);
const {files} = JSON.parse(readFileSync(new URL('rows.json', folder), 'utf8'));

// Node.js decodes no WebP: page.test.mjs has Chromium read what hides in its alpha.
const readable = Object.entries(files).filter(([name]) => name !== 'hidden-novelai.webp');

for (const [name, expected] of readable) {
  test(`the marks of ${name}`, async () => {
    // `pixel_rows` compare the picture with what the file says; the page does not do that yet.
    const {container, rows} = expected;
    assert.deepEqual(await readMarks(new Uint8Array(readFileSync(new URL(name, folder))), tables), {container, rows});
  });
}

test('an XMP packet of very many namespaces and elements is read at once', async () => {
  // Copied for each element, as many namespaces would take minutes.
  const spaces = Array.from({length: 90_000}, (_, i) => `xmlns:n${i}='u'`).join(' ');
  const packet = `<a ${spaces}>${"<b xmlns:c='d'/>".repeat(45_000)}<p:CreatorTool xmlns:p='http://ns.adobe.com/xap/1.0/'>Midjourney</p:CreatorTool></a>`;
  const {rows} = await readMarks(pngWith('iTXt', `XML:com.adobe.xmp\0\0\0\0\0${packet}`), tables);
  assert.deepEqual(rows.map(({source}) => source), ['XMP CreatorTool']);
});

test('a GIF of very many blocks, and an XMP packet that overflowed too far, are not read on', async () => {
  const faults = async (/** @type {Buffer} */ bytes) =>
    (await readMarks(new Uint8Array(bytes), tables)).rows.filter(({kind}) => kind === 'file').map(({text}) => text);
  const blocks = Buffer.concat([Buffer.from('GIF89a\x01\0\x01\0\0\0\0!\xf9', 'latin1'), Buffer.alloc(2_100_000, 1)]);
  assert.deepEqual(await faults(blocks), ['The file has more than 1,000,000 parts: what follows them was not read.']);
  const segment = (/** @type {Buffer} */ content) => {
    const head = Buffer.from([0xff, 0xe1, 0, 0]);
    head.writeUInt16BE(content.length + 2, 2);
    return Buffer.concat([head, content]);
  };
  const digest = 'D'.repeat(32);
  const packet = segment(Buffer.from(`http://ns.adobe.com/xap/1.0/\0<a n='${digest}'/>`));
  const piece = segment(Buffer.concat([Buffer.from(`http://ns.adobe.com/xmp/extension/\0${digest}`), Buffer.alloc(65_008)]));
  const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8]), packet, ...Array(70).fill(piece), Buffer.from([0xff, 0xd9, 0, 0])]);
  const text = 'The extended XMP packet has 4,550,000 bytes, more than 4,194,304: it was not read.';
  assert.deepEqual(await faults(jpeg), [text]);
});

test('a quarter of a gigabyte of rows without a mark is not unpacked', async () => {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(4000, 0);
  header.writeUInt32BE(4000, 4);
  header.set([8, 6], 8);
  const bytes = pngOf([['IHDR', header], ['IDAT', deflateSync(Buffer.alloc(1 << 28), {level: 9})]]);
  let unpacked = 0;
  const {read} = ReadableStreamDefaultReader.prototype;
  ReadableStreamDefaultReader.prototype.read = async function counted() {
    const next = await read.call(this);
    unpacked += next.value?.length ?? 0;
    return next;
  };
  try {
    const {rows} = await readMarks(bytes, tables);
    assert.match(rows.at(-1).text, /^No mark/);
  } finally {
    ReadableStreamDefaultReader.prototype.read = read;
  }
  assert.ok(unpacked > 0 && unpacked < 4 << 20, `${unpacked} bytes`);
});

/** A PNG of one chunk; checksums are not compared. @param {string} kind @param {string} text */
function pngWith(kind, text) {
  return pngOf([[kind, Buffer.from(text, 'latin1')]]);
}

/** @param {[string, Buffer][]} contents */
function pngOf(contents) {
  const chunks = [...contents, /** @type {[string, Buffer]} */ (['IEND', Buffer.alloc(0)])].map(([kind, content]) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length);
    return Buffer.concat([length, Buffer.from(kind), content, Buffer.alloc(4)]);
  });
  return new Uint8Array(Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks]));
}

test('no file cut short at any place, and none with a byte changed, is more than rows', async () => {
  for (const name of Object.keys(files).filter((one) => !one.startsWith('bomb'))) {
    const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
    for (let i = 1; i < 12; i += 1) {
      const at = Math.floor((bytes.length * i) / 12);
      const changed = bytes.slice();
      changed[at] ^= 0xff;
      for (const bad of [bytes.slice(0, at), changed]) assert.ok((await readMarks(bad, tables)).rows.length > 0);
    }
  }
});
