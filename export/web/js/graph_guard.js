// Is the graph of a detector file one that `fauxlens export` could have made? Asked before LiteRT.js meets the file, by the
// same checks in the same order as export/artifacts/graph_guard.py (fields by number: TensorFlow Lite's schema.fbs).
import {FauxlensError} from './error.js';
import {BadFlatBuffer, rootOf} from './flat_table.js';

/** @typedef {import('./flat_table.js').FlatTable} FlatTable */
/** @typedef {{kind: number, shape: number[], constant: boolean}} Tensor */

const OPERATORS = new Map([
  [0, 'ADD'], [1, 'AVERAGE_POOL_2D'], [2, 'CONCATENATION'], [3, 'CONV_2D'], [4, 'DEPTHWISE_CONV_2D'],
  [5, 'DEPTH_TO_SPACE'], [6, 'DEQUANTIZE'], [8, 'FLOOR'], [9, 'FULLY_CONNECTED'], [14, 'LOGISTIC'], [17, 'MAX_POOL_2D'],
  [18, 'MUL'], [19, 'RELU'], [20, 'RELU_N1_TO_1'], [21, 'RELU6'], [22, 'RESHAPE'], [25, 'SOFTMAX'], [34, 'PAD'],
  [39, 'TRANSPOSE'], [40, 'MEAN'], [41, 'SUB'], [42, 'DIV'], [43, 'SQUEEZE'], [45, 'STRIDED_SLICE'], [47, 'EXP'],
  [49, 'SPLIT'], [53, 'CAST'], [55, 'MAXIMUM'], [57, 'MINIMUM'], [59, 'NEG'], [60, 'PADV2'], [61, 'GREATER'],
  [65, 'SLICE'], [70, 'EXPAND_DIMS'], [74, 'SUM'], [82, 'REDUCE_MAX'], [83, 'PACK'], [88, 'UNPACK'], [92, 'SQUARE'],
  [99, 'SQUARED_DIFFERENCE'], [101, 'ABS'], [114, 'QUANTIZE'], [117, 'HARD_SWISH'], [152, 'RELU_0_TO_1'],
]);
// TensorType: number -> bytes an element.
const TYPE_BYTES = new Map([[0, 4], [1, 2], [2, 4], [3, 1], [4, 8], [6, 1], [7, 2], [9, 1]]);
const FLOAT32 = 0;
const UINT8 = 3;
// Of operators whose window moves: the type of their options, fields with strides, and with dilation or window.
const WINDOWS = new Map([
  [3, {type: 1, strides: [1, 2], factors: [4, 5]}],
  [4, {type: 2, strides: [1, 2], factors: [5, 6]}],
  [1, {type: 5, strides: [1, 2], factors: [3, 4]}],
  [17, {type: 5, strides: [1, 2], factors: [3, 4]}],
]);
const MAX_OPERATORS = 2_000;
const MAX_TENSORS = 8_000;
const MAX_ELEMENTS = 2 ** 26;
const MAX_COMPUTED_BYTES = 2 ** 30;

/**
 * @param {Uint8Array} tflite
 * @param {string} name how errors call it
 * @throws {FauxlensError} unless the graph could have come from `fauxlens export`
 */
export function checkGraph(tflite, name) {
  try {
    check(rootOf(tflite));
  } catch (error) {
    if (!(error instanceof BadFlatBuffer)) throw error;
    throw new FauxlensError(
      `${name} does not hold a graph that Fauxlens exports (${error.message}): take a detector made by ` +
        '`fauxlens export`.',
    );
  }
}

/** @param {FlatTable} model */
function check(model) {
  want(model.unsigned(0) === 3, 'its version is not 3');
  const graphs = model.tables(2);
  want(graphs.length === 1, `it has ${graphs.length} subgraphs, not one`);
  const codes = model.tables(1).map(codeOf);
  const buffers = model.tables(4).map(bytesOf);
  const [graph] = graphs;
  const tables = graph.tables(0);
  want(tables.length > 0 && tables.length <= MAX_TENSORS, `it has ${tables.length} tensors`);
  const tensors = tables.map((table, number) => tensorOf(table, buffers, `tensor ${number}`));
  const computed = tensors.reduce((sum, one) => sum + (one.constant ? 0 : bytesIn(one)), 0);
  want(computed <= MAX_COMPUTED_BYTES, `its tensors take ${Math.floor(computed / 2 ** 20)} MB`);
  const inputs = graph.ints(1);
  const outputs = graph.ints(2);
  for (const index of [...inputs, ...outputs]) {
    want(index >= 0 && index < tensors.length && !tensors[index].constant, 'an input or output is no computed tensor');
  }
  want(same(inputs.map((one) => tensors[one].kind), [UINT8]), 'its input is not one uint8 tensor');
  const kinds = outputs.map((one) => tensors[one].kind);
  want(same(kinds, [FLOAT32, FLOAT32]), 'its outputs are not two float32 tensors');
  checkOperators(graph.tables(3), codes, tensors, inputs, outputs);
  checkSignature(model, inputs, outputs);
}

/** @param {FlatTable[]} operators @param {number[]} codes @param {Tensor[]} tensors @param {number[]} inputs @param {number[]} outputs */
function checkOperators(operators, codes, tensors, inputs, outputs) {
  want(operators.length > 0 && operators.length <= MAX_OPERATORS, `it has ${operators.length} operators`);
  const known = new Set(inputs);
  operators.forEach((operator, number) => {
    const what = `operator ${number}`;
    const index = operator.unsigned(0);
    want(index < codes.length, `${what} has no code`);
    // Custom options, variables, intermediate tensors, options kept elsewhere: nothing the exporter uses.
    want(operator.countOfBytes(5) === 0, `${what} has custom options`);
    want(operator.ints(8).length === 0, `${what} has intermediate tensors`);
    want(operator.bytes(7).every((one) => one === 0), `${what} changes a variable`);
    want(![9, 10, 12].some((field) => operator.has(field)), `${what} has options that are not its own`);
    const takes = operator.ints(1);
    const gives = operator.ints(2);
    const few = (/** @type {number[]} */ ends) => ends.length >= 1 && ends.length <= 64;
    want(few(takes) && few(gives), `${what} takes ${takes.length} tensors`);
    for (const one of takes) {
      want(one >= -1 && one < tensors.length, `${what} takes tensor ${one}, which is not there`);
      want(one === -1 || tensors[one].constant || known.has(one), `${what} takes tensor ${one} before it is made`);
    }
    for (const one of gives) {
      want(one >= 0 && one < tensors.length && !tensors[one].constant, `${what} gives tensor ${one}`);
      want(!known.has(one), `${what} gives tensor ${one} again`);
      known.add(one);
    }
    checkOptions(operator, codes[index], what);
    const shapes = takes.map((one) => (one >= 0 ? tensors[one].shape : []));
    const fits = shapesFit(codes[index], shapes, tensors[gives[0]].shape);
    want(fits, `${what} (${OPERATORS.get(codes[index])}) has shapes that do not fit`);
  });
  want(outputs.every((one) => known.has(one)), 'an output is never made');
}

/** @param {FlatTable} operator @param {number} code @param {string} what */
function checkOptions(operator, code, what) {
  const type = operator.byte(3);
  const options = operator.table(4);
  const window = WINDOWS.get(code);
  if (!window) return;
  want(type === window.type && options !== null, `${what} lacks its options`);
  if (!options) return;
  want(options.byte(0) <= 1, `${what} has an unknown padding`);
  for (const field of window.strides) {
    want(options.int(field) >= 1 && options.int(field) <= 64, `${what} has a stride outside 1 to 64`);
  }
  for (const field of window.factors) {
    const factor = options.int(field, 1);
    want(factor >= 1 && factor <= 4096, `${what} has a window or a dilation outside 1 to 4096`);
  }
}

/** @param {number} code @param {number[][]} shapes @param {number[]} result */
function shapesFit(code, shapes, result) {
  const [first, second, third] = shapes;
  if (code === 3 || code === 4) {
    if (shapes.length < 2 || shapes.length > 3 || [first, second, result].some((one) => one.length !== 4)) return false;
    const channels = second[code === 3 ? 0 : 3];
    if (result[3] !== channels || (third?.length && !same(third, [channels]))) return false;
    const plain = code === 3 ? first[3] === second[3] : second[0] === 1 && channels % first[3] === 0;
    return plain && result[0] === first[0];
  }
  if (code === 9) {
    if (shapes.length < 2 || second.length !== 2 || product(first) % second[1]) return false;
    return !third?.length || same(third, [second[0]]);
  }
  if ([22, 43, 70].includes(code)) return product(first) === product(result);
  if ([0, 18, 41, 42, 55, 57, 61, 99].includes(code)) return shapes.length === 2 && isBroadcast(first, second, result);
  if ([6, 8, 14, 19, 20, 21, 25, 47, 53, 59, 92, 101, 114, 117, 152].includes(code)) {
    return shapes.length === 1 && same(first, result);
  }
  if (code === 2) {
    const sum = shapes.reduce((all, shape) => all + product(shape), 0);
    return shapes.every((shape) => shape.length === result.length) && sum === product(result);
  }
  return true;
}

/** @param {number[]} one @param {number[]} other @param {number[]} result */
function isBroadcast(one, other, result) {
  const rank = Math.max(one.length, other.length);
  const wide = (/** @type {number[]} */ shape) => [...Array(rank - shape.length).fill(1), ...shape];
  const [a, b] = [wide(one), wide(other)];
  if (a.some((side, i) => side !== 1 && b[i] !== 1 && side !== b[i])) return false;
  return same(a.map((side, i) => Math.max(side, b[i])), result);
}

/** @param {FlatTable} model @param {number[]} inputs @param {number[]} outputs */
function checkSignature(model, inputs, outputs) {
  const signatures = model.tables(7);
  want(signatures.length === 1, `it has ${signatures.length} signatures, not one`);
  const [signature] = signatures;
  want(signature.unsigned(4) === 0, 'its signature is of another subgraph');
  const order = (/** @type {number} */ a, /** @type {number} */ b) => a - b;
  for (const [field, wanted] of /** @type {[number, number[]][]} */ ([[0, inputs], [1, outputs]])) {
    const named = signature.tables(field).map((entry) => entry.unsigned(1));
    const fits = same(named.sort(order), [...wanted].sort(order));
    want(fits, 'its signature names other tensors than inputs and outputs');
    for (const entry of signature.tables(field)) entry.countOfBytes(0);
  }
}

/** @param {FlatTable} table */
function codeOf(table) {
  const code = Math.max(table.signedByte(0), table.int(3));
  want(!table.has(1), 'it has a custom operator');
  want(OPERATORS.has(code), `operator code ${code} is none that the exporter writes`);
  const version = table.int(2, 1);
  want(version >= 1 && version <= 16, 'an operator has an unknown version');
  return code;
}

/** @param {FlatTable} table */
function bytesOf(table) {
  want(table.long(1) <= 1n && table.long(2) <= 1n, 'a buffer lies outside the model');
  return table.countOfBytes(0);
}

/** @param {FlatTable} table @param {number[]} buffers @param {string} what @returns {Tensor} */
function tensorOf(table, buffers, what) {
  const kind = table.signedByte(1);
  const shape = table.ints(0);
  const buffer = table.unsigned(2);
  want(TYPE_BYTES.has(kind), `${what} is of type ${kind}`);
  const said = `${what} has the shape [${shape.join(', ')}]`;
  want(shape.length <= 6 && shape.every((side) => side >= 1 && side <= MAX_ELEMENTS), said);
  want(product(shape) <= MAX_ELEMENTS, said);
  const signed = table.ints(7);
  want(!signed.length || same(signed, shape), `${what} has a shape that is not fixed`);
  want(buffer < buffers.length, `${what} has no buffer`);
  const plain = table.byte(5) === 0 && !table.has(6) && table.tables(9).length === 0;
  want(plain, `${what} is sparse or a variable`);
  const constant = buffers[buffer] > 0;
  const tensor = {kind, shape, constant};
  want(!constant || buffers[buffer] === bytesIn(tensor), `${what} has values of another number`);
  const quantization = table.table(4);
  if (quantization) checkQuantization(quantization, shape, what);
  // A name, if only to see that it lies in the file.
  table.countOfBytes(3);
  return tensor;
}

/** @param {FlatTable} table @param {number[]} shape @param {string} what */
function checkQuantization(table, shape, what) {
  const scales = table.floats(2);
  const points = table.longs(3);
  const axis = table.int(6);
  want(!table.has(5), `${what} is quantised in an unknown way`);
  want(scales.every((one) => one > 0 && Number.isFinite(one)), `${what} has a scale that is not above 0`);
  want(points.every((one) => one >= -128n && one <= 255n), `${what} has a zero point outside its numbers`);
  if (scales.length > 1) {
    want(axis >= 0 && axis < shape.length && scales.length === shape[axis], `${what} has ${scales.length} scales`);
  }
  const paired = !points.length || points.length === scales.length;
  want(paired, `${what} has ${points.length} zero points for ${scales.length} scales`);
}

/** @param {Tensor} tensor */
const bytesIn = ({kind, shape}) => product(shape) * /** @type {number} */ (TYPE_BYTES.get(kind));

/** @param {number[]} shape */
const product = (shape) => shape.reduce((all, side) => all * side, 1);

/** @param {number[]} one @param {number[]} other */
const same = (one, other) => one.length === other.length && one.every((value, i) => value === other[i]);

/** @param {boolean} holds @param {string} complaint */
function want(holds, complaint) {
  if (!holds) throw new BadFlatBuffer(complaint);
}
