// One row of evidence, and how text from a stranger's file is made fit to be shown in it (train/image/marks/rows.py).

/** @typedef {'file' | 'provenance' | 'metadata' | 'traces' | 'faces' | 'detector' | 'caution'} Kind */
/** @typedef {'strong' | 'medium' | 'weak' | 'none'} Strength */
/** @typedef {'ai' | 'edited' | 'camera' | 'nothing'} Says */
/** @typedef {{kind: Kind, strength: Strength, says: Says, text: string, source: string}} Row */

/**
 * The names that readers look for, from train/image/marks/tables.json.
 * @typedef {{digital_source_types: Record<string, [Says, string]>, changing_actions: string[],
 *   text_keys: Record<string, string>, name_fields: string[], ai_names: [string, string][],
 *   edit_names: [string, string][]}} Tables
 */

const MAX_SHOWN = 80;
const BLANKS = /[\t\n\v\f\r \x1c-\x1f\x85\xa0\u2028\u2029]+/u;
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu;

/**
 * Foreign text for one line: blanks collapsed, control and format characters as U+FFFD, at most `longest` characters; a
 * text that was cut ends in an ellipsis.
 * @param {string} text
 */
export function shown(text, longest = MAX_SHOWN) {
  // Characters, not halves of them; no more are looked at than can be shown.
  const start = Array.from(text.slice(0, 16 * longest)).slice(0, 8 * longest);
  const whole = start.join('').length === text.length;
  const line = Array.from(start.join('').split(BLANKS).filter(Boolean).join(' ').replace(HIDDEN, '\ufffd'));
  return line.length <= longest && whole ? line.join('') : `${line.slice(0, longest).join('')}…`;
}

/** @param {Kind} kind @param {Strength} strength @param {Says} says @param {string} text @param {string} source @returns {Row} */
export function row(kind, strength, says, text, source) {
  return {kind, strength, says, text, source};
}

/** What a digital source type says, in which words, and its short name; an unknown one says nothing.
 * @param {Tables} tables @param {string} address @returns {[Says, string, string]} */
export function sourceType(tables, address) {
  const name = address.replace(/\/+$/, '').replaceAll('#', '/').split('/').at(-1) ?? '';
  const known = Object.hasOwn(tables.digital_source_types, name) ? tables.digital_source_types[name] : null;
  const [says, words] = known ?? /** @type {[Says, string]} */ (['nothing', 'made in an unknown way']);
  return [says, words, name];
}
