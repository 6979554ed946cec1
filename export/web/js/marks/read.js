// The entry: the bytes of a picture file in, rows of evidence out, as train/image/marks/read.py writes them without a check
// of signatures (tests/golden/marks holds both to the same text).
import {hiddenTexts} from './alpha.js';
import {ManifestError, readClaim} from './c2pa.js';
import {readParts} from './containers.js';
import {fieldText, readExif, textOf} from './exif.js';
import {generatorRows} from './generators.js';
import {readIptc} from './iptc.js';
import {MAX_MANIFEST, MAX_XMP} from './parts.js';
import {row, shown, sourceType} from './rows.js';
import {readXmp} from './xmp.js';

/** @typedef {import('./rows.js').Row} Row */
/** @typedef {import('./rows.js').Says} Says */
/** @typedef {import('./rows.js').Tables} Tables */
/** @typedef {import('./parts.js').Parts} Parts */
/** @typedef {import('./c2pa.js').Claim} Claim */

const NO_MARK = row(
  'metadata',
  'none',
  'nothing',
  'No mark of a generator, an editor or a camera was found. That says nothing: marks are easily lost.',
  'file',
);
// Metadata is easily written, and more easily lost: nobody gains by calling a photograph AI-made, many by the contrary.
const STRENGTH = /** @type {const} */ ({ai: 'medium', edited: 'medium', camera: 'weak', nothing: 'none'});

/** The texts of a file, whatever block they stood in.
 * @typedef {{exif: Map<string, Uint8Array>, xmp: Map<string, string>, texts: import('./generators.js').Text[]}} Fields */

/**
 * Reads the marks of a picture file; there is always one row at least. Never fails for what the bytes are.
 * @param {Uint8Array} data
 * @param {Tables} tables
 * @param {import('./alpha.js').AlphaOf | null} [alphaOf] decodes WebP, whose lowest bits may hide settings; PNG needs no help
 * @returns {Promise<{container: string, rows: Row[]}>}
 */
export async function readMarks(data, tables, alphaOf = null) {
  const parts = await readParts(data);
  const fields = fieldsOf(parts);
  for (const [key, text] of await hiddenTexts(data, alphaOf)) {
    fields.texts.push({key, text, place: `alpha channel, ${shown(key)}`});
  }
  const rows = [
    ...(await manifestRows(parts, data, tables)),
    ...sourceTypeRows(fields, tables),
    ...generatorRows(fields.texts, tables),
    ...cameraRows(fields, tables),
    ...elsewhereRows(fields),
  ];
  const faults = parts.faults.map((sentence) => row('file', 'none', 'nothing', sentence, parts.container || 'file'));
  const marked = rows.some(({says, kind}) => says !== 'nothing' || kind === 'provenance');
  return {container: parts.container, rows: [...rows, ...faults, ...(marked ? [] : [NO_MARK])]};
}

/** @param {Parts} parts @returns {Fields} */
function fieldsOf(parts) {
  const fault = (/** @type {string} */ sentence) => parts.fault(sentence);
  /** @type {Fields} */
  const fields = {exif: new Map(), xmp: new Map(), texts: []};
  if (parts.exif) {
    fields.exif = readExif(parts.exif, fault);
    // In TIFF the packets stand among the tags.
    parts.xmp ??= fields.exif.get('XMP')?.subarray(0, MAX_XMP) ?? null;
    parts.iptc ??= fields.exif.get('IPTC') ?? null;
    parts.manifest ??= fields.exif.get('C2PA')?.subarray(0, MAX_MANIFEST) ?? null;
  }
  if (parts.xmp) {
    fields.xmp = readXmp(parts.xmp, fault);
    const more = parts.extendedXmp ? readXmp(parts.extendedXmp, fault) : new Map();
    fields.xmp = new Map([...more, ...fields.xmp]);
  }
  for (const [key, text] of parts.texts) {
    const {container} = parts;
    const place = ['JPEG', 'GIF'].includes(container) ? `${container} comment` : `${container} text "${shown(key)}"`;
    fields.texts.push({key, text, place});
  }
  for (const [name, value] of fields.exif) {
    if (['XMP', 'IPTC', 'C2PA'].includes(name)) continue;
    fields.texts.push({key: name, text: fieldText(name, value), place: `EXIF ${name}`});
  }
  for (const [name, text] of fields.xmp) fields.texts.push({key: name, text, place: `XMP ${name}`});
  for (const [name, text] of parts.iptc ? readIptc(parts.iptc) : []) {
    fields.texts.push({key: name, text, place: `IPTC ${name}`});
  }
  return fields;
}

/** @param {Parts} parts @param {Uint8Array} data @param {Tables} tables */
async function manifestRows({manifest}, data, tables) {
  if (!manifest) return [];
  try {
    return [manifestRow(await readClaim(manifest, data), tables)];
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    const text = 'Carries a C2PA manifest that is damaged: it was not read.';
    return [row('provenance', 'none', 'nothing', text, 'C2PA manifest')];
  }
}

/**
 * Without a check of its signature a manifest is believed as other metadata is: anyone can copy or forge one. A manifest
 * whose hashes do not fit only says that the file was changed.
 * @param {Claim} claim @param {Tables} tables
 */
function manifestRow(claim, tables) {
  const [says, words] = madeBy(claim, tables);
  const of = claim.generator && ` of ${claim.generator}`;
  const signer = claim.signer && `, signed by ${claim.signer}`;
  const content = words ? `that says: ${words}` : 'that does not say how the picture was made';
  const text = `Carries a C2PA manifest${of}${signer}, ${content}`;
  if (claim.fits === false) {
    const changed = `${text}. It does not match: the file was changed after signing.`;
    return row('provenance', 'weak', 'edited', changed, 'C2PA manifest');
  }
  return row('provenance', says === 'nothing' ? 'none' : 'medium', says, `${text}; not checked.`, 'C2PA manifest');
}

/** What a manifest says of the making: the most telling of its source types. @param {Claim} claim @param {Tables} tables @returns {[Says, string]} */
function madeBy({sourceTypes, ingredientTypes, actions}, tables) {
  const order = ['ai', 'edited', 'camera', 'nothing'];
  const types = sourceTypes.map((one) => sourceType(tables, one));
  types.sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
  const best = types[0];
  if (best && (best[0] === 'ai' || best[0] === 'edited')) return [best[0], `${best[1]} (${best[2]})`];
  if (ingredientTypes.some((one) => sourceType(tables, one)[0] === 'ai')) {
    return ['edited', 'composed with a picture that AI made'];
  }
  if (!best) return ['nothing', ''];
  if (best[0] === 'camera' && actions.some((action) => tables.changing_actions.includes(action))) {
    return ['edited', `${best[1]} (${best[2]}) and edited`];
  }
  return [best[0], `${best[1]} (${best[2]})`];
}

/** @param {Fields} fields @param {Tables} tables */
function sourceTypeRows({xmp}, tables) {
  const address = xmp.get('DigitalSourceType');
  if (address === undefined) return [];
  const [says, words, name] = sourceType(tables, address);
  return [row('metadata', STRENGTH[says], says, `XMP says: ${words} (${shown(name)}).`, 'XMP DigitalSourceType')];
}

/** @param {Fields} fields @param {Tables} tables */
function cameraRows({exif}, tables) {
  const [makeText, modelText, software, taken] = ['Make', 'Model', 'Software', 'DateTimeOriginal'].map((name) =>
    shown(textOf(exif.get(name) ?? new Uint8Array())),
  );
  // ComfyUI stores JSON under these tags.
  const [make, model] = [makeText, modelText].map((one) => (one.includes(':{') ? '' : one));
  const rows = [];
  if (make || model) {
    const name = model.startsWith(make) ? model : `${make} ${model}`.trim();
    const date = taken && `, and the date ${taken}`;
    const text = `EXIF names a camera: ${name}${date}. Anyone can write that.`;
    rows.push(row('metadata', 'weak', 'camera', text, 'EXIF Make, Model'));
  }
  if (software && !generatorRows([{key: 'Software', text: software, place: ''}], tables).length) {
    rows.push(row('metadata', 'none', 'nothing', `EXIF names the software ${software}.`, 'EXIF Software'));
  }
  return rows;
}

/** @param {Fields} fields */
function elsewhereRows({xmp}) {
  const address = xmp.get('provenance');
  if (address === undefined) return [];
  let host = '';
  try {
    host = new URL(address).hostname.toLowerCase();
  } catch {
    // No readable address.
  }
  const where = shown(host) || 'no readable address';
  const text = `XMP says that a C2PA manifest is kept elsewhere (${where}); it was not fetched.`;
  return [row('provenance', 'none', 'nothing', text, 'XMP provenance')];
}
