// What picture files say about themselves: the rows of Python, text for text (tests/golden/marks, docs/marks.md).
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import test from 'node:test';

import {readMarks} from '../../../export/web/js/marks/read.js';

const tables = JSON.parse(readFileSync(new URL('../../../train/image/marks/tables.json', import.meta.url), 'utf8'));
const folder = new URL('../../golden/marks/', import.meta.url);
const {files} = JSON.parse(readFileSync(new URL('rows.json', folder), 'utf8'));

for (const [name, expected] of Object.entries(files)) {
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

/** A PNG of one chunk; checksums are not compared. @param {string} kind @param {string} text */
function pngWith(kind, text) {
  const chunk = (/** @type {string} */ name, /** @type {string} */ content) => {
    const bytes = Buffer.alloc(12 + content.length);
    bytes.writeUInt32BE(content.length);
    bytes.write(name + content, 4, 'latin1');
    return bytes;
  };
  return new Uint8Array(Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk(kind, text), chunk('IEND', '')]));
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
