// The JavaScript readers and pixels compared with what Python wrote to tests/golden (make.py says what a case holds).
// Run by test_module.py, which unpacks the sealed files to the folder $FAUXLENS_SEALED.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import test from 'node:test';
import {fileURLToPath} from 'node:url';

import {applyView} from '../../../export/web/js/apply_view.js';
import {readBundle} from '../../../export/web/js/bundle.js';
import {OPERATING_POINTS, labelOf} from '../../../export/web/js/decision.js';
import {parseDescription} from '../../../export/web/js/description.js';
import {readDetectorFile} from '../../../export/web/js/detector_file.js';
import {FauxlensError} from '../../../export/web/js/error.js';
import {decodeFaces} from '../../../export/web/js/face_boxes.js';
import {findFaces, inputTensor, placementOf} from '../../../export/web/js/face_finder.js';
import {NETWORKS} from '../../../export/web/js/face_networks.js';
import {crc32, floatBits} from '../../../export/web/js/hash.js';
import {expand, heatColour} from '../../../export/web/js/heatmap.js';
import {JsonNumber, NotJson, parseJson} from '../../../export/web/js/json.js';
import {rasterOf} from '../../../export/web/js/raster.js';
import {readSealed} from '../../../export/web/js/seal.js';
import {centreView, parseView, squareOf} from '../../../export/web/js/view.js';

const GOLDEN = fileURLToPath(new URL('../../golden/', import.meta.url));
const golden = (name) => JSON.parse(readFileSync(join(GOLDEN, name), 'utf8'));
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const refused = (work) => {
  try {
    return work();
  } catch (error) {
    assert.ok(error instanceof FauxlensError, String(error));
    return null;
  }
};

test('JSON is read as strictly as Python reads it', () => {
  const plain = (value) => {
    if (value instanceof JsonNumber) return Number(value.text) + 0;
    if (Array.isArray(value)) return value.map(plain);
    if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
    return value;
  };
  for (const {text, plain: expected} of golden('json_texts.json')) {
    if (expected === null) assert.throws(() => parseJson(text), NotJson, text);
    else assert.deepEqual(plain(parseJson(text)), JSON.parse(expected), text);
  }
});

test('descriptions are accepted and refused as by Python', () => {
  for (const {accepted, text} of golden('descriptions.json')) {
    assert.equal(refused(() => parseDescription(text, 'it')) !== null, accepted, text);
  }
});

test('sealed files, detectors and bundles are accepted and refused as by Python', async () => {
  const readers = {sealed: readSealed, detector: readDetectorFile, bundle: readBundle};
  const folder = process.env.FAUXLENS_SEALED;
  let count = 0;
  for (const verdict of ['accepted', 'refused']) {
    for (const [kind, read] of Object.entries(readers)) {
      for (const name of readdirSync(join(folder, verdict, kind))) {
        const bytes = new Uint8Array(readFileSync(join(folder, verdict, kind, name)));
        let found = 'accepted';
        try {
          await read(bytes, 'it');
        } catch (error) {
          assert.ok(error instanceof FauxlensError, `${kind}/${name}: ${error.stack}`);
          found = 'refused';
        }
        assert.equal(found, verdict, `${kind}/${name}`);
        count += 1;
      }
    }
  }
  assert.ok(count > 100);
});

test('view texts are parsed as by Python', () => {
  for (const {text, canonical, size, needs_eyes, for: policies} of golden('view_texts.json')) {
    const view = refused(() => parseView(text));
    assert.equal(view?.text ?? null, canonical ?? null, text);
    if (!view) continue;
    assert.equal(view.size, size);
    assert.equal(view.faceFactor !== null, needs_eyes);
    assert.equal(centreView(view).text, policies['centre 0']);
  }
});

test('squares lie where Python takes them', () => {
  for (const {view, width, height, eyes, square} of golden('squares.json')) {
    const found = refused(() => squareOf(parseView(view), width, height, eyesOf(eyes)));
    assert.deepEqual(found && [found.left, found.top, found.side], square, view);
  }
});

test('views of computed pixels have the bits of Pillow', () => {
  // Larger ones take seconds to compute and say no more.
  const cases = golden('synthetic.json').filter(({width, height}) => width * height <= 1_000_000);
  assert.ok(cases.length > 100);
  for (const one of cases) {
    const rgba = one.kind === 'white' ? new Uint8Array(4 * one.width * one.height).fill(255) : computed(one);
    const raster = rasterOf(one.width, one.height, rgba);
    const view = applyView(parseView(one.view), raster, one.orientation, eyesOf(one.eyes));
    assert.equal(sha256(view), one.sha256, JSON.stringify(one));
  }
});

test('labels are those of Python at every operating point', () => {
  const good = golden('descriptions.json').find(({accepted}) => accepted).text;
  for (const {unsure, operating_points, probability, labels} of golden('verdicts.json')) {
    const plain = {...JSON.parse(good), unsure, operating_points};
    const {operatingPoints} = parseDescription(JSON.stringify(plain), 'it');
    for (const point of OPERATING_POINTS) {
      assert.equal(labelOf(operatingPoints.get(point), probability), labels[point]);
    }
  }
});

test('heat colours and enlarged heatmaps are those of Python', () => {
  const [{values, colours}, ...maps] = golden('heat.json');
  floats(values).forEach((value, i) => {
    assert.equal(Buffer.from(heatColour(value)).toString('hex'), colours[i]);
  });
  for (const {rows, columns, side, heatmap, enlarged} of maps) {
    assert.deepEqual(floatBits(expand({rows, columns, values: floats(heatmap)}, side)), enlarged);
  }
});

test('pictures become the tensors of the face finder', () => {
  for (const one of golden('face_finder/letterbox.json')) {
    const rgba = one.kind === 'white' ? new Uint8Array(4 * one.width * one.height).fill(255) : computed(one);
    const placement = placementOf(one.side, one.width, one.height);
    const {width: w, height: h, left, top} = placement;
    assert.deepEqual({w, h, left, top}, {w: one.w, h: one.h, left: one.left, top: one.top});
    const tensor = inputTensor(rasterOf(one.width, one.height, rgba), 1, placement);
    assert.equal(sha256(new Uint8Array(tensor.buffer)), one.tensor_sha256);
  }
});

test('outputs become the faces of Python', async () => {
  for (const {width, height, outputs, decoded, faces} of golden('face_finder/outputs.json')) {
    const named = new Map(NETWORKS.map((network) => [network, /(short|full)_range/.exec(network.member)[0]]));
    const run = (network) => {
      const anchors = network.grids.reduce((sum, [cells, each]) => sum + cells * cells * each, 0);
      const logits = new Float32Array(anchors).fill(-100);
      const regressors = new Float32Array(16 * anchors);
      for (const [row, logit, numbers] of outputs[named.get(network)]) {
        logits[row] = logit;
        regressors.set(numbers, 16 * row);
      }
      return {logits, regressors};
    };
    for (const network of NETWORKS) {
      const {logits, regressors} = run(network);
      assert.deepEqual(decodeFaces(network, regressors, logits), decoded[named.get(network)]);
    }
    const raster = {width, height, readRows: (_l, _t, wide, rows) => new Uint8Array(4 * wide * rows)};
    const found = await findFaces(raster, 1, async (network) => run(network));
    const plain = found.map(({box, eyes, logit}) => ({box, eyes: [eyes.x, eyes.y, eyes.distance], logit}));
    assert.deepEqual(plain, faces.map(({box, eyes, logit}) => ({box, eyes, logit})));
  }
});

test('CRC-32 of the standard check text', () => {
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
});

function eyesOf(numbers) {
  return numbers && {x: numbers[0], y: numbers[1], distance: numbers[2]};
}

function floats(bits) {
  return Float32Array.from(bits, (digits) => Buffer.from(digits, 'hex').readFloatBE());
}

/** SplitMix64 as in golden_files/pixels.py, in 32-bit halves: BigInt would take minutes. */
function computed({kind, seed, width, height}) {
  const rgba = new Uint8Array(4 * width * height).fill(255);
  const state = new Uint32Array(2);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    // (seed << 32) + 1 + n, times the golden gamma.
    multiply(state, seed >>> 0, (pixel + 1) >>> 0, 0x9e3779b9, 0x7f4a7c15);
    xorShift(state, 30);
    multiply(state, state[0], state[1], 0xbf58476d, 0x1ce4e5b9);
    xorShift(state, 27);
    multiply(state, state[0], state[1], 0x94d049bb, 0x133111eb);
    xorShift(state, 31);
    const low = state[1];
    const levels = [(low >>> 16) & 0xff, (low >>> 8) & 0xff, low & 0xff];
    for (let channel = 0; channel < 3; channel += 1) {
      rgba[4 * pixel + channel] = kind === 'noise' ? levels[channel] : 255 * (levels[channel] & 1);
    }
  }
  return rgba;
}

function multiply(target, high, low, factorHigh, factorLow) {
  const a = low & 0xffff;
  const b = low >>> 16;
  const c = factorLow & 0xffff;
  const d = factorLow >>> 16;
  const middle = b * c + Math.floor((a * c) / 0x10000);
  const middle2 = a * d + (middle % 0x10000);
  const carry = b * d + Math.floor(middle / 0x10000) + Math.floor(middle2 / 0x10000);
  target[1] = ((middle2 % 0x10000) * 0x10000 + ((a * c) & 0xffff)) >>> 0;
  target[0] = (carry + Math.imul(high, factorLow) + Math.imul(low, factorHigh)) >>> 0;
}

function xorShift(state, bits) {
  const [high, low] = state;
  state[0] = high ^ (high >>> bits);
  state[1] = low ^ ((low >>> bits) | (high << (32 - bits)));
}
