"""Error Level Analysis as TensorFlow ops that convert to TFLite built-ins and equal Pillow bit for bit.

Values are whole numbers (or whole numbers over a power of two) held in float32, which is exact as long as every
partial sum stays below 2**24 units, in whatever order a runtime adds. Sums that need more are made as a high and a
low part. Constants stay below 1024 elements, because `Optimize.DEFAULT` turns larger ones into 8 bits.

Eight neighbouring samples of a row lie in the channels, so that every linear step is a 1x1 convolution:
[N, rows, groups of eight, samples]. Edges are repeated with slices and concat: MIRROR_PAD would split the XNNPACK
partition.
"""

from typing import Any

import numpy as np

from ela import jpeg
from ela.setting import Ela

LEVEL = 128  # ITU-T T.81, A.3.1: samples are coded after subtracting this; here they stay shifted to the end
LOW_BITS = 7  # of a 15-bit DCT factor; both parts of the sum then stay far below 2**24


def error_level_graph(tf: Any, image: Any, setting: Ela) -> Any:
    """The error level of views as graph ops, equal to `ela.reference.error_level` in every value.

    `tf` is the tensorflow module; `image` float32 [N, S, S, 3] holding whole numbers 0..255, S static. Returns the
    same shape and kind. Needs true float32: neither TF32 nor half precision. Measured: 0.55 ms at 224 pixels, one x86
    thread, LiteRT with XNNPACK. Raises ElaError for a side that is no multiple of the JPEG unit.
    """
    size = int(image.shape[1])
    setting.check_size(size)
    shifted = tf.reshape(image, [-1, size, size // 8, 24]) - float(LEVEL)
    decoded = _recompressed(tf, shifted, setting)
    level = tf.minimum(tf.abs(shifted - decoded) * float(setting.gain), 255.0)
    return tf.reshape(level, [-1, size, size, 3])


def _recompressed(tf: Any, rgb: Any, setting: Ela) -> Any:
    """Eight RGB pixels (24 channels, level-shifted) through JPEG and back, in the same layout."""
    luminance, chrominance = jpeg.quantisation_tables(setting.quality)
    if setting.sampling == "444":
        ycc = tf.floor(_to_ycc(tf, rgb, (0, 1, 2)))
        ycc = _through_blocks(tf, ycc, (luminance, chrominance, chrominance))
    else:
        luma = _through_blocks(tf, tf.floor(_to_ycc(tf, rgb, (0,))), (luminance,))
        chroma = _halved(tf, tf.floor(_to_ycc(tf, rgb, (1, 2))))
        chroma = _doubled(tf, _through_blocks(tf, chroma, (chrominance, chrominance)))
        ycc = tf.concat([luma, chroma], axis=-1)
    return _clipped(tf, tf.floor(_to_rgb(tf, ycc)))


def _linear(tf: Any, x: Any, weights: np.ndarray, bias: np.ndarray | None = None, stride: int = 1) -> Any:
    """Convolution with `weights` [rows, in, out] over `stride` rows and one column, plus `bias` [out]."""
    kernel = tf.constant(weights[:, np.newaxis], tf.float32)
    y = tf.nn.conv2d(x, kernel, strides=[1, stride, 1, 1], padding="VALID")
    return y if bias is None else tf.nn.bias_add(y, tf.constant(bias, tf.float32))


def _clipped(tf: Any, x: Any) -> Any:
    return tf.minimum(tf.maximum(x, -float(LEVEL)), float(LEVEL - 1))


def _to_ycc(tf: Any, rgb: Any, wanted: tuple[int, ...]) -> Any:
    """Interleaved RGB of eight pixels -> the wanted components, eight samples each, before rounding down."""
    unit = 1 << jpeg.COLOUR_BITS
    factors = jpeg.rgb_to_ycc()[:, wanted] / unit
    weights = np.einsum("pq,rc->prcq", np.eye(8), factors).reshape(1, 24, -1)
    return _linear(tf, rgb, weights, np.repeat(jpeg.rgb_to_ycc_bias()[list(wanted)] / unit, 8))


def _to_rgb(tf: Any, ycc: Any) -> Any:
    """Eight samples of Y, Cb, Cr -> interleaved RGB, before rounding down.

    Totals beyond 2**24 units are inexact only where the result is beyond +-255 and gets clipped.
    """
    factors = jpeg.ycc_to_rgb() / (1 << jpeg.COLOUR_BITS)
    weights = np.einsum("pq,cr->cpqr", np.eye(8), factors).reshape(1, 24, 24)
    return _linear(tf, ycc, weights, np.full(24, 0.5))


def _halved(tf: Any, chroma: Any) -> Any:
    """Cb and Cr (8 + 8 channels) -> half as many rows and columns, again 8 + 8 channels.

    Source: h2v2_downsample in libjpeg-turbo's jcsample.c: 2x2 sums, plus 1 and 2 by turns, over 4.
    """
    pairs = np.kron(np.eye(8), np.ones((2, 1)) / 4)
    x = tf.floor(_linear(tf, chroma, np.stack([pairs, pairs]), np.tile([1 / 4, 2 / 4], 4), stride=2))
    # Channels are now (half, component, sample): `_through_blocks` wants (component, half, sample).
    rows, groups = int(x.shape[1]), int(x.shape[2]) // 2
    x = tf.reshape(x, [-1, rows, groups, 16])
    order = np.arange(16).reshape(2, 2, 4).transpose(1, 0, 2).ravel()
    return _linear(tf, x, np.eye(16)[np.newaxis, :, order])


def _doubled(tf: Any, chroma: Any) -> Any:
    """Cb and Cr at half size (8 + 8 channels) -> full size, again 8 + 8 channels.

    Source: h2v2_fancy_upsample in libjpeg-turbo's jdsample.c: three parts of the nearer row and one of the other,
    the same for columns, plus 8 (even columns) or 7 (odd), over 16; edges repeat.
    """
    rows, groups = int(chroma.shape[1]), int(chroma.shape[2])
    above = tf.concat([chroma[:, :1], chroma[:, :-1]], axis=1)
    below = tf.concat([chroma[:, 1:], chroma[:, -1:]], axis=1)
    thrice = chroma * 3.0
    x = tf.reshape(tf.concat([thrice + above, thrice + below], axis=2), [-1, 2 * rows, groups, 16])

    first, last = tf.concat([x[..., 0:1], x[..., 8:9]], -1), tf.concat([x[..., 7:8], x[..., 15:16]], -1)
    left = tf.concat([first[:, :, :1], last[:, :, :-1]], axis=2)
    right = tf.concat([first[:, :, 1:], last[:, :, -1:]], axis=2)
    # Inputs are (component, sample), then the left neighbours, then the right; outputs (half, component, sample).
    weights = np.zeros((20, 2, 2, 8))
    source = np.array([[[16 + c, *range(8 * c, 8 * c + 8), 18 + c]] for c in range(2)]).reshape(2, 10)
    for component in range(2):
        for column in range(16):
            near = 1 + column // 2
            far = near - 1 if column % 2 == 0 else near + 1
            out = (column // 8, component, column % 8)
            weights[(source[component, near], *out)] += 3 / 16
            weights[(source[component, far], *out)] += 1 / 16
    joined = tf.concat([x, left, right], axis=-1)
    x = tf.floor(_linear(tf, joined, weights.reshape(1, 20, 32), np.tile([8 / 16, 7 / 16], 16)))
    return tf.reshape(x, [-1, 2 * rows, 2 * groups, 16])


def _through_blocks(tf: Any, samples: Any, tables: tuple[np.ndarray, ...]) -> Any:
    """Components of eight samples each through forward DCT, quantisation and back; `tables` one a component."""
    rows, groups, channels = (int(side) for side in samples.shape[1:])
    forward = jpeg.dct_matrix().T
    inverse = forward.T
    each = np.eye(len(tables), dtype=np.int64)
    table = np.vstack([table.T for table in tables])  # [component and horizontal frequency, vertical frequency]

    x = descaled(tf, samples, np.kron(each, forward), jpeg.FORWARD_ROWS_BITS, split=False)
    x = tf.transpose(tf.reshape(x, [-1, 8, groups, channels]), [0, 2, 3, 1])
    x = descaled(tf, x, forward, jpeg.FORWARD_COLUMNS_BITS)
    x = _requantised(tf, x, table)
    x = descaled(tf, x, inverse, jpeg.INVERSE_COLUMNS_BITS)
    x = tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [-1, rows, groups, channels])
    return _clipped(tf, descaled(tf, x, np.kron(each, inverse), jpeg.INVERSE_ROWS_BITS))


def _requantised(tf: Any, x: Any, table: np.ndarray) -> Any:
    """Coefficients -> the nearest multiples of the table, halves away from zero.

    Source: quantize in libjpeg-turbo's jcdctmgr.c, whose reciprocals give the exact quotient. Enlarging the
    quotient by 2**-15 moves ties, and only ties, off the half: |x| <= 2**13, so other values are at least 2**-13
    of themselves away from one. Float32 errors are 2**-23. Not ROUND: TFLite's reference kernels lack it.
    """
    reciprocal = (1 + 2.0**-15) / (jpeg.FORWARD_SCALE * table)
    return tf.floor(x * tf.constant(reciprocal, tf.float32) + 0.5) * tf.constant(table, tf.float32)


def descaled(tf: Any, x: Any, matrix: np.ndarray, bits: int, *, split: bool = True) -> Any:
    """floor((x @ matrix + half) / 2**bits), libjpeg's DESCALE, exact for whole numbers |x| < 2**14.

    `x` float32 [..., in], `matrix` whole numbers [in, out]. The sum is made as a high and a low part; `split` may be
    off where it stays below 2**24. Without it about one bright or harsh picture in some hundreds differs from Pillow.
    """
    unit = 1 << bits
    half = np.full(matrix.shape[1], 0.5)
    if not split:
        return tf.floor(_linear(tf, x, matrix[np.newaxis] / unit, half))
    high = (matrix + (1 << (LOW_BITS - 1))) >> LOW_BITS << LOW_BITS
    upper = _linear(tf, x, high[np.newaxis] / unit)
    lower = _linear(tf, x, (matrix - high)[np.newaxis] / unit, half)
    whole = tf.floor(upper)
    return whole + tf.floor((upper - whole) + lower)
