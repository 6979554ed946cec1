// Settings that generators of pictures leave in texts and EXIF fields (train/image/marks/generators.py).
import {row, shown} from './rows.js';

/** @typedef {import('./rows.js').Tables} Tables */
/** @typedef {import('./rows.js').Row} Row */
/** A text of a file: the key it is stored under, the text, and the place to name. @typedef {{key: string, text: string, place: string}} Text */
/** @typedef {{tool: string, model: string, says: 'ai' | 'edited', strength: 'medium' | 'weak'}} Found */

// Every language has other ideas of \b, \d and \s; none of these.
// "Steps: 20, Sampler: Euler a, CFG scale: 7, ..., Model: sd_xl_base_1.0, Version: v1.9.4".
const INFOTEXT = /(?<![A-Za-z0-9_])Steps: [0-9]+, (?:[^\n]{0,200}, )?Sampler: /u;
const INFOTEXT_MODEL = /(?<![A-Za-z0-9_])Model: ([^,\n]{1,120})/u;
const INFOTEXT_VERSION = /(?<![A-Za-z0-9_])Version: ([^,\n]{1,40})/u;
// "portrait of a fisherman --ar 3:2 --v 6.1 Job ID: 0c9bd0d6-...".
const MIDJOURNEY = /(?<![A-Za-z0-9_])Job ID: [0-9a-f]{8}-[0-9a-f]{4}-/u;
const JSON_MODEL = /"(?:base_model|model_name|model)"[ \t\n\r]*:[ \t\n\r]*"([^"\\]{1,120})"/u;
const JSON_MODEL_NAME = /"model"[ \t\n\r]*:[ \t\n\r]*\{[^{}]{0,400}?"name"[ \t\n\r]*:[ \t\n\r]*"([^"\\]{1,120})"/u;
// GB 45438-2025, annex E: "Label" 1 made by AI, 2 possibly, 3 suspected.
const AIGC_LABEL = /"?Label"?[ \t\n\r]*:[ \t\n\r]*"?([123])/u;
const AIGC_PRODUCER = /"?ContentProducer"?[ \t\n\r]*:[ \t\n\r]*"([^"\\]{1,80})"/u;
const WEIGHTS = ['.safetensors', '.ckpt', '.gguf', '.sft'];
// A name stands near the beginning of the longest workflow; looking no further bounds the time.
const LOOKED_AT = 1 << 17;

/** One row for each tool that the texts name as their maker. @param {Text[]} texts @param {Tables} tables */
export function generatorRows(texts, tables) {
  /** @type {Row[]} */
  const rows = [];
  const tools = new Set();
  for (const text of texts) {
    const found = settings(text, tables) ?? named(text, tables);
    if (!found || tools.has(found.tool)) continue;
    tools.add(found.tool);
    rows.push(row('metadata', found.strength, found.says, sentence(text, found), text.place));
  }
  return rows;
}

/** @param {Text} text @param {Found} found */
function sentence({place}, {tool, model, says}) {
  if (tool === 'AIGC') {
    return `${place} carries the label that China asks of AI-made pictures${model && `, producer ${model}`}.`;
  }
  const what = says === 'ai' ? 'a generator of pictures' : 'an editor';
  return `${place} names ${what}: ${tool}${model && `, model ${model}`}.`;
}

/** @param {string} tool @param {string} [model] @returns {Found} */
const made = (tool, model = '') => ({tool, model, says: 'ai', strength: 'medium'});

/** The generator whose format the text has. @param {Text} text @param {Tables} tables @returns {Found | null} */
function settings({key: written, text}, tables) {
  const key = written.toLowerCase();
  const value = text.slice(0, LOOKED_AT);
  if (key === 'aigc' || value.slice(0, 200).includes('"AIGC"')) {
    const certain = AIGC_LABEL.exec(value)?.[1] === '1';
    return {...made('AIGC', first(AIGC_PRODUCER, value)), strength: certain ? 'medium' : 'weak'};
  }
  if (INFOTEXT.test(value)) return made(webui(first(INFOTEXT_VERSION, value)), first(INFOTEXT_MODEL, value));
  if (Object.hasOwn(tables.text_keys, key)) return made(tables.text_keys[key], jsonModel(value));
  if (value.includes('"sui_image_params"')) return made('SwarmUI', jsonModel(value));
  // Of a very long workflow only the beginning is there.
  const isWorkflow = value.includes('"last_node_id"') || (key === 'workflow' && value.includes('"nodes"'));
  if (value.includes('"class_type"') || isWorkflow) return made('ComfyUI', weights(value));
  if (key === 'parameters' && value.includes('"base_model"')) return made('Fooocus', jsonModel(value));
  return MIDJOURNEY.test(value) ? made('Midjourney') : null;
}

/** The tool that a field for names holds. @param {Text} text @param {Tables} tables @returns {Found | null} */
function named({key, text}, tables) {
  if (!tables.name_fields.includes(key.toLowerCase())) return null;
  const value = text.slice(0, 1000).toLowerCase();
  const maker = tables.ai_names.find(([part]) => value.includes(part));
  if (maker) return made(maker[1]);
  const editor = tables.edit_names.find(([part]) => value.includes(part));
  return editor ? {tool: editor[1], model: '', says: 'edited', strength: 'weak'} : null;
}

/** @param {string} version */
function webui(version) {
  if (version.startsWith('Fooocus')) return 'Fooocus';
  if (version === 'ComfyUI') return version;
  return /^f[0-9]/.test(version) ? 'Stable Diffusion WebUI Forge' : 'Stable Diffusion WebUI';
}

/** @param {RegExp} pattern @param {string} value */
function first(pattern, value) {
  const found = pattern.exec(value);
  return found ? shown(found[1]) : '';
}

/** @param {string} value */
function jsonModel(value) {
  return weights(value) || first(JSON_MODEL, value) || first(JSON_MODEL_NAME, value);
}

/** The first file of weights that a JSON text names, without its folder and ending. @param {string} value */
function weights(value) {
  const ends = WEIGHTS.map((ending) => value.indexOf(`${ending}"`)).filter((end) => end >= 0);
  if (!ends.length) return '';
  const found = Math.min(...ends);
  const before = value.slice(Math.max(0, found - 120), found);
  return shown(before.slice(Math.max(before.lastIndexOf('"'), before.lastIndexOf('\\'), before.lastIndexOf('/')) + 1));
}
