import {parseDescription} from './description.js';
import {FauxlensError} from './error.js';
import {sha256} from './hash.js';
import {utf8} from './json.js';
import {readSealed} from './seal.js';
import {parseView} from './view.js';
import {latin1} from './zip.js';

const DESCRIPTION_FILE = 'fauxlens.json';
const LABELS_FILE = 'labels.txt';
const SHORTEST = 64;

/**
 * A detector file: a TFLite model followed by a sealed zip of `labels.txt` and `fauxlens.json`. `bytes` is the whole
 * file, as a runtime takes it; `sha256` is theirs.
 * @typedef {{bytes: Uint8Array, description: import('./description.js').Description,
 *   view: import('./view.js').View, sha256: string}} DetectorFile
 */

/**
 * Reads a detector file.
 * @param {Uint8Array} bytes
 * @param {string} name how errors call it
 * @returns {Promise<DetectorFile>}
 * @throws {FauxlensError} where it is cut short, damaged, no TFLite model, not made by Fauxlens or by a newer one
 */
export async function readDetectorFile(bytes, name) {
  if (!isModel(bytes)) {
    throw new FauxlensError(
      `${name} is not a TFLite model; give a .tflite or a bundle made by \`fauxlens export\`.`,
    );
  }
  const {members} = await readSealed(bytes, name);
  const labels = members.get(LABELS_FILE);
  const json = members.get(DESCRIPTION_FILE);
  if (members.size !== 2 || !json || !labels || latin1(labels, 0, labels.length) !== 'real\nfake\n') {
    throw new FauxlensError(
      `${name} does not carry exactly ${DESCRIPTION_FILE} and ${LABELS_FILE}; make it with \`fauxlens export\`.`,
    );
  }
  const text = utf8(json);
  if (text === null) {
    throw new FauxlensError(`${name}: ${DESCRIPTION_FILE} is not UTF-8; export the detector again.`);
  }
  const description = parseDescription(text, name);
  return {bytes, description, view: viewOf(description, name), sha256: await sha256(bytes)};
}

/** Whether bytes begin as a TFLite flatbuffer does. @param {Uint8Array} bytes */
export function isModel(bytes) {
  return bytes.length >= SHORTEST && latin1(bytes, 4, 4) === 'TFL3';
}

/** @param {import('./description.js').Description} description @param {string} name */
function viewOf(description, name) {
  let view;
  try {
    view = parseView(description.view);
  } catch (error) {
    if (!(error instanceof FauxlensError)) throw error;
    throw new FauxlensError(`${name} has a view that this page cannot follow: ${error.message}`);
  }
  if (view.size !== description.size) {
    throw new FauxlensError(
      `${name} says size ${description.size} but its view is ${view.text}; export the detector again.`,
    );
  }
  return view;
}
