/** The lengths of the axes of an array; a number has none. */
function shapeOf(x) {
  return typeof x === "number" ? [] : x.shape;
}

/** The entries of an array in the order of its rows. */
function dataOf(x) {
  return typeof x === "number" ? [x] : x.data;
}

/** An array with these entries; of no axes it is a number. */
function made(shape, data) {
  return shape.length ? { shape, data } : data[0];
}

/** The array that nested lists are. */
function array(lists) {
  const shape = [];
  for (let x = lists; Array.isArray(x); x = x[0]) shape.push(x.length);
  return made(shape, Float64Array.from([lists].flat(Infinity)));
}

/** How many entries an array of a shape has. */
function count(shape) {
  return shape.reduce((product, length) => product * length, 1);
}

/** How far apart neighbours along each axis lie. */
function stepsOf(shape) {
  return shape.map((_, axis) => count(shape.slice(axis + 1)));
}

/** Where the entries of an array of a shape lie in another, whose neighbours along each axis are so many steps apart. */
function places(shape, steps, start = 0) {
  const found = new Int32Array(count(shape));
  const index = shape.map(() => 0);
  let place = start;
  for (let k = 0; k < found.length; k++) {
    found[k] = place;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += steps[axis];
      if (++index[axis] < shape[axis]) break;
      place -= steps[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return found;
}

/** The array of a shape with the entries of another at these places. */
function gathered(x, shape, where) {
  const data = dataOf(x);
  const result = new Float64Array(where.length);
  for (let k = 0; k < result.length; k++) result[k] = data[where[k]];
  return made(shape, result);
}

/** An array of a shape that has the entries of another added at these places, and 0 elsewhere. */
function scattered(x, shape, where) {
  const data = dataOf(x);
  const result = new Float64Array(count(shape));
  for (let k = 0; k < where.length; k++) result[where[k]] += data[k];
  return made(shape, result);
}

/** The shape that arrays of these shapes broadcast to. */
function common(shapes) {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const lengths = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const length = lengths.find((n) => n !== 1) ?? 1;
    if (lengths.some((n) => n !== 1 && n !== length)) {
      throw new Error(`shapes ${shapes.map((shape) => `[${shape}]`).join(" and ")} do not go together`);
    }
    return length;
  });
}

/** An array repeated along axes that it does not have, or of which it has one entry. */
function broadcast(x, shape) {
  const own = shapeOf(x);
  if (own.length === shape.length && own.every((n, axis) => n === shape[axis])) return x;
  const lead = shape.length - own.length;
  const steps = stepsOf(own);
  const repeated = shape.map((_, axis) => (axis < lead || own[axis - lead] === 1 ? 0 : steps[axis - lead]));
  return gathered(x, shape, places(shape, repeated));
}

/** The function of arrays that applies one of numbers entry by entry. */
function elementwise(f) {
  return (...operands) => {
    const shape = common(operands.map(shapeOf));
    const [a, b, c] = operands.map((x) => dataOf(broadcast(x, shape)));
    const result = new Float64Array(count(shape));
    for (let k = 0; k < result.length; k++) result[k] = f(a[k], b?.[k], c?.[k]);
    return made(shape, result);
  };
}

/** a + b, entry by entry. */
const add = elementwise((a, b) => a + b);

/** a - b, entry by entry. */
const sub = elementwise((a, b) => a - b);

/** a * b, entry by entry. */
const mul = elementwise((a, b) => a * b);

/** a / b, entry by entry. */
const div = elementwise((a, b) => a / b);

/** -a, entry by entry. */
const neg = elementwise((a) => -a);

/** a to the power of b, entry by entry. */
const power = elementwise((a, b) => a ** b);

/** 1 where a equals b, else 0. */
const equal = elementwise((a, b) => (a === b ? 1 : 0));

/** 1 where a and b differ, else 0. */
const notEqual = elementwise((a, b) => (a !== b ? 1 : 0));

/** 1 where a > b, else 0. */
const greater = elementwise((a, b) => (a > b ? 1 : 0));

/** 1 where a >= b, else 0. */
const greaterEqual = elementwise((a, b) => (a >= b ? 1 : 0));

/** 1 where a < b, else 0. */
const less = elementwise((a, b) => (a < b ? 1 : 0));

/** 1 where a <= b, else 0. */
const lessEqual = elementwise((a, b) => (a <= b ? 1 : 0));

/** a where a condition holds, else b. */
const choose = elementwise((condition, a, b) => (condition ? a : b));

/** The largest whole number that is not above a. */
const floor = elementwise(Math.floor);

/** The smallest whole number that is not below a. */
const ceil = elementwise(Math.ceil);

/** The whole part of a. */
const trunc = elementwise(Math.trunc);

/** The whole number next to a; of two that are as near, the even one. */
const rint = elementwise((a) => {
  const low = Math.floor(a);
  return a - low === 0.5 ? 2 * Math.round(a / 2) : Math.round(a);
});

/** The largest whole number that is not above a / b. */
const floorDivide = elementwise((a, b) => Math.floor(a / b));

/** The same entries in another shape. */
function reshape(x, shape) {
  return made(shape, dataOf(x));
}

/** The axes in another order, each by its number. */
function permute(x, axes) {
  const [shape, steps] = [shapeOf(x), stepsOf(shapeOf(x))];
  const turned = axes.map((axis) => shape[axis]);
  return gathered(x, turned, places(turned, axes.map((axis) => steps[axis])));
}

/** The last two axes exchanged. */
function transpose(x) {
  const axes = shapeOf(x).map((_, axis) => axis);
  return permute(x, [...axes.slice(0, -2), axes.at(-1), axes.at(-2)]);
}

/** The matrix product. */
function matmul(a, b) {
  const [n, inner] = shapeOf(a).slice(-2);
  const m = shapeOf(b).at(-1);
  const lead = common([shapeOf(a).slice(0, -2), shapeOf(b).slice(0, -2)]);
  const [x, y] = [dataOf(broadcast(a, [...lead, n, inner])), dataOf(broadcast(b, [...lead, inner, m]))];
  const result = new Float64Array(count(lead) * n * m);
  for (let row = 0; row < count(lead) * n; row++) {
    const block = Math.floor(row / n) * inner * m;
    for (let k = 0; k < inner; k++) {
      const factor = x[row * inner + k];
      for (let j = 0; j < m; j++) result[row * m + j] += factor * y[block + k * m + j];
    }
  }
  return made([...lead, n, m], result);
}

/** The product of a matrix and a vector. */
function matvec(a, v) {
  return reduced(mul(a, broadcast(reshape(v, [...shapeOf(v).slice(0, -1), 1, shapeOf(v).at(-1)]), shapeOf(a))), [-1], false, sumOf);
}

/** All products of an entry of one vector and one of another. */
function outer(a, b) {
  return mul(reshape(a, [...shapeOf(a), 1]), b);
}

/** The sum over the letters that are not in the result of the products of arrays whose axes are named by letters. */
function einsum(axes, result, ...operands) {
  const lengths = {};
  operands.forEach((x, k) => [...axes[k]].forEach((letter, axis) => (lengths[letter] = shapeOf(x)[axis])));
  const letters = [...result, ...Object.keys(lengths).filter((letter) => !result.includes(letter))];
  const shape = letters.map((letter) => lengths[letter]);
  const whole = operands.map((x, k) => {
    const steps = stepsOf(shapeOf(x));
    const own = letters.map((letter) => [...axes[k]].reduce((own, l, axis) => own + (l === letter ? steps[axis] : 0), 0));
    return gathered(x, shape, places(shape, own));
  });
  const summed = letters.map((_, axis) => axis).slice(result.length);
  return reduced(whole.reduce((a, b) => mul(a, b)), summed, false, sumOf);
}

/** What a function makes of the entries along some axes together. */
function reduced(x, axes, keep, f) {
  const shape = shapeOf(x);
  const gone = axes.map((axis) => (axis + shape.length) % shape.length);
  const stay = [...shape.keys()].filter((axis) => !gone.includes(axis));
  const data = dataOf(permute(x, [...stay, ...gone]));
  const length = count(gone.map((axis) => shape[axis]));
  const rest = keep ? shape.map((n, axis) => (gone.includes(axis) ? 1 : n)) : stay.map((axis) => shape[axis]);
  const result = new Float64Array(count(rest));
  for (let k = 0; k < result.length; k++) result[k] = f(data.slice(k * length, (k + 1) * length));
  return made(rest, result);
}

/** The sum of a list. */
function sumOf(list) {
  return list.reduce((total, x) => total + x, 0);
}

/** The sum along axes. */
function sum(x, axes, keep = false) {
  return reduced(x, axes, keep, sumOf);
}

/** The mean along axes. */
function mean(x, axes, keep = false) {
  return reduced(x, axes, keep, (list) => sumOf(list) / list.length);
}

/** The largest entry along axes. */
function max(x, axes, keep = false) {
  return reduced(x, axes, keep, (list) => list.reduce((a, b) => Math.max(a, b)));
}

/** The smallest entry along axes. */
function min(x, axes, keep = false) {
  return reduced(x, axes, keep, (list) => list.reduce((a, b) => Math.min(a, b)));
}

/** The product along axes. */
function prod(x, axes, keep = false) {
  return reduced(x, axes, keep, (list) => list.reduce((product, a) => product * a, 1));
}

/** The variance along axes: squares of what is beyond the mean, over their number less `less`. */
function variance(x, axes, keep = false, less = 0) {
  return reduced(x, axes, keep, (list) => {
    const middle = sumOf(list) / list.length;
    return sumOf(list.map((a) => (a - middle) ** 2)) / (list.length - less);
  });
}

/** What a function makes of each line along an axis: a list of the same length, or of another. */
function along(axis, f, ...operands) {
  const shape = shapeOf(operands[0]);
  const own = (axis + shape.length) % shape.length;
  const order = [...shape.keys()].filter((k) => k !== own);
  const turned = operands.map((x) => [dataOf(permute(x, [...order, own])), shapeOf(x)[own]]);
  const lines = Array.from({ length: count(order.map((k) => shape[k])) }, (_, k) =>
    f(...turned.map(([data, n]) => data.slice(k * n, (k + 1) * n))),
  );
  const length = lines[0].length;
  const result = new Float64Array(lines.length * length);
  lines.forEach((line, k) => result.set(line, k * length));
  const back = [...shape.keys()].map((k) => (k === own ? order.length : order.indexOf(k)));
  return permute(made([...order.map((k) => shape[k]), length], result), back);
}

/** exp of each entry over the sum of these along an axis, without overflow. */
function softmax(x, axis) {
  return along(axis, (line) => {
    const top = line.reduce((a, b) => Math.max(a, b));
    const powers = line.map((a) => Math.exp(a - top));
    const total = sumOf(powers);
    return powers.map((a) => a / total);
  }, x);
}

/** The logarithm of softmax, without overflow. */
function logSoftmax(x, axis) {
  return along(axis, (line) => {
    const top = line.reduce((a, b) => Math.max(a, b));
    const total = Math.log(sumOf(line.map((a) => Math.exp(a - top))));
    return line.map((a) => a - top - total);
  }, x);
}

/** A function of lines that goes through them backwards. */
function backwards(f) {
  return (...lines) => f(...lines.map((line) => line.reverse())).reverse();
}

/** The sums of the first entries along an axis, or of the last ones. */
function cumsum(x, axis, reverse = false) {
  let total;
  const f = (line) => ((total = 0), line.map((a) => (total += a)));
  return along(axis, reverse ? backwards(f) : f, x);
}

/** The products of the first entries along an axis, or of the last ones. */
function cumprod(x, axis, reverse = false) {
  let total;
  const f = (line) => ((total = 1), line.map((a) => (total *= a)));
  return along(axis, reverse ? backwards(f) : f, x);
}

/** For each entry the product of all others along an axis. */
function productOfOthers(x, axis) {
  return along(axis, (line) => line.map((_, k) => line.reduce((product, a, j) => (j === k ? product : product * a), 1)), x);
}

/** y with y[k] = terms[k] + factors[k] * y[k - 1] along an axis, or backwards. */
function recurrence(factors, terms, axis, reverse) {
  const shape = common([shapeOf(factors), shapeOf(terms)]);
  let last;
  const f = (own, added) => ((last = 0), added.map((b, k) => (last = b + (k ? own[k] * last : 0))));
  return along(axis, reverse ? backwards(f) : f, broadcast(factors, shape), broadcast(terms, shape));
}

/** Arrays one behind the other along an axis. */
function concatenate(parts, axis) {
  const own = (axis + shapeOf(parts[0]).length) % shapeOf(parts[0]).length;
  const shape = shapeOf(parts[0]).map((n, k) => (k === own ? sumOf(parts.map((x) => shapeOf(x)[own])) : n));
  const steps = stepsOf(shape);
  const result = new Float64Array(count(shape));
  let start = 0;
  for (const x of parts) {
    const data = dataOf(x);
    places(shapeOf(x), steps, start).forEach((place, k) => (result[place] = data[k]));
    start += shapeOf(x)[own] * steps[own];
  }
  return made(shape, result);
}

/** `length` places of an axis, from `start` on, each `step` behind the last. */
function slice(start, length, step = 1) {
  return { start, length, step };
}

/** A whole axis. */
const all = null;

/** The shape of what an index names, and where its entries lie: numbers, slices and arrays of places, one for an axis. */
function located(shape, index) {
  const steps = stepsOf(shape);
  const isArray = (item) => item !== null && typeof item === "object" && "shape" in item;
  const arrays = index.some(isArray);
  const isPlace = (item) => isArray(item) || (arrays && typeof item === "number");
  const [lengths, distances, together] = [[], [], []];
  let start = 0;
  index.forEach((item, axis) => {
    if (isPlace(item)) {
      together.push(axis);
    } else if (typeof item === "number") {
      start += item * steps[axis];
    } else {
      const part = item ?? { start: 0, length: shape[axis], step: 1 };
      start += part.start * steps[axis];
      lengths.push(part.length);
      distances.push(part.step * steps[axis]);
    }
  });
  if (!arrays) return [lengths, places(lengths, distances, start)];
  const middle = common(together.map((axis) => shapeOf(index[axis])));
  const named = new Int32Array(count(middle));
  for (const axis of together) {
    dataOf(broadcast(index[axis], middle)).forEach((place, k) => {
      named[k] += (Math.round(place) + (place < 0 ? shape[axis] : 0)) * steps[axis];
    });
  }
  const isApart = together.at(-1) - together[0] + 1 !== together.length;
  const first = isApart ? 0 : together[0];
  const before = places(lengths.slice(0, first), distances.slice(0, first), start);
  const behind = places(lengths.slice(first), distances.slice(first));
  const found = new Int32Array(before.length * named.length * behind.length);
  let k = 0;
  for (const a of before) for (const b of named) for (const c of behind) found[k++] = a + b + c;
  return [[...lengths.slice(0, first), ...middle, ...lengths.slice(first)], found];
}

/** The entries that an index names. */
function take(x, index) {
  return gathered(x, ...located(shapeOf(x), index));
}

/** An array of a shape with values added where an index names places, and 0 elsewhere. */
function put(x, shape, index) {
  const [own, where] = located(shape, index);
  return scattered(broadcast(x, own), shape, where);
}

/** An array with values where an index names places. */
function replaced(x, values, index) {
  const [own, where] = located(shapeOf(x), index);
  const result = Float64Array.from(dataOf(x));
  const data = dataOf(broadcast(values, own));
  where.forEach((place, k) => (result[place] = data[k]));
  return made(shapeOf(x), result);
}

/** The order of the entries along axes reversed. */
function flip(x, axes) {
  const [shape, steps] = [shapeOf(x), stepsOf(shapeOf(x))];
  const gone = axes.map((axis) => (axis + shape.length) % shape.length);
  const start = sumOf(gone.map((axis) => steps[axis] * (shape[axis] - 1)));
  return gathered(x, shape, places(shape, steps.map((n, axis) => (gone.includes(axis) ? -n : n)), start));
}

/** Each entry moved on along axes; what leaves an end comes in at the other. */
function roll(x, shifts, axes) {
  const moved = (line, shift) => line.map((_, k) => line[(((k - shift) % line.length) + line.length) % line.length]);
  return axes.reduce((y, axis, k) => along(axis, (line) => moved(line, shifts[k]), y), x);
}

/** The places of the entries along an axis from the smallest to the largest. */
function argsort(x, axis) {
  return along(axis, (line) => [...line.keys()].sort((a, b) => line[a] - line[b]), x);
}

/** The entries at places along an axis. */
function takeAlong(x, where, axis) {
  return along(axis, (line, own) => own.map((place) => line[place]), x, where);
}

/** Zeros with values added at places along an axis of that length. */
function putAlong(x, where, axis, length) {
  return along(axis, (line, own) => {
    const result = new Float64Array(length);
    line.forEach((a, k) => (result[own[k]] += a));
    return result;
  }, x, where);
}

/** The shape of the windows of an array along axes, and where their entries lie: positions, and places inside at last. */
function windowed(shape, axes, lengths, strides, dilations) {
  const own = axes.map((axis) => (axis + shape.length) % shape.length);
  const near = stepsOf(shape);
  const [rows, steps] = [[...shape], [...near]];
  own.forEach((axis, k) => {
    rows[axis] = Math.floor((shape[axis] - (lengths[k] - 1) * dilations[k] - 1) / strides[k]) + 1;
    steps[axis] *= strides[k];
  });
  const whole = [...rows, ...lengths];
  return [whole, places(whole, [...steps, ...own.map((axis, k) => near[axis] * dilations[k])])];
}

/** The windows of an array along axes: these become positions, the places inside a window follow. */
function windows(x, axes, lengths, strides, dilations) {
  return gathered(x, ...windowed(shapeOf(x), axes, lengths, strides, dilations));
}

/** The array of a shape whose windows are given; what lies over each other is added. */
function overlapAdd(x, axes, lengths, strides, dilations, shape) {
  return scattered(x, shape, windowed(shape, axes, lengths, strides, dilations)[1]);
}

/** The convolution of two vectors. */
function convolve(a, b) {
  const [x, y] = [dataOf(a), dataOf(b)];
  const result = new Float64Array(x.length + y.length - 1);
  x.forEach((u, j) => y.forEach((v, k) => (result[j + k] += u * v)));
  return made([result.length], result);
}

/** The products of one vector with another at each place where this fits into it. */
function correlate(a, b) {
  const [x, y] = [dataOf(a), dataOf(b)];
  const result = new Float64Array(Math.abs(x.length - y.length) + 1);
  const [long, short] = x.length >= y.length ? [x, y] : [y, x];
  for (let k = 0; k < result.length; k++) short.forEach((u, j) => (result[k] += u * long[k + j]));
  return made([result.length], x.length >= y.length ? result : result.reverse());
}

/** What a function makes of each matrix, which is a list of rows: such a list, or a number. */
function eachMatrix(f, ...operands) {
  const lead = shapeOf(operands[0]).slice(0, -2);
  const lists = operands.map((x) => {
    const [n, m] = shapeOf(x).slice(-2);
    const data = dataOf(x);
    return Array.from({ length: count(lead) }, (_, b) =>
      Array.from({ length: n }, (_, row) => [...data.slice((b * n + row) * m, (b * n + row + 1) * m)]),
    );
  });
  const results = Array.from({ length: count(lead) }, (_, b) => f(...lists.map((list) => list[b])));
  const shape = Array.isArray(results[0]) ? [results[0].length, results[0][0].length] : [];
  return made([...lead, ...shape], Float64Array.from(results.flat(2)));
}

/** A matrix with entries where a condition on row and column holds, and 0 elsewhere. */
function kept(x, condition) {
  return eachMatrix((a) => a.map((row, i) => row.map((value, j) => (condition(i, j) ? value : 0))), x);
}

/** The lower triangle of a matrix. */
function tril(x, k = 0) {
  return kept(x, (i, j) => j <= i + k);
}

/** The upper triangle of a matrix. */
function triu(x, k = 0) {
  return kept(x, (i, j) => j >= i + k);
}

/** The lower triangle of a matrix with its diagonal halved. */
function halfTriangle(x) {
  return eachMatrix((a) => a.map((row, i) => row.map((value, j) => (j < i ? value : j === i ? value / 2 : 0))), x);
}

/** The sum of the diagonal of a matrix. */
function trace(x) {
  return eachMatrix((a) => sumOf(a.map((row, i) => row[i] ?? 0)), x);
}

/** The identity matrix times a number, or one for each of many. */
function scaledIdentity(x, rows, columns) {
  const lead = shapeOf(x);
  const ones = gathered(x, [...lead, rows, columns], places([...lead, rows, columns], [...stepsOf(lead), 0, 0]));
  return kept(ones, (i, j) => i === j);
}

/** The matrix that has a vector on its diagonal. */
function diag(x) {
  const n = shapeOf(x).at(-1);
  return kept(broadcast(reshape(x, [...shapeOf(x), 1]), [...shapeOf(x), n]), (i, j) => i === j);
}

/** The diagonal of a matrix. */
function diagonal(x) {
  const [n, m] = shapeOf(x).slice(-2);
  const shape = [...shapeOf(x).slice(0, -2), Math.min(n, m)];
  return gathered(x, shape, places(shape, [...stepsOf(shapeOf(x)).slice(0, -2), m + 1]));
}

/** Each row of a matrix times the entry of a vector. */
function diagTimes(v, x) {
  return mul(reshape(v, [...shapeOf(v), 1]), x);
}

/** The matrix of 1/(w[k] - w[j]), with 0 on its diagonal. */
function reciprocalGaps(w) {
  const row = reshape(w, [...shapeOf(w).slice(0, -1), 1, shapeOf(w).at(-1)]);
  const gaps = sub(row, reshape(w, [...shapeOf(w), 1]));
  return eachMatrix((a) => a.map((line, i) => line.map((gap, j) => (i === j ? 0 : 1 / gap))), gaps);
}

/** A matrix and right sides after elimination with the largest pivots, and the sign that exchanging rows leaves. */
function eliminated(a, b) {
  let sign = 1;
  for (let k = 0; k < a.length; k++) {
    let best = k;
    for (let i = k + 1; i < a.length; i++) if (Math.abs(a[i][k]) > Math.abs(a[best][k])) best = i;
    if (best !== k) {
      [a[k], a[best], b[k], b[best]] = [a[best], a[k], b[best], b[k]];
      sign = -sign;
    }
    for (let i = k + 1; i < a.length; i++) {
      const factor = a[k][k] === 0 ? 0 : a[i][k] / a[k][k];
      a[i] = a[i].map((value, j) => value - factor * a[k][j]);
      b[i] = b[i].map((value, j) => value - factor * b[k][j]);
    }
  }
  return [a, b, sign];
}

/** The matrix X with A X = B. */
function solve(a, b) {
  return eachMatrix((given, right) => {
    const [upper, x] = eliminated(given, right);
    for (let i = upper.length - 1; i >= 0; i--) {
      for (let k = i + 1; k < upper.length; k++) x[i] = x[i].map((value, j) => value - upper[i][k] * x[k][j]);
      x[i] = x[i].map((value) => value / upper[i][i]);
    }
    return x;
  }, a, b);
}

/** The vector x with A x = b. */
function solvevec(a, b) {
  return reshape(solve(a, reshape(b, [...shapeOf(b), 1])), shapeOf(b));
}

/** The inverse of a matrix. */
function inv(a) {
  return solve(a, kept(broadcast(1, shapeOf(a)), (i, j) => i === j));
}

/** The determinant of a matrix. */
function det(a) {
  return eachMatrix((given) => {
    const [upper, , sign] = eliminated(given, given.map(() => []));
    return upper.reduce((product, row, k) => product * row[k], sign);
  }, a);
}

/** The logarithm of the size of the determinant of a matrix. */
function logabsdet(a) {
  return eachMatrix((given) => {
    const [upper] = eliminated(given, given.map(() => []));
    return sumOf(upper.map((row, k) => Math.log(Math.abs(row[k]))));
  }, a);
}

/** The lower triangle L with L Lᵀ = A. */
function cholesky(a) {
  return eachMatrix((given) => {
    const lower = given.map((row) => row.map(() => 0));
    for (let i = 0; i < given.length; i++) {
      for (let j = 0; j <= i; j++) {
        const rest = given[i][j] - sumOf(lower[j].slice(0, j).map((value, k) => value * lower[i][k]));
        lower[i][j] = i === j ? Math.sqrt(rest) : rest / lower[j][j];
      }
    }
    return lower;
  }, a);
}

/** 1/(1 + exp(-z)) of a number, without overflow. */
function sigmoidOf(z) {
  const small = Math.exp(-Math.abs(z));
  return (z < 0 ? small : 1) / (1 + small);
}

/** log(1 + exp(z)) of a number, without overflow. */
function softplusOf(z) {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}

/** x log(y) of numbers, 0 where x is 0. */
function xlogyOf(x, y) {
  return x === 0 && !Number.isNaN(y) ? 0 : x * Math.log(y);
}

/** The error function of a number: a series of positive terms, and beyond 2 what erfc leaves of 1. */
function erfOf(z) {
  if (Math.abs(z) > 2) return Math.sign(z) * (1 - erfcOf(Math.abs(z)));
  let term = z;
  let total = z;
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(total); k++) {
    term *= (2 * z * z) / (2 * k + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * total;
}

/** 1 - erf of a number: beyond 2 by a continued fraction. */
function erfcOf(z) {
  if (!(z > 2)) return 1 - erfOf(z);
  let rest = z;
  for (let k = 120; k > 0; k--) rest = z + k / 2 / rest;
  return Math.exp(-z * z) / (rest * Math.sqrt(Math.PI));
}

/** The share of the normal distribution below a number. */
function ndtrOf(z) {
  return erfcOf(-z / Math.SQRT2) / 2;
}
