import numpy as np


def softmax(s):
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def layer_norm(x, g, b, eps=1e-5):
    mu = x.mean(axis=-1, keepdims=True)
    xc = x - mu
    var = (xc**2).mean(axis=-1, keepdims=True)
    inv = 1 / np.sqrt(var + eps)
    xhat = xc * inv
    return g * xhat + b, (xhat, inv, g)


def layer_norm_backward(dout, cache):
    xhat, inv, g = cache
    dg = (dout * xhat).sum(axis=0)
    db = dout.sum(axis=0)
    dxhat = dout * g
    mean1 = dxhat.mean(axis=-1, keepdims=True)
    mean2 = (dxhat * xhat).mean(axis=-1, keepdims=True)
    dx = inv * (dxhat - mean1 - xhat * mean2)
    return dx, dg, db


def forward(X, Y, params):
    T, D = X.shape
    heads = 2
    dk = D // heads
    q, k, v = X @ params["Wq"], X @ params["Wk"], X @ params["Wv"]
    mask = np.triu(np.ones((T, T)), 1) * -1e9
    outs, atts = [], []
    for h in range(heads):
        s = slice(h * dk, (h + 1) * dk)
        scores = q[:, s] @ k[:, s].T / np.sqrt(dk) + mask
        a = softmax(scores)
        outs.append(a @ v[:, s])
        atts.append(a)
    concat = np.concatenate(outs, axis=1)
    res = X + concat @ params["Wo"]
    n, ln = layer_norm(res, params["g"], params["b"])
    pre = n @ params["W1"] + params["b1"]
    hid = np.maximum(pre, 0)
    out = n + hid @ params["W2"] + params["b2"]
    diff = out - Y
    loss = 0.5 * (diff**2).sum() / T
    return loss, (q, k, v, atts, concat, n, ln, pre, hid, diff)


def backward(X, params, cache):
    q, k, v, atts, concat, n, ln, pre, hid, diff = cache
    T, D = X.shape
    dk = D // len(atts)
    grads = {}
    dout = diff / T
    grads["W2"] = hid.T @ dout
    grads["b2"] = dout.sum(axis=0)
    dhid = dout @ params["W2"].T
    dpre = dhid * (pre > 0)
    grads["W1"] = n.T @ dpre
    grads["b1"] = dpre.sum(axis=0)
    dn = dout + dpre @ params["W1"].T
    dres, grads["g"], grads["b"] = layer_norm_backward(dn, ln)
    grads["Wo"] = concat.T @ dres
    dconcat = dres @ params["Wo"].T
    dq, dkk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    for h, a in enumerate(atts):
        s = slice(h * dk, (h + 1) * dk)
        do = dconcat[:, s]
        dv[:, s] = a.T @ do
        da = do @ v[:, s].T
        ds = a * (da - (da * a).sum(axis=-1, keepdims=True))
        ds /= np.sqrt(dk)
        dq[:, s] = ds @ k[:, s]
        dkk[:, s] = ds.T @ q[:, s]
    grads["Wq"] = X.T @ dq
    grads["Wk"] = X.T @ dkk
    grads["Wv"] = X.T @ dv
    return grads


def arguments(rng):
    D, H = 4, 5
    params = {n: rng.normal(size=(D, D)) for n in ("Wq", "Wk", "Wv", "Wo")}
    params |= {
        "g": 1 + rng.normal(size=D),
        "b": rng.normal(size=D),
        "W1": rng.normal(size=(D, H)),
        "b1": rng.normal(size=H),
    }
    params |= {"W2": rng.normal(size=(H, D)), "b2": rng.normal(size=D)}
    return {"X": rng.normal(size=(3, D)), "Y": rng.normal(size=(3, D)), "params": params}
