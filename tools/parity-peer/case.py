"""What a case is: its inputs, the function in PyTorch, and how far Hekla's float32 may lie from its float64."""

import dataclasses
import typing

import numpy


@dataclasses.dataclass(frozen=True)
class Input:
    """One array that both sides get. Gradients are asked of arguments and not of constants."""

    make: typing.Callable[[numpy.random.Generator], numpy.ndarray]
    is_constant: bool = False

    def then(self, change):
        """This input with `change` made to its array."""
        return dataclasses.replace(self, make=lambda random: change(self.make(random)))


def real(*shape, low=-1.0, high=1.0):
    """Numbers drawn evenly from an interval, rounded to float32."""
    return Input(lambda random: random.uniform(low, high, shape).astype(numpy.float32))


def normal(*shape, mean=0.0, deviation=1.0):
    """Normal numbers, rounded to float32."""
    return Input(lambda random: random.normal(mean, deviation, shape).astype(numpy.float32))


def spread(*shape, low, high):
    """Positive numbers whose logarithms are drawn evenly, rounded to float32."""
    return Input(lambda random: numpy.exp(random.uniform(numpy.log(low), numpy.log(high), shape)).astype(numpy.float32))


def given(*values):
    """These very numbers, as float32."""
    return Input(lambda random: numpy.array(values, numpy.float32))


def levels(*shape, count, low=0):
    """Whole numbers from `count` consecutive ones, as float32: with ties."""
    return Input(lambda random: random.integers(low, low + count, shape).astype(numpy.float32))


def distribution(*shape):
    """Positive numbers that add up to 1 along the last axis, rounded to float32."""
    return Input(lambda random: random.dirichlet(numpy.ones(shape[-1]) * 2, shape[:-1]).astype(numpy.float32))


def whole(*shape, low=0, high):
    """A constant of int32 from low ..< high."""
    return Input(lambda random: random.integers(low, high, shape).astype(numpy.int32), is_constant=True)


def covering(count, rows):
    """A constant of `count` int32 below `rows`, in which each occurs."""
    return Input(lambda random: random.permutation(numpy.arange(count) % rows).astype(numpy.int32), is_constant=True)


def truth(*shape, share=0.5):
    """A constant of truth values."""
    return Input(lambda random: random.random(shape) < share, is_constant=True)


def fixed(input):
    """The input as a constant."""
    return dataclasses.replace(input, is_constant=True)


@dataclasses.dataclass(frozen=True)
class Rule:
    """How far each element may be off: `factor` roundoffs of float32 times a magnitude.

    The magnitude is
    - "none": nothing, results are equal;
    - "absolute": the function of absolute inputs and upstreams, which for functions that are linear in each input
      with coefficients that are not negative is the sum of all terms' absolute values;
    - "element": |y| + S at the element, where S is how much y changes when all inputs change by one part, each up or
      down: measured in float64 with a step of 2^-30, the most over several draws of the signs;
    - "saturating": |y| + S, and min(|x|, 1) more for the output and the upstream more for the gradient;
    - "array": the largest |y| + S of the whole array;
    - "together": the largest |y| + S of all outputs and gradients;
    - "matrix": as "array", with inputs changed by parts of their own largest element.
    """

    magnitude: str
    factor: float = 0.0


# Nothing is rounded: elements are moved, selected, compared, counted or converted in one defined way.
EXACT = Rule("none")


def function_rule(ulps=8):
    """For functions of single elements.

    Vulkan allows exp 3 + 2 |x| and log 3 units in the last place, each at most two roundoffs, and what is composed
    of a few such functions changes with the rounding of each inner result as it does with that of its input. Eight
    roundoffs of |y| + |x y'| hold both: for exp that is 8 + 8 |x|, where 6 + 4 |x| are allowed.
    """
    return Rule("element", ulps)


def saturating_rule():
    """For functions of single elements that are made of 1 plus or less another, as tanh's derivative 1 - y^2 is.

    Where that nearly vanishes, it is off by roundoffs of the 1, not of itself.
    """
    return Rule("saturating", 8)


def sum_rule(terms):
    """For sums of products: n + 3 roundoffs of the sum of absolute terms, a bound in whatever order they are added.

    Source: Higham 2002, "Accuracy and stability of numerical algorithms", section 3.1; three for the product, a
    division by the count, and the coefficient's own rounding.
    """
    return Rule("absolute", terms + 3)


def stable_rule(terms):
    """For compositions with sums of n terms: 4 sqrt(n) + 8 roundoffs.

    Each result is the exact one of inputs that are off by the errors of its sums, which are random and grow with the
    root of the number of terms; four standard deviations are rarely exceeded. Source: Higham & Mary 2019, "A new
    approach to probabilistic rounding error analysis", theorem 2.4. Eight as for functions of single elements.
    """
    return Rule("array", 4 * terms**0.5 + 8)


def together_rule(terms):
    """As `stable_rule`, where a whole gradient vanishes because its terms cancel, such as that of a key's shift."""
    return dataclasses.replace(stable_rule(terms), magnitude="together")


def matrix_rule(order):
    """For factorizations of n x n matrices: 4 n + 8 roundoffs.

    Solutions and factors are exact ones of a matrix that is off by c n roundoffs of its norm, with a small c that
    depends on the growth of pivots. Source: Higham 2002, theorems 9.3, 10.3 and 19.4.
    """
    return Rule("matrix", 4 * order + 8)


def steps_rule(steps):
    """For `steps` updates of a parameter: 8 roundoffs each, as a function of single elements."""
    return Rule("element", 8 * steps)


@dataclasses.dataclass(frozen=True)
class Case:
    """An operation in one configuration; Hekla's table has the same under the same name."""

    name: str
    family: str
    rule: Rule
    inputs: list
    function: typing.Callable
    has_gradient: bool = True
