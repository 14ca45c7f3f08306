"""The table of mistakes: each is a small edit of a right equation, with its name, a sentence, an example and its fix.

Whoever wrote the edited equation made that mistake, if his numbers are those of the edited equation and not those of
the right one. The order is that of the likelihood: where several edits give the same numbers, the upper one is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backproof.checking.mistakes import (
    activations,
    factors,
    labels,
    places,
    powers,
    products,
    quantities,
    rounding,
    sums,
    terms,
)
from backproof.checking.mistakes.kinds import Context, Edited, Kind, Mistake
from backproof.ir.errors import BackproofError
from backproof.ir.node import Node

SCALES = (
    Mistake(
        "sign",
        "The sign is wrong, often because a difference is the wrong way round. A step against such a gradient climbs.",
        "dZ = Y - A",
        "dZ = A - Y",
        factors.signs,
    ),
    Mistake(
        "factor 2",
        "A factor 2 too many or missing: the derivative of x² is 2x, that of ½x² is x.",
        "dA = (A - Y) / m  # J = np.sum((A - Y)**2) / m",
        "dA = 2 * (A - Y) / m",
        factors.twos,
    ),
    Mistake(
        "1/m left out",
        "The loss is a mean, and its 1/m is missing: the gradient is a sum over the samples, m times too large.",
        "dW = dZ @ A.T",
        "dW = dZ @ A.T / m",
        factors.undivided,
    ),
    Mistake(
        "1/m twice",
        "The mean is taken twice, for example in dZ and once more in dW; or over classes too, where the loss adds up.",
        "dZ = (A2 - Y) / m; dW = dZ @ A1.T / m",
        "dZ = A2 - Y; dW = dZ @ A1.T / m",
        factors.divided_twice,
    ),
    Mistake(
        "1/m of another axis",
        "The mean is over the length of another axis: features or classes in place of samples.",
        "dW = dZ @ A.T / A.shape[0]",
        "dW = dZ @ A.T / A.shape[1]",
        factors.other_numbers,
    ),
    Mistake(
        "m - 1 for m",
        "The forward pass divides by m and the backward pass by m − 1, or the other way round, as variances tempt to.",
        "dvar = dxhat_x * 2 * (x - mu) / (N - 1)",
        "dvar = dxhat_x * 2 * (x - mu) / N",
        factors.less_one,
    ),
    Mistake(
        "square root of the scale",
        "The factor 1/√d, as in the scores of an attention, is applied twice, or 1/d stands in its place.",
        "dQ = dS @ K / d",
        "dQ = dS @ K / np.sqrt(d)",
        factors.roots_of_numbers,
    ),
)
"""Factors of the whole: looked for together with every other mistake."""

TABLE = (
    *SCALES[:1],
    Mistake(
        "softmax element-wise",
        "Each output of softmax depends on the whole row, so its derivative is a matrix for each row and not one "
        "number for each entry.",
        "dZ = dP * P * (1 - P)",
        "dZ = P * (dP - np.sum(dP * P, axis=1, keepdims=True))",
        activations.entrywise_softmax,
    ),
    Mistake(
        "upstream left out",
        "The derivative that comes from above is missing: only the local derivative is left.",
        "dZ = 1 - A**2",
        "dZ = dA * (1 - A**2)",
        factors.upstream,
    ),
    Mistake(
        "derivative left out",
        "The derivative of the activation is missing: what holds behind the activation is used before it.",
        "dZ = dA",
        "dZ = dA * (1 - A**2)",
        factors.slopes,
    ),
    *SCALES[1:2],
    Mistake(
        "regularisation left out",
        "The loss has a term for the size of the weights, and its derivative is missing.",
        "dW = dZ @ A.T / m",
        "dW = dZ @ A.T / m + lam / m * W",
        terms.regularisation_left_out,
    ),
    Mistake(
        "term left out",
        "One of several terms is missing: a path of a residual connection, one use of a shared weight, the mean's or "
        "the variance's path through a normalisation, the state of the next step; or = stands in place of +=.",
        "dx = dy @ W.T",
        "dx = dy @ W.T + dy  # x goes around the layer too",
        terms.left_out,
    ),
    Mistake(
        "sign of a term",
        "One of several terms has the wrong sign.",
        "dZ = dA * (1 + A**2)",
        "dZ = dA * (1 - A**2)",
        terms.signs_of_terms,
    ),
    *SCALES[2:3],
    Mistake(
        "sum left out",
        "What was broadcast in the forward pass has to be summed in the backward pass, and is not.",
        "db = dZ",
        "db = np.sum(dZ, axis=1, keepdims=True)",
        sums.left_out,
    ),
    Mistake(
        "mean for sum",
        "A mean stands where a sum belongs: it divides once more than the loss does.",
        "db = np.mean(dZ, axis=0)",
        "db = np.sum(dZ, axis=0)",
        sums.means,
        r"mean\(",
    ),
    *SCALES[3:4],
    Mistake(
        "wrong axis",
        "A sum runs over the wrong axis, or over all of them.",
        "db = np.sum(dZ, axis=0)",
        "db = np.sum(dZ, axis=1, keepdims=True)",
        sums.wrong_axes,
    ),
    Mistake(
        "keepdims lost",
        "A sum without its axis of length one is stretched along the wrong axis where sizes happen to agree.",
        "dS = P * (dP - np.sum(dP * P, axis=1))",
        "dS = P * (dP - np.sum(dP * P, axis=1, keepdims=True))",
        sums.axes_lost,
    ),
    Mistake(
        "not repeated",
        "What the forward pass summed up goes back to each place, and is not repeated along its axis.",
        "dx = dmu / n",
        "dx = np.ones_like(x) * dmu / n",
        sums.unstretched,
    ),
    *SCALES[4:],
    Mistake(
        "transpose",
        "A transpose is missing or one too many. Square matrices hide it from NumPy's shape checks.",
        "dA = W @ dZ",
        "dA = W.T @ dZ",
        products.transposes,
    ),
    Mistake(
        "operands swapped",
        "The factors of a matrix product are in the wrong order.",
        "dW = A.T @ dZ",
        "dW = dZ @ A.T",
        products.swapped,
    ),
    Mistake(
        "derivative twice",
        "The derivative of an activation is in the equation already: the A − Y of a loss by the logits has it.",
        "dZ = (A - Y) * A * (1 - A)",
        "dZ = A - Y",
        activations.slopes_twice,
        r"-.*(1 -|\* \(|> ?0|\) ?\*\*|prime|deriv|grad|slope)",
    ),
    Mistake(
        "derivative at the wrong place",
        "The derivative of the activation is taken of A where it is one of Z, of Z where it is written through A, or "
        "of another layer.",
        "dZ = dA * (1 - Z**2)",
        "dZ = dA * (1 - A**2)",
        quantities.slopes_elsewhere,
    ),
    Mistake(
        "wrong activation",
        "The derivative is that of another activation.",
        "dZ = dA * A * (1 - A)  # A = np.tanh(Z)",
        "dZ = dA * (1 - A**2)",
        activations.wrong_activations,
    ),
    Mistake(
        "g for g'",
        "The activation itself stands where its derivative belongs.",
        "dZ = dA * sigmoid(Z)",
        "dZ = dA * sigmoid(Z) * (1 - sigmoid(Z))",
        activations.undifferentiated,
    ),
    Mistake(
        "wrong power",
        "A square, a root or a reciprocal is left out, too many, or at the wrong place.",
        "dZ = dA * (1 - A)",
        "dZ = dA * (1 - A**2)",
        powers.wrong_powers,
    ),
    Mistake(
        "division left out",
        "A division is missing: the 1/keep of a dropout, the standard deviation of a normalisation.",
        "dA = dD * mask",
        "dA = dD * mask / keep",
        factors.divisions,
    ),
    Mistake(
        "factor left out",
        "A factor is missing: a mask of a dropout, the scale of a normalisation, a gate.",
        "dA = dD",
        "dA = dD * mask",
        factors.factors,
    ),
    Mistake(
        "factor twice",
        "A factor or a division is applied twice, for example the 1/keep of a dropout.",
        "dA = dD * mask / keep / keep",
        "dA = dD * mask / keep",
        factors.factors_twice,
    ),
    Mistake(
        "wrong quantity",
        "Another quantity stands in the place of the right one: of another layer, before the activation or behind it.",
        "dW2 = dZ2 @ X.T",
        "dW2 = dZ2 @ A1.T",
        quantities.others,
    ),
    Mistake(
        "* for ·",
        "`*` multiplies entry by entry, `@` is the matrix product; one stands where the other belongs.",
        "dA = W.T * dZ",
        "dA = W.T @ dZ",
        products.entrywise,
    ),
    Mistake(
        "wrong operation",
        "A sum stands where a product belongs, a product where a quotient belongs, and the like.",
        "dA = dD * mask * keep",
        "dA = dD * mask / keep",
        factors.operations,
    ),
    Mistake(
        "wrong loss",
        "The derivative of the loss is that of another loss, or by something else: A − Y is that by the logits.",
        "dA = A - Y  # cross-entropy",
        "dA = (A - Y) / (A * (1 - A))",
        activations.wrong_losses,
    ),
    Mistake(
        "labels one off",
        "Each label is taken for the class beside it, as with classes that count from 1.",
        "dZ[np.arange(m), y - 1] -= 1",
        "dZ[np.arange(m), y] -= 1",
        labels.one_off,
    ),
    Mistake(
        "labels not one-hot",
        "The numbers of the classes are subtracted; what belongs there is 1 at the place of the class.",
        "dZ = P - y[:, None]",
        "dZ = P - np.eye(K)[y]",
        labels.as_numbers,
    ),
    Mistake(
        "wrong comparison",
        "The mask of a comparison is the wrong way round, or lets all entries pass: max-pooling passes the derivative "
        "to the entry that was the largest, relu to the positive ones.",
        "dZ = dA * (Z < 0)",
        "dZ = dA * (Z > 0)",
        activations.comparisons,
    ),
    Mistake(
        "= for +=",
        "Of what has to be added up only one part is kept: each assignment writes over the one before.",
        "dW = np.outer(dz, x[t])  # in a loop over t",
        "dW += np.outer(dz, x[t])",
        lambda root, context: (c for edits in (terms.last_only, sums.last_only) for c in edits(root, context)),
    ),
    Mistake(
        "last one wins",
        "Indexing adds once to each index, however often it stands there; np.add.at adds up all of them.",
        "dE[ids] += dx",
        "np.add.at(dE, ids, dx)",
        places.last_wins,
    ),
    Mistake(
        "kernel flipped",
        "The backward pass of a correlation is a convolution: the kernel is flipped in one and not in the other.",
        'dx = np.correlate(dy, w, "full")',
        'dx = np.convolve(dy, w, "full")',
        places.flipped,
        r"::-1|flip|convolve|correlate|rot90",
    ),
    Mistake(
        "moved along",
        "The padding is cut off at the wrong place, or a window lies beside the right one.",
        "dx = dxp[:-2, :-2]",
        "dx = dxp[1:-1, 1:-1]",
        places.moved,
    ),
    Mistake(
        "stride left out",
        "The forward pass takes every so many windows, and the backward pass puts them side by side.",
        "dx[i : i + k] += dy[i] * w",
        "dx[s * i : s * i + k] += dy[i] * w",
        places.strides,
    ),
    Mistake(
        "epsilon left out",
        "The forward pass adds a small number under a root or in a denominator, and the backward pass does not.",
        "dx = dxhat / np.sqrt(var)",
        "dx = dxhat / np.sqrt(var + eps)",
        powers.without_epsilon,
    ),
    Mistake(
        "integers",
        "The result is cut to whole numbers: `//` for `/`, or an array of integers that gradients are written into.",
        "dW = dZ @ A.T // m",
        "dW = dZ @ A.T / m",
        rounding.to_integers,
        r"//|int|round|rint|floor|trunc",
    ),
    Mistake(
        "half precision",
        "The numbers are rounded to half precision, which keeps three digits.",
        "dW = (dZ @ A.T).astype(np.float16)",
        "dW = dZ @ A.T",
        rounding.to_half,
        r"float16|half|e2",
    ),
    Mistake(
        "regularisation of a bias",
        "The regularisation is applied to a parameter that the loss does not regularise.",
        "db = np.sum(dZ, axis=1) + lam * b",
        "db = np.sum(dZ, axis=1)",
        terms.bias_regularised,
    ),
    Mistake(
        "upstream twice",
        "It is multiplied by a derivative that does not belong there, or that is in it already.",
        "dW = dZ @ A.T * dA",
        "dW = dZ @ A.T",
        factors.upstream_twice,
    ),
    Mistake(
        "factor too many",
        "It is multiplied or divided by a quantity that does not belong there.",
        "dA = W.T @ dZ * A",
        "dA = W.T @ dZ",
        factors.needless,
    ),
)
"""Every mistake that is an edit of an equation, the likeliest first."""

FACTOR_OF_A_TERM = Kind(
    "factor of a term",
    "One part of the equation is a multiple of what it should be, for example because one of its terms lacks the 1/m.",
    "dx = dxhat / std + dmu",
    "dx = dxhat / std + dmu / m",
)
REGULARISATION_SCALED = Kind(
    "regularisation scaled",
    "The term of the regularisation is doubled, halved, or divided by m where the loss does not do so, or the other "
    "way round.",
    "dW = dZ @ A.T / m + lam * W  # J = … + lam / (2 * m) * np.sum(W**2)",
    "dW = dZ @ A.T / m + lam / m * W",
)
WRONG_NUMBER = Kind(
    "wrong number",
    "A number is another one: the slope of a leaky relu, the rate of a dropout.",
    "dZ = dA * np.where(Z > 0, 1, 0.1)",
    "dZ = dA * np.where(Z > 0, 1, 0.01)",
)
WRONG_FACTOR = Kind(
    "wrong factor",
    "The whole is a multiple of what it should be.",
    "dZ = 3 * (A - Y)",
    "dZ = A - Y",
)
LEFT_ZERO = Kind(
    "left zero",
    "It is zero everywhere: it was set up and never filled.",
    "dW = np.zeros_like(W)",
    "dW = dZ @ A.T / m",
)
IN_THE_NUMBERS = (REGULARISATION_SCALED, FACTOR_OF_A_TERM, WRONG_NUMBER, WRONG_FACTOR, LEFT_ZERO)
"""Kinds of which the size is found from the numbers, see `fitting`."""
IN_THE_LINE = (
    Kind(
        "term too many",
        "A term does not belong there.",
        "dA = W.T @ dZ + A",
        "dA = W.T @ dZ",
    ),
    Kind(
        "sum too many",
        "A sum or a mean is taken where each entry is wanted.",
        "dZ = np.sum(dA * (1 - A**2))",
        "dZ = dA * (1 - A**2)",
    ),
    Kind(
        "wrong place",
        "An index is one off: the step before, or the layer behind.",
        "dW += np.outer(dz, h[t])",
        "dW += np.outer(dz, h[t - 1])",
    ),
    Kind(
        "+= for =",
        "A value is added to what was there, where it should take its place.",
        "dz += dh * (1 - h**2)",
        "dz = dh * (1 - h**2)",
    ),
    Kind(
        "changed too early",
        "A value is changed, as weights are by an update, before the last statement that needs it as it was.",
        "W2 -= rate * dW2; dA1 = W2.T @ dZ2",
        "dA1 = W2.T @ dZ2; W2 -= rate * dW2",
    ),
    Kind(
        "uphill",
        "The step is taken along the gradient, and not against it.",
        "W += rate * dW",
        "W -= rate * dW",
    ),
    Kind(
        "wrong shape",
        "The numbers are right, and their shape is not that of the parameter: an update would broadcast, or fail.",
        "db = np.sum(dZ, axis=1)",
        "db = np.sum(dZ, axis=1, keepdims=True)",
    ),
    Kind(
        "not returned",
        "A derivative is computed rightly and does not come back.",
        'return {"dW1": dW1}',
        'return {"dW1": dW1, "db1": db1}',
    ),
)
"""Kinds that are no edits of an equation, but of a line, see `repair`, or of the order of lines, see `judging`."""
KINDS: tuple[Kind, ...] = (*TABLE, *IN_THE_NUMBERS, *IN_THE_LINE)
"""All kinds of mistakes, the likeliest edits first."""


def edited(root: Node, context: Context, rows: Iterable[Mistake] = TABLE) -> Iterator[Edited]:
    """Every single mistake in an equation, the likeliest first. What does not fit together is left out."""
    for mistake in rows:
        for candidate in mistake.edits(root, context):
            try:
                node = candidate.make()
            except (BackproofError, ArithmeticError, LookupError, ValueError):  # what does not fit is nobody's numbers
                continue
            yield Edited(mistake.name, node, candidate.says, candidate.named)
