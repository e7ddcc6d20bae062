"""Attention, normalizations, losses and optimizers."""

import numpy
import torch
import torch.nn.functional as F

from case import (
    Case, distribution, fixed, function_rule, levels, normal, real, stable_rule, steps_rule, sum_rule,
    together_rule, truth, whole)


def attention(name, queries, keys, width=None, more=(), body=None, **options):
    """Shapes are [batch, heads, length, size]."""
    values = keys[:-1] + (width or keys[-1],)
    inputs = [normal(*queries), normal(*keys), normal(*values), *more]
    terms = max(queries[-2], keys[-2], queries[-1], values[-1])
    grouped = queries[1] != keys[1]
    plain = lambda *x: F.scaled_dot_product_attention(*x[:3], enable_gqa=grouped, **options)
    return Case(name, "attention", stable_rule(terms), inputs, body or plain)


def masked(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, mask)


def first_key_readable(mask):
    mask[..., 0] = True
    return mask


def with_blind_row(mask):
    first_key_readable(mask)[3] = False
    return mask


def with_lengths_causal(q, k, v, lengths):
    positions = torch.arange(k.shape[-2])
    present = positions < lengths[:, None, None, None]
    return F.scaled_dot_product_attention(q, k, v, present & (positions <= torch.arange(q.shape[-2])[:, None]))


def multi_head_attention(x, *parameters):
    """Weights are [inputs, outputs], as Hekla's are."""
    pairs = list(zip(parameters[::2], parameters[1::2]))
    heads = [(x @ w + b).unflatten(-1, (4, 6)).transpose(-3, -2) for w, b in pairs[:3]]
    read = F.scaled_dot_product_attention(*heads).transpose(-3, -2).flatten(-2)
    return read @ pairs[3][0] + pairs[3][1]


def layer(name, rule, inputs, body, **more):
    return Case(name, "layers", rule, inputs, body, **more)


def running_statistics(x, scale, shift):
    mean, variance = torch.zeros(5, dtype=x.dtype), torch.ones(5, dtype=x.dtype)
    F.batch_norm(x, mean, variance, scale, shift, training=True, momentum=0.1)
    return mean, variance


def bags(mode):
    def body(symbols, bags, weight):
        offsets = torch.searchsorted(bags, torch.arange(5))
        return F.embedding_bag(symbols, weight, offsets, mode=mode)
    return body


def rotary(x):
    """Halves in place of even and odd columns."""
    count, half = x.shape[-2], x.shape[-1] // 2
    frequencies = 10_000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
    angles = (torch.arange(count, dtype=torch.float64)[:, None] * frequencies).to(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], -1)


def loss(name, terms, inputs, body, **more):
    return Case(name, "losses", stable_rule(terms), inputs, body, **more)


def ignoring(labels):
    labels[::3] = -100
    return labels


def signs(*shape):
    return fixed(levels(*shape, count=2).then(lambda x: 2 * x - 1))


LOGITS = normal(20, 7, deviation=3)
LABELS = whole(20, high=7)


def optimizer(name, make):
    def body(start, gradients):
        parameter = torch.nn.Parameter(start.clone())
        rule = make([parameter])
        for gradient in gradients:
            parameter.grad = gradient.clone()
            rule.step()
        return parameter.detach()
    return Case(
        name, "optimizers", steps_rule(10), [fixed(normal(50)), fixed(normal(10, 50))], body, has_gradient=False)


CASES = [
    *(attention(f"attention-{size}", (2, 2, 37, size), (2, 2, 37, size)) for size in (16, 64, 80, 128, 256)),
    attention("attention-causal", (2, 2, 37, 16), (2, 2, 37, 16), is_causal=True),
    attention("attention-causal-longer-keys", (2, 2, 9, 16), (2, 2, 21, 16), is_causal=True),
    attention("attention-cross", (2, 2, 13, 32), (2, 2, 70, 32)),
    attention("attention-grouped", (2, 6, 19, 16), (2, 2, 19, 16), is_causal=True),
    attention("attention-multi-query", (2, 4, 11, 16), (2, 1, 23, 16)),
    attention("attention-value-width", (1, 2, 11, 16), (1, 2, 23, 16), width=40),
    attention("attention-odd-width", (1, 2, 11, 13), (1, 2, 23, 13), width=7),
    attention("attention-scale", (1, 2, 11, 16), (1, 2, 23, 16), scale=0.5),
    attention(
        "attention-bool-mask", (2, 2, 11, 16), (2, 2, 23, 16), more=[truth(11, 23).then(with_blind_row)],
        body=masked),
    attention("attention-additive-mask", (2, 3, 11, 16), (2, 3, 23, 16), more=[normal(3, 11, 23)], body=masked),
    attention(
        "attention-key-padding", (2, 2, 11, 16), (2, 2, 23, 16), more=[truth(2, 23).then(first_key_readable)],
        body=lambda q, k, v, present: masked(q, k, v, present[:, None, None])),
    attention(
        "attention-lengths-causal", (3, 2, 17, 16), (3, 2, 17, 16), more=[whole(3, low=1, high=17)],
        body=with_lengths_causal),
    Case(
        "multi-head-attention", "attention", together_rule(24),
        [normal(2, 9, 24), *[real(*shape, low=-0.3, high=0.3) for _ in range(4) for shape in ((24, 24), (24,))]],
        multi_head_attention),

    layer("linear", sum_rule(33), [real(2, 9, 33), real(33, 17), real(17)], lambda x, w, b: x @ w + b),
    layer(
        "layer-norm", stable_rule(65),
        [normal(6, 65), real(65), real(65)], lambda x, w, b: F.layer_norm(x, (65,), w, b)),
    layer(
        "layer-norm-shifted", stable_rule(65), [normal(6, 65, mean=10), real(65), real(65)],
        lambda x, w, b: F.layer_norm(x, (65,), w, b)),
    layer("rms-norm", stable_rule(40), [normal(6, 40), real(40)], lambda x, w: F.rms_norm(x, (40,), w, 1e-6)),
    layer(
        "group-norm", stable_rule(60),
        [normal(2, 6, 5, 6), real(6), real(6)], lambda x, w, b: F.group_norm(x, 3, w, b)),
    layer(
        "instance-norm", stable_rule(60), [normal(2, 4, 5, 6), real(4), real(4)],
        lambda x, w, b: F.instance_norm(x, weight=w, bias=b)),
    layer(
        "batch-norm-training", stable_rule(84), [normal(3, 5, 4, 7), real(5), real(5)],
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True)),
    layer(
        "batch-norm-running", stable_rule(84), [normal(3, 5, 4, 7), real(5), real(5)], running_statistics,
        has_gradient=False),
    layer(
        "batch-norm-evaluation", stable_rule(84),
        [normal(3, 5, 4, 7), fixed(real(5)), fixed(real(5, low=0.5, high=2)), real(5), real(5)],
        lambda x, mean, variance, w, b: F.batch_norm(x, mean, variance, w, b)),
    layer("embedding", sum_rule(28), [whole(4, 7, high=11), real(11, 6)], F.embedding),
    layer(
        "embedding-bag-sum", sum_rule(30), [whole(30, high=11), whole(30, high=5).then(numpy.sort), real(11, 6)],
        bags("sum")),
    layer(
        "embedding-bag-mean", sum_rule(30), [whole(30, high=11), whole(30, high=5).then(numpy.sort), real(11, 6)],
        bags("mean")),
    layer("rotary-positions", stable_rule(2), [normal(2, 3, 17, 8)], rotary),

    loss("cross-entropy", 20, [LOGITS, LABELS], F.cross_entropy),
    loss("cross-entropy-none", 7, [LOGITS, LABELS], lambda x, y: F.cross_entropy(x, y, reduction="none")),
    loss("cross-entropy-sum", 20, [LOGITS, LABELS], lambda x, y: F.cross_entropy(x, y, reduction="sum")),
    loss("cross-entropy-smoothing", 20, [LOGITS, LABELS], lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1)),
    loss("cross-entropy-ignore", 20, [LOGITS, LABELS.then(ignoring)], F.cross_entropy),
    loss(
        "cross-entropy-ignore-smoothing", 20, [LOGITS, LABELS],
        lambda x, y: F.cross_entropy(x, y, ignore_index=3, label_smoothing=0.2)),
    loss("cross-entropy-soft", 20, [LOGITS, distribution(20, 7)], F.cross_entropy),
    loss(
        "cross-entropy-class-weights", 20, [LOGITS, LABELS, fixed(real(7, low=0.1, high=2))],
        lambda x, y, w: F.cross_entropy(x, y, w)),
    loss("nll", 20, [LOGITS, LABELS], lambda x, y: F.nll_loss(F.log_softmax(x, -1), y)),
    loss(
        "bce-logits", 60, [normal(6, 10, deviation=4), real(6, 10, low=0)], F.binary_cross_entropy_with_logits),
    Case(
        "bce-logits-none", "losses", function_rule(), [normal(6, 10, deviation=4), real(6, 10, low=0)],
        lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none")),
    loss("mse", 60, [normal(6, 10), normal(6, 10)], F.mse_loss),
    loss("l1-loss", 60, [normal(6, 10), normal(6, 10)], F.l1_loss),
    loss("huber", 60, [normal(6, 10), normal(6, 10)], lambda x, y: F.huber_loss(x, y, delta=0.5)),
    loss("smooth-l1", 60, [normal(6, 10), normal(6, 10)], lambda x, y: F.smooth_l1_loss(x, y, beta=0.5)),
    loss(
        "log-cosh", 1, [normal(6, 10, deviation=3), normal(6, 10, deviation=3)],
        lambda x, y: torch.logaddexp(x - y, y - x) - torch.log(torch.tensor(2.0, dtype=x.dtype))),
    loss("hinge", 30, [normal(30), signs(30)], lambda x, y: (1 - y * x).clamp(min=0).mean()),
    # Hekla's mean is that over rows, which PyTorch calls batchmean; its "mean" also divides by the classes.
    loss(
        "kl-divergence", 42, [normal(6, 7, mean=-2), distribution(6, 7)],
        lambda q, p: F.kl_div(q, p, reduction="batchmean")),
    loss(
        "cosine-loss", 12, [normal(9, 12), normal(9, 12), truth(9)],
        lambda x, y, same: F.cosine_embedding_loss(x, y, 2 * same.to(x.dtype) - 1, margin=0.2)),
    # PyTorch adds 1e-6 to each difference unless told not to.
    loss(
        "triplet", 12, [normal(9, 12), normal(9, 12), normal(9, 12)],
        lambda a, p, n: F.triplet_margin_loss(a, p, n, eps=0)),
    Case(
        "accuracy", "losses", sum_rule(1), [fixed(LOGITS), LABELS],
        lambda x, y: (x.argmax(-1) == y).to(x.dtype).mean(), has_gradient=False),

    optimizer("sgd", lambda p: torch.optim.SGD(p, lr=0.1)),
    optimizer("sgd-momentum", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    optimizer("sgd-nesterov", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)),
    optimizer("adam", lambda p: torch.optim.Adam(p, lr=0.01)),
    optimizer("adam-decay", lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.8, 0.99), weight_decay=0.1)),
    optimizer("adamw", lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1)),
    optimizer("rmsprop", lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9)),
    optimizer("rmsprop-momentum", lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.9)),
    optimizer("adagrad", lambda p: torch.optim.Adagrad(p, lr=0.1)),
]
