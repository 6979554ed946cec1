// What both pages begin with: the detector of this site, and the service worker that keeps the site for use offline.
import {openDetector, FauxlensError} from './js/detector.js';

/** What site.json says.
 * @typedef {{bundle: string, integrity: string, wasm: string, version: string, runtime: string}} Site */

/**
 * Opens the site's detector.
 * @returns {Promise<{detector: import('./js/detector.js').Detector, site: Site, tables: import('./js/marks/rows.js').Tables}>}
 * @throws {FauxlensError}
 */
export async function openSite() {
  /** @type {Site} */
  const site = await (await get('site.json', {})).json();
  const bytes = await load(site.bundle, site.integrity);
  /** @type {import('./js/marks/rows.js').Tables} */
  const tables = await (await get('marks.json', {})).json();
  return {detector: await openDetector(bytes, {wasm: site.wasm, name: 'The bundle'}), site, tables};
}

/** @param {string} path @param {string} integrity */
async function load(path, integrity) {
  return new Uint8Array(await (await get(path, {integrity})).arrayBuffer());
}

/** @param {string} path @param {RequestInit} options */
async function get(path, options) {
  try {
    const response = await fetch(path, options);
    if (response.ok) return response;
  } catch {
    // Told below: a network that is gone, or bytes that are not those of the hash.
  }
  throw new FauxlensError(`${path} cannot be loaded whole from this site: load the page again.`);
}

/**
 * Keeps this site in the browser for use without a network, the runtime's files that this browser uses too.
 * @param {() => void} kept is called when all is there
 */
export async function keepOffline(kept) {
  if (!('serviceWorker' in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register('sw.js', {updateViaCache: 'none'});
    await navigator.serviceWorker.ready;
    const used = performance.getEntriesByType('resource').map(({name}) => name);
    const channel = new MessageChannel();
    channel.port1.onmessage = ({data}) => data === 'kept' && kept();
    registration.active?.postMessage(used, [channel.port2]);
  } catch {
    // Storage is denied, or the page is not from a secure place: it works with a network all the same.
  }
}
