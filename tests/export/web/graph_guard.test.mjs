// Which graphs are let in: the complaints of Python, word for word (tests/golden/graphs).
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import test from 'node:test';

import {FauxlensError} from '../../../export/web/js/error.js';
import {checkGraph} from '../../../export/web/js/graph_guard.js';

const folder = new URL('../../golden/graphs/', import.meta.url);
const good = new Uint8Array(readFileSync(new URL('good.tflite', folder)));
const cases = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8'));

test('altered graphs are refused with the complaints of Python', () => {
  for (const {changes, complaint} of cases) {
    const data = good.slice();
    for (const [place, value] of changes) data.set(Buffer.from(value, 'hex'), place);
    const said = complaintOf(data);
    assert.equal(said, complaint, JSON.stringify(changes));
  }
});

test('what is no FlatBuffer is refused', () => {
  for (const data of [new Uint8Array(), new Uint8Array(64), new Uint8Array(64).fill(255)]) assert.ok(complaintOf(data));
});

/** @param {Uint8Array} data */
function complaintOf(data) {
  try {
    checkGraph(data, 'it');
  } catch (error) {
    assert.ok(error instanceof FauxlensError, String(error));
    return /^it does not hold a graph that Fauxlens exports \((.*)\): take a detector made by `fauxlens export`\.$/.exec(error.message)?.[1];
  }
  return null;
}
