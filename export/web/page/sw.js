// The service worker: keeps this site's files, each checked by its hash, and serves them without a network. It also sets
// the headers that isolate the page from others (COOP, COEP), which many static hosts cannot.
/* global FILES, RELEASE */
importScripts('sw_files.js');

const CACHE = `fauxlens-${RELEASE}`;
const BASE = new URL('./', self.location.href).href;
// The runtime's files are large and a browser uses one build of them: the page says which.
const FIRST = Object.keys(FILES).filter((path) => !path.startsWith('runtime/wasm/'));

/** The path below the site of an address, null for another site's. */
function pathOf(address) {
  const {origin, pathname} = new URL(address);
  const plain = origin + pathname;
  if (!plain.startsWith(BASE)) return null;
  const path = plain.slice(BASE.length);
  return path === '' ? 'index.html' : path;
}

async function keep(paths) {
  const cache = await caches.open(CACHE);
  for (const path of paths) {
    if (!(await cache.match(path))) {
      const response = await fetch(path, {cache: 'no-cache', integrity: FILES[path]});
      if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
      await cache.put(path, response);
    }
  }
}

self.addEventListener('install', (event) => {
  event.waitUntil(keep(FIRST).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  const old = async () => {
    const names = await caches.keys();
    const others = names.filter((name) => name.startsWith('fauxlens-') && name !== CACHE);
    await Promise.all(others.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(old());
});

self.addEventListener('message', (event) => {
  const paths = event.data.map(pathOf).filter((path) => path !== null && Object.hasOwn(FILES, path));
  event.waitUntil(keep(paths).then(() => event.ports[0].postMessage('kept'), () => {}));
});

self.addEventListener('fetch', (event) => {
  const path = event.request.method === 'GET' ? pathOf(event.request.url) : null;
  if (path !== null && Object.hasOwn(FILES, path)) event.respondWith(answer(path, event.request));
});

async function answer(path, request) {
  const cached = await (await caches.open(CACHE)).match(path);
  const response = cached ?? (await fetch(request));
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  return new Response(response.body, {status: response.status, statusText: response.statusText, headers});
}
