// LiteRT.js (npm: @litertjs/core, https://ai.google.dev/edge/litert/web), loaded once a page.
import {FauxlensError} from './error.js';

/** @typedef {Record<string, Float32Array>} Outputs */
/** Runs one model, for one caller at a time: typed arrays by input name to float32 by output name.
 * @typedef {{inputs: {name: string, shape: number[]}[],
 *   run: (inputs: Record<string, Uint8Array | Float32Array>) => Promise<Outputs>, close: () => void}} Engine */

/**
 * `wasm` is the address of the folder with LiteRT.js's WebAssembly files, or of one of its loaders there; `threads` needs
 * a page that is isolated from others (COOP and COEP headers).
 * @typedef {{wasm: string, threads?: boolean, jspi?: boolean}} RuntimeOptions
 */

/** @type {Promise<typeof import('@litertjs/core')> | null} */
let loaded = null;

/**
 * Loads the runtime; later calls wait for the first one.
 * @param {RuntimeOptions} options
 * @throws {FauxlensError} where this browser cannot run it or its files are not there
 */
export function loadRuntime(options) {
  loaded ??= load(options).catch((error) => {
    loaded = null;
    throw error;
  });
  return loaded;
}

/** @param {RuntimeOptions} options */
async function load({wasm, ...options}) {
  if (typeof WebAssembly !== 'object') {
    throw new FauxlensError('This browser has no WebAssembly, which runs the detector: use another or a newer browser.');
  }
  if (!WebAssembly.validate(SIMD)) {
    throw new FauxlensError(
      'This browser or processor has no SIMD in WebAssembly, which runs the detector: use another or a newer one.',
    );
  }
  try {
    const runtime = await import('@litertjs/core');
    await runtime.loadLiteRt(new URL(wasm, document.baseURI).href, options);
    return runtime;
  } catch (error) {
    throw new FauxlensError(`The runtime LiteRT.js cannot be loaded (${reason(error)}): load this page again.`);
  }
}

/**
 * Opens a model.
 * @param {Uint8Array} bytes
 * @param {string} name how errors call it
 * @param {RuntimeOptions} options
 * @returns {Promise<Engine>}
 * @throws {FauxlensError} as loadRuntime, and where the runtime does not take the model
 */
export async function openEngine(bytes, name, options) {
  const {loadAndCompile, Tensor} = await loadRuntime(options);
  const model = await attempt(`${name} cannot be opened by LiteRT.js`, () =>
    loadAndCompile(bytes, {accelerator: 'wasm'}),
  );
  const inputs = model.getInputDetails().map((one) => ({name: one.name, shape: Array.from(one.shape)}));

  /** @param {Record<string, Uint8Array | Float32Array>} values */
  async function run(values) {
    const tensors = Object.fromEntries(inputs.map(({name: input, shape}) => [input, new Tensor(/** @type {Uint8Array<ArrayBuffer>} */ (values[input]), shape)]));
    const outputs = await model.run(tensors);
    /** @type {Outputs} */
    const result = {};
    for (const [output, tensor] of Object.entries(outputs)) {
      const data = await tensor.data();
      if (!(data instanceof Float32Array)) throw new FauxlensError(`${name}: its output ${output} is not float32.`);
      // The runtime's memory may move with the next run.
      result[output] = data.slice();
    }
    for (const tensor of [...Object.values(tensors), ...Object.values(outputs)]) tensor.delete();
    return result;
  }

  return {
    inputs,
    run: (values) => attempt(`${name} failed in LiteRT.js`, () => run(values)),
    close: () => model.delete(),
  };
}

/** @template T @param {string} what @param {() => Promise<T>} work @returns {Promise<T>} */
async function attempt(what, work) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FauxlensError) throw error;
    throw new FauxlensError(`${what} (${reason(error)}): export the detector again, or load this page again.`);
  }
}

/** @param {unknown} error */
function reason(error) {
  const text = error instanceof Error ? error.message : error instanceof Event ? `${error.type} event` : String(error);
  return text.replace(/\s+/g, ' ').slice(0, 200).replace(/\.$/, '');
}

// (module (func (result v128) i32.const 0 i8x16.splat i8x16.popcnt)): from wasm-feature-detect's simd (Apache-2.0).
const SIMD = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
);
