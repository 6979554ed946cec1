// The two BlazeFace networks (train/image/face_finder/networks.py): their files' hashes and their shapes.

/**
 * `member` is its name in a bundle; `side` is the input square's side in pixels; `grids` has cells a side and anchors a
 * cell in the order of the outputs' rows; `leastLogit` is the smallest logit of a candidate, in 1/4096.
 * @typedef {{member: string, sha256: string, side: number, grids: [number, number][], leastLogit: number}} Network
 */

/** @type {Network[]} */
export const NETWORKS = [
  {
    member: 'face_finder/short_range.tflite',
    sha256: '3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633',
    side: 128,
    grids: [[16, 2], [8, 6]],
    leastLogit: 0,
  },
  {
    member: 'face_finder/full_range.tflite',
    sha256: '671dd2f9ed11a78436fc21cc42357a803dfc6f73e9fb86541be942d5716c2dce',
    side: 192,
    grids: [[48, 1]],
    leastLogit: 1661,
  },
];
