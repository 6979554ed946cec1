"""The numbers of baseline JPEG as libjpeg-turbo works with them: tables, fixed-point matrices, all whole numbers.

libjpeg-turbo (and so Pillow) never uses floating point on its default path; its SIMD code gives the results of its C
code. Every function here returns int64 arrays; a pass over samples is then floor((samples @ matrix + half) / 2**bits).
"""

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

# ITU-T T.81 (09/92), Annex K, tables K.1 and K.2, rows = vertical frequency, columns = horizontal frequency.
LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)

# Fractional bits of the fixed-point constants: jccolor.c and jdcolor.c (SCALEBITS), jfdctint.c and jidctint.c
# (CONST_BITS, and PASS1_BITS which the first pass leaves in its results).
COLOUR_BITS = 16
DCT_BITS = 13
PASS1_BITS = 2
FORWARD_ROWS_BITS = DCT_BITS - PASS1_BITS
FORWARD_COLUMNS_BITS = DCT_BITS + PASS1_BITS
INVERSE_COLUMNS_BITS = DCT_BITS - PASS1_BITS
INVERSE_ROWS_BITS = DCT_BITS + PASS1_BITS + 3
# The forward DCT leaves coefficients 8 times as large as T.81 defines them; the divisors make up for it (jcdctmgr.c).
FORWARD_SCALE = 8


def quantisation_tables(quality: int) -> tuple[Integers, Integers]:
    """The luminance and chrominance tables [8, 8] at `quality` 1..100, rows = vertical frequency, values 1..255.

    Source: libjpeg's jpeg_quality_scaling and jpeg_add_quant_table (jcparam.c) over the tables of T.81 Annex K.
    """
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    luminance, chrominance = (
        np.clip((np.array(table, np.int64) * percent + 50) // 100, 1, 255) for table in (LUMINANCE, CHROMINANCE)
    )
    return luminance, chrominance


def dct_matrix() -> Integers:
    """The 8-point forward DCT [frequency, sample] scaled by sqrt(8) * 2**13; the inverse uses its transpose.

    Source: Loeffler, Ligtenberg and Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications", ICASSP 1989,
    in the form of jfdctint.c: the flow graph's factors are rounded to 13 bits one by one, so entries are sums of
    rounded factors and some differ by one from the rounded cosine.
    """
    c = np.sqrt(2) * np.cos(np.arange(8) * np.pi / 16)
    unit = 1 << DCT_BITS

    def fixed(factor: float) -> int:
        return int(np.floor(factor * unit + 0.5))

    matrix = np.zeros((8, 8), np.int64)
    # Even frequencies see the sums of mirrored samples: 0+7, 1+6, 2+5, 3+4.
    turn = fixed(c[6])
    near, far = turn + fixed(c[2] - c[6]), turn - fixed(c[2] + c[6])
    even = np.array(
        [
            [unit, unit, unit, unit],
            [near, turn, -turn, -near],
            [unit, -unit, -unit, unit],
            [turn, far, -far, -turn],
        ]
    )
    matrix[0::2] = np.hstack([even, even[:, ::-1]])
    # Odd frequencies 7, 5, 3, 1 see the differences 3-4, 2-5, 1-6, 0-7; each shared rotation joins two of them.
    own = (-c[1] + c[3] + c[5] - c[7], c[1] + c[3] - c[5] + c[7], c[1] + c[3] + c[5] - c[7], c[1] + c[3] - c[5] - c[7])
    odd = np.diag([fixed(factor) for factor in own]) + fixed(c[3])
    for (i, j), factor in {
        (0, 3): c[3] - c[7],
        (1, 2): c[1] + c[3],
        (0, 2): c[3] + c[5],
        (1, 3): c[3] - c[5],
    }.items():
        odd[np.ix_((i, j), (i, j))] -= fixed(factor)
    by_sample = odd[::-1, ::-1]
    matrix[1::2] = np.hstack([by_sample, -by_sample[:, ::-1]])
    return matrix


def _colour(factors: tuple[tuple[float, ...], ...]) -> Integers:
    return np.floor(np.array(factors) * (1 << COLOUR_BITS) + 0.5).astype(np.int64)


def rgb_to_ycc() -> Integers:
    """[3 of RGB, 3 of YCbCr] times 2**16; negative factors are rounded as magnitudes.

    Source: ITU-T T.871 (JFIF), section 7, with the five digits jccolor.c gives them. The columns sum to 65536, 0 and 0,
    so samples may be shifted by 128 before or after.
    """
    plus = _colour(((0.29900, 0, 0.50000), (0.58700, 0, 0), (0.11400, 0.50000, 0)))
    minus = _colour(((0, 0.16874, 0), (0, 0.33126, 0.41869), (0, 0, 0.08131)))
    return plus - minus


def rgb_to_ycc_bias() -> Integers:
    """What jccolor.c adds before the shift for rounding: one half for Y, one unit less for Cb and Cr."""
    half = 1 << (COLOUR_BITS - 1)
    return np.array([half, half - 1, half - 1], np.int64)


def ycc_to_rgb() -> Integers:
    """[3 of YCbCr, 3 of RGB] times 2**16; the results are rounded by adding one half (jdcolor.c, ITU-T T.871)."""
    plus = _colour(((1, 1, 1), (0, 0, 1.77200), (1.40200, 0, 0)))
    minus = _colour(((0, 0, 0), (0, 0.34414, 0), (0, 0.71414, 0)))
    return plus - minus
