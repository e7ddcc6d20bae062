"""Recurrent layers: outputs of all steps, then the last states."""

import torch
from torch.func import functional_call
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from case import Case, normal, real, stable_rule, whole

STEPS, BATCH, INPUTS, WIDTH = 9, 4, 5, 7


def weights(gates, inputs=INPUTS, more=()):
    """W [inputs, gates * width], U [width, gates * width], b, as Hekla's cells have them."""
    return [
        real(inputs, gates * WIDTH, low=-0.6, high=0.6), real(WIDTH, gates * WIDTH, low=-0.6, high=0.6),
        real(gates * WIDTH), *more]


def named(parameters, suffix="", extra=0):
    """The parameters of one direction by PyTorch's names; of its two shifts the second is the candidate's, or 0."""
    w, u, b = parameters[:3]
    second = torch.zeros_like(b)
    if extra:
        second = torch.cat([second[: 2 * WIDTH], parameters[3]])
    return {
        f"weight_ih_l0{suffix}": w.T, f"weight_hh_l0{suffix}": u.T, f"bias_ih_l0{suffix}": b,
        f"bias_hh_l0{suffix}": second}


def run(make, x, parameters, lengths=None):
    module = make().to(x.dtype)
    given = x if lengths is None else pack_padded_sequence(x, lengths.long(), enforce_sorted=False)
    outputs, state = functional_call(module, parameters, (given,))
    if lengths is not None:
        outputs = pad_packed_sequence(outputs, total_length=STEPS)[0]
    states = state if isinstance(state, tuple) else (state,)
    return outputs, *[direction for s in states for direction in s]


def layer(name, make, gates, extra=0, has_lengths=False):
    def body(x, *rest):
        lengths, parameters = (rest[0], rest[1:]) if has_lengths else (None, rest)
        return run(make, x, named(parameters, extra=extra), lengths)

    more = [real(WIDTH)] if extra else []
    lengths = [whole(BATCH, low=1, high=STEPS + 1)] if has_lengths else []
    inputs = [normal(STEPS, BATCH, INPUTS), *lengths, *weights(gates, more=more)]
    return Case(name, "recurrent", stable_rule(STEPS * (INPUTS + WIDTH)), inputs, body)


def elman(nonlinearity="tanh"):
    return lambda: torch.nn.RNN(INPUTS, WIDTH, nonlinearity=nonlinearity)


def lstm():
    return torch.nn.LSTM(INPUTS, WIDTH)


def gru(bidirectional=False):
    return torch.nn.GRU(INPUTS, WIDTH, bidirectional=bidirectional)


def both_ways(x, lengths, *parameters):
    ahead, back = named(parameters[:4], extra=1), named(parameters[4:], "_reverse", extra=1)
    return run(lambda: gru(bidirectional=True), x, {**ahead, **back}, lengths)


def backward_lstm(x, *parameters):
    outputs, *states = run(lstm, x.flip(0), named(parameters))
    return outputs.flip(0), *states


RULE = stable_rule(STEPS * (INPUTS + WIDTH))
SEQUENCE = normal(STEPS, BATCH, INPUTS)

CASES = [
    layer("elman", elman(), 1),
    layer("elman-relu", elman("relu"), 1),
    layer("gru", gru, 3, extra=1),
    layer("gru-lengths", gru, 3, extra=1, has_lengths=True),
    layer("lstm", lstm, 4),
    layer("lstm-lengths", lstm, 4, has_lengths=True),
    # The same gradient whatever is kept for it.
    layer("lstm-states-kept", lstm, 4),
    layer("lstm-every-fourth-kept", lstm, 4),
    Case("lstm-reversed", "recurrent", RULE, [SEQUENCE, *weights(4)], backward_lstm),
    Case(
        "gru-bidirectional-lengths", "recurrent", RULE,
        [SEQUENCE, whole(BATCH, low=1, high=STEPS + 1), *weights(3, more=[real(WIDTH)]),
         *weights(3, more=[real(WIDTH)])],
        both_ways),
]
