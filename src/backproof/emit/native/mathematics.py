"""exp, log, tanh, erf and their like, lane by lane.

The arguments are reduced as in W. J. Cody and W. Waite, "Software Manual for the Elementary Functions" (1980); the
polynomials are Chebyshev approximations on the reduced interval, and tests hold every function against mpmath: at most
2 units in the last place over the whole range, in single precision and in double.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from backproof.emit.native.lanes import Lanes, Value

FRACTION = {4: 23, 8: 52}
"""How many bits of a number stand behind its point."""
BIAS = {4: 127, 8: 1023}
SHIFT = {4: (1.5 * 2.0**23, 0x4B400000), 8: (1.5 * 2.0**52, 0x4338000000000000)}
"""Added to a number and subtracted again it rounds to a whole one, which is what its bits rose by; these are beside."""
LARGEST = {4: 90.0, 8: 711.0}
SMALLEST = {4: -106.0, 8: -747.0}
"""Beyond these exp is infinite, and 0, by far enough that rounding says so too."""
LN2 = {4: (0.693359375, -2.12194440054690583e-4), 8: (6.93147180369123816490e-01, 1.90821492927058770002e-10)}
"""log 2 as a number of few digits and the rest: multiples of the first are exact."""
EXP = {
    4: (0.5, 0.16666576989698775683, 0.041666554617204574203, 0.0083631790527225773704, 0.0013926183587713494542),
    8: (
        0.5,
        0.16666666666666670991,
        0.041666666666666669755,
        0.0083333333333261351258,
        0.0013888888888883748305,
        0.00019841269874820625271,
        0.000024801587325547741216,
        2.755725540020642443e-6,
        2.7557273643110295328e-7,
        2.5105217004720745164e-8,
        2.0914686968086877233e-9,
    ),
}
"""(exp(r) − 1 − r)/r² for |r| up to log(2)/2."""
LOG = {
    4: (0.6666666655404201243, 0.40000122211810649396, 0.28550778633191965434, 0.23331614471843499235),
    8: (
        0.66666666666666697077,
        0.39999999999898890514,
        0.28571428626253837606,
        0.22222211089379496214,
        0.18182892432536871201,
        0.15331611722055007885,
        0.14617807153417324965,
    ),
}
"""(2·artanh(s)/s − 2)/s² in s², for |s| up to (√2 − 1)/(√2 + 1)."""
ERF = {
    4: (
        1.128379165848350946,
        -0.37612626666720331023,
        0.11283594715160217732,
        -0.026854212010626412443,
        0.0051890874234339739861,
        -0.00080168642871658695293,
        0.000078758750626854883411,
    ),
    8: (
        1.1283791670955125665,
        -0.37612638903183540438,
        0.11283791670945006266,
        -0.02686617064323777036,
        0.0052239776071164227321,
        -0.00085483259753896920806,
        0.00012055294904839707917,
        -0.000014924736907419660338,
        1.644742470331736241e-6,
        -1.6208483801871705902e-7,
        1.3720064546777685604e-8,
        -7.7958988270021422416e-10,
    ),
}
"""erf(x)/x in x², for |x| up to 1."""
ERFCX = {
    4: (
        1.2375126308041752144,
        -0.14024059949895535679,
        0.0035854358333313830583,
        0.082277166438148693606,
        -0.10880360746094146049,
        0.092269015620096437398,
        -0.058988516181747811899,
        0.027279053627632031865,
        -0.01177365152508960006,
    ),
    8: (
        1.2375126308378275815,
        -0.14024059858554717166,
        0.0035854154854639481271,
        0.082276738490198502297,
        -0.10880393014169859189,
        0.092304321155934446708,
        -0.058693398596902132383,
        0.028362277584457304506,
        -0.0097465791143623423346,
        0.0017556230300940926448,
        0.00029370212994335724557,
        -0.00029013888823949785848,
        0.000051779294410077908781,
        0.000022498303838433899647,
        -0.000011905776160479069738,
        -2.1538158483481838982e-6,
        8.6336759718024051679e-7,
    ),
}
"""(1 + 2x)·exp(x²)·erfc(x) in (x − 3.75)/(x + 3.75) from x = 1 on (Shepherd and Laframboise, Math. Comp. 36, 1981)."""
CENTRE = 3.75
TANH = {
    4: (
        -0.33333328944134254565,
        0.13332769736976327858,
        -0.053850909578513580828,
        0.020997178999074750572,
        -0.0060967141659081975745,
    ),
    8: (
        -0.33333333333333322565,
        0.13333333333326657736,
        -0.053968253961395570821,
        0.021869488260559114645,
        -0.0088632298309257087457,
        0.0035920589774734553151,
        -0.001455309297534642025,
        0.00058743728600943818973,
        -0.000230776162695198579,
        0.000079599557352648080002,
        -0.000017244874494844330172,
    ),
}
"""(tanh(x) − x)/x³ in x², for |x| up to 0.625."""
TANH_IS_NEAR = 0.625
TANH_IS_ONE = {4: 10.0, 8: 20.0}
ERF_IS_ONE = {4: 4.0, 8: 6.0}


def exp(lanes: Lanes, x: Value) -> Value:
    """The exponential."""
    size = lanes.kind.size
    whole, rest = _reduced(lanes, _between(lanes, SMALLEST[size], x, LARGEST[size]))
    first, second = _two_powers(lanes, whole)
    return lanes.mul(lanes.mul(lanes.add(lanes.number(1), _small(lanes, rest)), first), second)


def expm1(lanes: Lanes, x: Value) -> Value:
    """exp(x) − 1 without loss of digits near 0."""
    size = lanes.kind.size
    least = {4: -17.5, 8: -37.5}[size]  # where it is −1
    whole, rest = _reduced(lanes, _between(lanes, least, x, LARGEST[size]))
    first, second = _two_powers(lanes, whole)
    # Both terms are over the second power until they are added.
    one = lanes.sub(first, _inverse(lanes, second))
    return lanes.mul(lanes.fma(first, _small(lanes, rest), one), second)


def log(lanes: Lanes, x: Value) -> Value:
    """The natural logarithm: NaN below 0, −inf at 0."""
    size = lanes.kind.size
    lifted = lanes.number(2.0 ** FRACTION[size])
    tiny = lanes.less(x, lanes.number({4: 1.17549435e-38, 8: 2.2250738585072014e-308}[size]))
    power, rest = _parted(lanes, lanes.select(tiny, lanes.mul(x, lifted), x))
    power = lanes.select(tiny, lanes.sub(power, lanes.number(FRACTION[size])), power)
    f = lanes.sub(rest, lanes.number(1))
    value = _log_of(lanes, f, power, lanes.number(0))
    value = lanes.select(lanes.compare("==", x, lanes.number(0)), lanes.number(-math.inf), value)
    value = lanes.select(lanes.compare("==", x, lanes.number(math.inf)), x, value)
    value = lanes.select(lanes.less(x, lanes.number(0)), lanes.number(math.nan), value)
    return _kept_nan(lanes, x, value)


def log1p(lanes: Lanes, x: Value) -> Value:
    """log(1 + x) without loss of digits near 0."""
    one = lanes.number(1)
    total = lanes.add(one, x)
    # What rounding took from 1 + x.
    big = lanes.compare(">", x, one)
    lost = lanes.select(big, lanes.sub(one, lanes.sub(total, x)), lanes.sub(x, lanes.sub(total, one)))
    power, rest = _parted(lanes, total)
    plain = lanes.compare("==", power, lanes.number(0))
    f = lanes.select(plain, x, lanes.sub(rest, one))
    correction = lanes.select(plain, lanes.number(0), lanes.div(lost, total))
    value = _log_of(lanes, f, power, correction)
    value = lanes.select(lanes.compare("==", x, lanes.number(-1)), lanes.number(-math.inf), value)
    value = lanes.select(lanes.compare("==", x, lanes.number(math.inf)), x, value)
    value = lanes.select(lanes.less(x, lanes.number(-1)), lanes.number(math.nan), value)
    return _kept_nan(lanes, x, value)


def _parted(lanes: Lanes, x: Value) -> tuple[Value, Value]:
    """The exponent of a power of two, and x over that power, between √½ and √2."""
    size = lanes.kind.size
    half = {4: 0x3F3504F3, 8: 0x3FE6A09E667F3BCD}[size]  # the bits of √½
    bits = lanes.to_bits(x)
    exponent = lanes.builder.ashr(lanes.builder.sub(bits, lanes.whole(half)), lanes.whole(FRACTION[size]))
    rest = lanes.builder.sub(bits, lanes.builder.shl(exponent, lanes.whole(FRACTION[size])))
    return lanes.builder.sitofp(exponent, lanes.kind.type), lanes.from_bits(rest)


def _log_of(lanes: Lanes, f: Value, power: Value, correction: Value) -> Value:
    """log(1 + f) + power·log 2 + a small correction, f being between √½ − 1 and √2 − 1."""
    size = lanes.kind.size
    high, low = LN2[size]
    s = lanes.div(f, lanes.add(lanes.number(2), f))
    square = lanes.mul(s, s)
    tail = lanes.mul(square, lanes.polynomial(square, LOG[size]))
    # 2·artanh(s) = f − f²/2 + s·(f²/2 + tail), which rounds less than 2s + s·tail.
    half = lanes.mul(lanes.mul(lanes.number(0.5), f), f)
    small = lanes.fma(power, lanes.number(low), lanes.fma(s, lanes.add(half, tail), correction))
    return lanes.fma(power, lanes.number(high), lanes.sub(f, lanes.sub(half, small)))


def tanh(lanes: Lanes, x: Value) -> Value:
    """The hyperbolic tangent: an odd polynomial near 0, from there on 1 − 2/(1 + exp(2|x|))."""
    size = lanes.kind.size
    positive, square = lanes.absolute(x), lanes.mul(x, x)
    near = lanes.fma(lanes.mul(x, square), lanes.polynomial(square, TANH[size]), x)
    most = lanes.number(TANH_IS_ONE[size])
    least = lanes.select(lanes.less(most, positive), most, positive)
    whole, rest = _reduced(lanes, lanes.add(least, least))
    power = _power_of_two(lanes, whole)
    above = lanes.fma(power, _small(lanes, rest), lanes.add(power, lanes.number(1)))
    far = lanes.sub(lanes.number(1), lanes.div(lanes.number(2), above))
    is_near = lanes.less(positive, lanes.number(TANH_IS_NEAR))
    return lanes.select(is_near, near, lanes.intrinsic("copysign", far, x))


def sigmoid(lanes: Lanes, x: Value) -> Value:
    """1/(1 + exp(−x)); the exponential is taken of −|x|, and does not overflow."""
    e = exp(lanes, lanes.neg(lanes.absolute(x)))
    upper = lanes.select(lanes.less(x, lanes.number(0)), e, lanes.number(1))
    lower = lanes.add(lanes.number(1), e)
    value = lanes.div(upper, lower)
    # What rounding took from the sum and from the quotient; 1/lower, near enough for that, lies on a line.
    lost = lanes.sub(e, lanes.sub(lower, lanes.number(1)))
    left = lanes.sub(lanes.fma(lanes.neg(value), lower, upper), lanes.mul(value, lost))
    return lanes.fma(left, lanes.fma(lanes.number(-0.5), lower, lanes.number(1.4571)), value)


def softplus(lanes: Lanes, x: Value) -> Value:
    """log(1 + exp(x)), as max(x, 0) + log(1 + exp(−|x|))."""
    rest = log1p(lanes, exp(lanes, lanes.neg(lanes.absolute(x))))
    return lanes.add(lanes.largest(x, lanes.number(0)), rest)


def erf(lanes: Lanes, x: Value) -> Value:
    """The error function."""
    size = lanes.kind.size
    positive = lanes.absolute(x)
    square = lanes.mul(x, x)
    # x apart, which is not rounded.
    first, *others = ERF[size]
    near = lanes.fma(x, lanes.polynomial(square, (first - 1, *others)), x)
    far = lanes.intrinsic("copysign", lanes.sub(lanes.number(1), _erfc_beyond_one(lanes, positive)), x)
    one = lanes.intrinsic("copysign", lanes.number(1), x)
    far = lanes.select(lanes.compare(">", positive, lanes.number(ERF_IS_ONE[size])), one, far)
    return _kept_nan(lanes, x, lanes.select(lanes.less(positive, lanes.number(1)), near, far))


def _erfc_beyond_one(lanes: Lanes, x: Value) -> Value:
    t = lanes.div(lanes.sub(x, lanes.number(CENTRE)), lanes.add(x, lanes.number(CENTRE)))
    scaled = lanes.div(lanes.polynomial(t, ERFCX[lanes.kind.size]), lanes.fma(lanes.number(2), x, lanes.number(1)))
    return lanes.mul(exp(lanes, lanes.neg(lanes.mul(x, x))), scaled)


def _small(lanes: Lanes, rest: Value) -> Value:
    """exp(r) − 1 for |r| up to log(2)/2."""
    return lanes.fma(lanes.mul(rest, rest), lanes.polynomial(rest, EXP[lanes.kind.size]), rest)


def _between(lanes: Lanes, least: float, x: Value, most: float) -> Value:
    """The number nearest to x between two; what is no number stays so."""
    x = lanes.select(lanes.less(lanes.number(most), x), lanes.number(most), x)
    return lanes.select(lanes.less(x, lanes.number(least)), lanes.number(least), x)


def _reduced(lanes: Lanes, x: Value) -> tuple[Value, Value]:
    """The whole number n nearest to x/log 2, which is not too large for an exponent, and x − n·log 2."""
    size = lanes.kind.size
    high, low = LN2[size]
    shift, bits = SHIFT[size]
    shifted = lanes.fma(x, lanes.number(1 / math.log(2)), lanes.number(shift))
    # The builder's own arithmetic: contracted to one operation it would round no more.
    n = lanes.builder.fsub(shifted, lanes.number(shift))
    rest = lanes.fma(n, lanes.number(-high), x)
    whole = lanes.builder.sub(lanes.to_bits(shifted), lanes.whole(bits))
    return whole, lanes.fma(n, lanes.number(-low), rest)


def _power_of_two(lanes: Lanes, whole: Value) -> Value:
    """2 to a whole number that is a normal number."""
    biased = lanes.builder.add(whole, lanes.whole(BIAS[lanes.kind.size]))
    return _of_exponent(lanes, biased)


def _two_powers(lanes: Lanes, whole: Value) -> tuple[Value, Value]:
    """Two powers of 2 whose product is 2 to a whole number, which alone may be too small, or too large, to be one."""
    biased = lanes.builder.add(whole, lanes.whole(2 * BIAS[lanes.kind.size]))
    half = lanes.builder.lshr(biased, lanes.whole(1))
    return _of_exponent(lanes, half), _of_exponent(lanes, lanes.builder.sub(biased, half))


def _of_exponent(lanes: Lanes, biased: Value) -> Value:
    return lanes.from_bits(lanes.builder.shl(biased, lanes.whole(FRACTION[lanes.kind.size])))


def _inverse(lanes: Lanes, power: Value) -> Value:
    """1 over a power of 2."""
    twice = lanes.whole(2 * BIAS[lanes.kind.size] << FRACTION[lanes.kind.size])
    return lanes.from_bits(lanes.builder.sub(twice, lanes.to_bits(power)))


def _kept_nan(lanes: Lanes, x: Value, value: Value) -> Value:
    return lanes.select(lanes.builder.fcmp_unordered("uno", x, x), x, value)


FUNCTIONS: Mapping[str, Callable[[Lanes, Value], Value]] = {
    "exp": exp,
    "expm1": expm1,
    "log": log,
    "log1p": log1p,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "erf": erf,
}
