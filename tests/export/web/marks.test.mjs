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
