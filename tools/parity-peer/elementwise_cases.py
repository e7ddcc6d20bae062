"""Functions of single elements, activations, and everything where nothing is rounded."""

import math

import torch
import torch.nn.functional as F

from case import (
    EXACT, Case, function_rule, given, levels, normal, real, saturating_rule, spread, stable_rule, sum_rule, truth,
    whole)

POINTWISE = function_rule()
SATURATING = saturating_rule()


def function(name, inputs, body, rule=POINTWISE, family="functions", **more):
    return Case(name, family, rule, inputs, body, **more)


def exact(name, inputs, body, **more):
    return Case(name, "exact", EXACT, inputs, body, **more)


def chosen(name, inputs, body):
    """Without a gradient."""
    return exact(name, inputs, body, has_gradient=False)


def complex_product(x, y):
    return torch.view_as_real(torch.view_as_complex(x) * torch.view_as_complex(y))


SHAPE = (7, 93)

CASES = [
    function("exp", [real(*SHAPE, low=-4, high=4)], torch.exp),
    function("exp-wide", [real(*SHAPE, low=-80, high=80)], torch.exp),
    function("expm1", [real(*SHAPE, low=-4, high=4)], torch.expm1),
    function("expm1-small", [real(*SHAPE, low=-1e-4, high=1e-4)], torch.expm1),
    function("log", [real(*SHAPE, low=0.1, high=4)], torch.log),
    function("log-wide", [spread(*SHAPE, low=1e-30, high=1e30)], torch.log),
    function("log1p", [real(*SHAPE, low=-0.9, high=4)], torch.log1p),
    function("log1p-small", [real(*SHAPE, low=-1e-4, high=1e-4)], torch.log1p),
    function("sqrt", [spread(*SHAPE, low=1e-6, high=1e6)], torch.sqrt),
    function("rsqrt", [spread(*SHAPE, low=1e-6, high=1e6)], torch.rsqrt),
    function("sin", [real(*SHAPE, low=-10, high=10)], torch.sin),
    function("cos", [real(*SHAPE, low=-10, high=10)], torch.cos),
    function("tan", [real(*SHAPE, low=-1.4, high=1.4)], torch.tan),
    function("asin", [real(*SHAPE, low=-0.99, high=0.99)], torch.asin),
    function("acos", [real(*SHAPE, low=-0.99, high=0.99)], torch.acos),
    function("atan", [real(*SHAPE, low=-5, high=5)], torch.atan),
    function("sinh", [real(*SHAPE, low=-5, high=5)], torch.sinh),
    function("cosh", [real(*SHAPE, low=-5, high=5)], torch.cosh),
    function("tanh", [real(*SHAPE, low=-5, high=5)], torch.tanh, SATURATING),
    function("tanh-small", [real(*SHAPE, low=-1e-3, high=1e-3)], torch.tanh),
    function("square", [real(*SHAPE, low=-5, high=5)], torch.square),
    function("reciprocal", [real(*SHAPE, low=0.1, high=5)], torch.reciprocal),
    function("power-number", [real(*SHAPE, low=0.1, high=5)], lambda x: x**2.5),
    function("power", [real(*SHAPE, low=0.1, high=5), real(*SHAPE, low=-3, high=3)], torch.pow),
    function("add-broadcast", [real(4, 1, 5), real(3, 1)], torch.add, sum_rule(12)),
    function("subtract-broadcast", [real(4, 1, 5), real(3, 1)], torch.sub, stable_rule(20)),
    function("multiply-broadcast", [real(4, 1, 5), real(3, 1)], torch.mul, sum_rule(20)),
    function("divide-broadcast", [real(4, 1, 5), real(3, 1, low=0.5, high=2)], torch.div, stable_rule(20)),
    function("atan2", [real(*SHAPE), real(*SHAPE)], torch.atan2),
    function("logaddexp", [real(*SHAPE, low=-9, high=9), real(*SHAPE, low=-9, high=9)], torch.logaddexp),
    function("fmod", [real(*SHAPE, low=-9, high=9), real(*SHAPE, low=0.5, high=2)], torch.fmod),
    function("remainder", [real(*SHAPE, low=-9, high=9), real(*SHAPE, low=0.5, high=2)], torch.remainder),
    function("complex-product", [real(9, 7, 2), real(9, 7, 2)], complex_product, stable_rule(2)),
    function("erf", [real(*SHAPE, low=-4, high=4)], torch.erf, family="special functions"),
    function("erfc", [real(*SHAPE, low=-4, high=9)], torch.erfc, family="special functions"),
    function("erfinv", [real(*SHAPE, low=-0.999, high=0.999)], torch.erfinv, family="special functions"),
    # torch.special.ndtr loses the small values, in float64 too: it gives 0 at -8.4.
    function(
        "ndtr",
        [real(*SHAPE, low=-9, high=4)], lambda x: 0.5 * torch.erfc(x * -(0.5**0.5)), family="special functions"),
    # The gradient comes from the value y, whose rounding exp(y^2 / 2) magnifies y^2 times: none far out.
    function("ndtri", [real(*SHAPE, low=0.01, high=0.99)], torch.special.ndtri, family="special functions"),
    function(
        "ndtri-small", [spread(*SHAPE, low=1e-30, high=0.01)], torch.special.ndtri, family="special functions",
        has_gradient=False),
    function("lgamma", [spread(*SHAPE, low=0.01, high=40)], torch.lgamma, family="special functions"),
    # The reflection formula subtracts logarithms, which are off by roundoffs of their own.
    function("lgamma-negative", [real(*SHAPE, low=-4.9, high=-0.1)], torch.lgamma, SATURATING, "special functions"),
    function("digamma", [spread(*SHAPE, low=0.01, high=40)], torch.digamma, family="special functions"),
    function(
        "trigamma", [spread(*SHAPE, low=0.01, high=40)], lambda x: torch.special.polygamma(1, x),
        family="special functions"),

    function("sigmoid", [real(*SHAPE, low=-20, high=20)], torch.sigmoid, SATURATING, "activations"),
    function("log-sigmoid", [real(*SHAPE, low=-20, high=20)], F.logsigmoid, family="activations"),
    function("softplus", [real(*SHAPE, low=-20, high=60)], F.softplus, family="activations"),
    function("leaky-relu", [real(*SHAPE)], lambda x: F.leaky_relu(x, 0.2), family="activations"),
    function("elu", [real(*SHAPE, low=-6, high=3)], lambda x: F.elu(x, 1.5), SATURATING, "activations"),
    function("silu", [real(*SHAPE, low=-9, high=9)], F.silu, SATURATING, "activations"),
    # Beyond 3 the slope of the tanh's argument magnifies what its derivative is off by more than tenfold.
    function(
        "gelu-tanh", [real(*SHAPE, low=-3, high=3)], lambda x: F.gelu(x, approximate="tanh"), SATURATING,
        "activations"),
    function("gelu-erf", [real(*SHAPE, low=-5, high=5)], F.gelu, SATURATING, "activations"),
    function(
        "softmax-last", [real(6, 129, low=-5, high=5)], lambda x: F.softmax(x, -1),
        stable_rule(129), "activations"),
    function(
        "softmax-middle", [real(3, 17, 4, low=-9, high=9)], lambda x: F.softmax(x, 1),
        stable_rule(17), "activations"),
    function(
        "log-softmax", [real(6, 129, low=-5, high=5)], lambda x: F.log_softmax(x, -1),
        stable_rule(129), "activations"),
    function(
        "log-softmax-shifted", [real(19, 4, low=990, high=1010)], lambda x: F.log_softmax(x, 0), stable_rule(19),
        "activations"),

    exact("relu", [real(*SHAPE)], F.relu),
    exact("hardtanh", [real(*SHAPE, low=-2, high=2)], F.hardtanh),
    exact("absolute", [real(*SHAPE)], torch.abs),
    exact("maximum-of-two", [real(*SHAPE), real(*SHAPE)], torch.maximum),
    exact("minimum-of-two", [real(*SHAPE), real(*SHAPE)], torch.minimum),
    exact("clamp", [real(*SHAPE)], lambda x: torch.clamp(x, -0.25, 0.5)),
    exact("where", [truth(5, 7), real(5, 7), real(5, 7)], torch.where),
    exact("masked-fill", [real(5, 7), truth(5, 7)], lambda x, mask: x.masked_fill(mask, -2)),
    chosen("less", [levels(9, 9, count=4), levels(9, 9, count=4)], torch.lt),
    chosen("less-equal", [levels(9, 9, count=4), levels(9, 9, count=4)], torch.le),
    chosen("greater", [levels(9, 9, count=4), levels(9, 9, count=4)], torch.gt),
    chosen("greater-equal", [whole(9, 9, high=4), whole(9, 9, high=4)], torch.ge),
    chosen("equal", [whole(9, 9, high=4), whole(9, 9, high=4)], torch.eq),
    chosen("not-equal", [levels(9, 9, count=4), levels(9, 9, count=4)], torch.ne),
    chosen("is-nan", [given(0, math.nan, math.inf, -math.inf, 1)], torch.isnan),
    chosen("is-finite", [given(0, math.nan, math.inf, -math.inf, 1)], torch.isfinite),
    chosen("floor", [real(*SHAPE, low=-9, high=9)], torch.floor),
    chosen("ceil", [real(*SHAPE, low=-9, high=9)], torch.ceil),
    # With halves, which go to even numbers.
    chosen("round", [levels(*SHAPE, count=40, low=-20).then(lambda x: x / 4)], torch.round),
    chosen("sign", [levels(*SHAPE, count=5, low=-2)], torch.sign),
    chosen("logical", [truth(9, 9), truth(9, 9)], lambda x, y: (x & y) | ~x),
    chosen("any", [truth(30, 3, share=0.3)], lambda x: x.any(1)),
    chosen("all", [truth(2, 30, share=0.7)], lambda x: x.all(0)),
    chosen("count-nonzero", [levels(9, 20, count=3)], lambda x: x.count_nonzero(1)),
    chosen("cast-int32", [real(*SHAPE, low=-1000, high=1000)], lambda x: x.to(torch.int32)),
    chosen("cast-uint8", [real(*SHAPE, low=0, high=255)], lambda x: x.to(torch.uint8)),
    chosen("cast-bool", [levels(*SHAPE, count=3, low=-1)], lambda x: x.to(torch.bool)),
    # Whole numbers of up to 31 bits round to float32 in one way.
    chosen("cast-float32", [whole(*SHAPE, low=-(2**31), high=2**31)], lambda x: x.to(torch.float32)),
    chosen("cast-float16", [normal(*SHAPE, deviation=100)], lambda x: x.to(torch.float16)),
    chosen("cast-bfloat16", [normal(*SHAPE, deviation=100)], lambda x: x.to(torch.bfloat16)),
    chosen("int-add-multiply", [whole(9, 9, low=-99, high=99), whole(9, 9, low=-99, high=99)], lambda x, y: x + y * x),
    chosen(
        "int-divide", [whole(9, 9, low=-99, high=99), whole(9, 9, low=1, high=9)],
        lambda x, y: torch.div(x, y, rounding_mode="trunc")),
    chosen("bit-and", [whole(9, 9, low=-999, high=999), whole(9, 9, low=-999, high=999)], torch.bitwise_and),
    chosen("bit-or", [whole(9, 9, low=-999, high=999), whole(9, 9, low=-999, high=999)], torch.bitwise_or),
    chosen("bit-xor", [whole(9, 9, low=-999, high=999), whole(9, 9, low=-999, high=999)], torch.bitwise_xor),
    chosen("shift-left", [whole(9, 9, low=-999, high=999)], lambda x: x << 3),
    chosen("shift-right", [whole(9, 9, low=-999, high=999)], lambda x: x >> 2),
]
