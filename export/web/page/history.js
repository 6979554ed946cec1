// Earlier verdicts, in this browser only and only if a person wants it.
import {LABELS, TEXT} from './strings.js';
import {element} from './elements.js';

const KEY = 'fauxlens-history';
const MOST = 50;
const THUMBNAIL = 96;

/** @typedef {{name: string, label: keyof typeof LABELS, probability: number, thumbnail: string}} Entry */

/**
 * The kept entries; null where nothing is kept because nobody asked for it, or what is stored is not ours.
 * @returns {Entry[] | null}
 */
function read() {
  try {
    const plain = JSON.parse(localStorage.getItem(KEY) ?? 'null');
    return Array.isArray(plain) ? plain.filter(isEntry).slice(0, MOST) : null;
  } catch {
    return null;
  }
}

/** @param {any} entry */
function isEntry(entry) {
  return (
    typeof entry?.name === 'string' && Object.hasOwn(LABELS, entry.label) && typeof entry.probability === 'number' &&
    /^data:image\/jpeg;base64,[A-Za-z0-9+/=]*$/.test(entry.thumbnail)
  );
}

/** @param {Entry[] | null} entries null erases all @returns {boolean} whether it could be stored */
function write(entries) {
  try {
    if (entries) localStorage.setItem(KEY, JSON.stringify(entries));
    else localStorage.removeItem(KEY);
    return true;
  } catch {
    return false;
  }
}

/** Wires the history's elements and returns what adds to it. */
export function openHistory() {
  const keep = /** @type {HTMLInputElement} */ (document.getElementById('keep'));
  const list = /** @type {HTMLElement} */ (document.getElementById('entries'));
  const erase = /** @type {HTMLButtonElement} */ (document.getElementById('erase'));

  function show() {
    const entries = read();
    keep.checked = entries !== null;
    erase.hidden = !entries?.length;
    list.replaceChildren();
    if (entries && !entries.length) list.append(element('li', {}, TEXT.historyEmpty));
    for (const {name, label, probability, thumbnail} of entries ?? []) {
      const words = TEXT.historyEntry(name, LABELS[label], probability);
      list.append(element('li', {}, element('img', {src: thumbnail, alt: ''}), element('span', {}, words)));
    }
  }

  /** @param {Entry[] | null} entries */
  function store(entries) {
    const stored = write(entries);
    show();
    if (!stored) list.replaceChildren(element('li', {class: 'error'}, TEXT.historyDenied));
  }

  keep.addEventListener('change', () => store(keep.checked ? [] : null));
  erase.addEventListener('click', () => {
    store([]);
    keep.focus();
  });
  // Another tab of this page has changed it.
  window.addEventListener('storage', (event) => {
    if (event.key === KEY || event.key === null) show();
  });
  show();

  return {
    /** @param {string} name @param {keyof typeof LABELS} label @param {number} probability @param {HTMLCanvasElement} preview */
    add(name, label, probability, preview) {
      const entries = read();
      if (entries) store([{name, label, probability, thumbnail: thumbnailOf(preview)}, ...entries].slice(0, MOST));
    },
  };
}

/** @param {HTMLCanvasElement} preview */
function thumbnailOf(preview) {
  const canvas = document.createElement('canvas');
  const scale = Math.min(1, THUMBNAIL / Math.max(preview.width, preview.height));
  canvas.width = Math.max(1, Math.round(scale * preview.width));
  canvas.height = Math.max(1, Math.round(scale * preview.height));
  canvas.getContext('2d')?.drawImage(preview, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/jpeg', 0.7);
}
