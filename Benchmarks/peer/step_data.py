"""The training steps that are compared: their data, as NumPy arrays, and their optimizers.

Shapes are those of `gpubench step`. Models are written by hand for each peer, from this table:

  lenet        784-300-100-10 with ReLU, batch 60
  resnet       3x32x32 images, batch 32: convolution to 16 channels, three stages of two residual blocks
               with 16, 32 and 64 channels, batch normalization, global mean, linear to 10
  transformer  four blocks with normalization first, width 128, 4 heads, feed-forward 512 with gelu, sequence
               64, batch 32, vocabulary 256, learned positions, causal; cross-entropy at all positions
  dagnn        2,708 nodes, 10,556 directed edges and loops, 1,433 features, 18 of a node 1 and the others 0;
               network 1433-64-7, dropout 0.8 of features and hidden, 10 propagations with a gate;
               cross-entropy of 140 nodes
  lstm         batch 32, sequence 64, 32 inputs, 128 hidden, linear to 10 from the last state
  tabular      1,024 rows of 16 categorical fields of 1,000 values, embedding 16, three layers of
               self-attention over fields (two heads of 16, residual projection, ReLU), linear to 1; logistic
               loss
"""

import data
import numpy

NAMES = ("lenet", "resnet", "transformer", "dagnn", "lstm", "tabular")
# Adam with its step size, or descent with momentum 0.9.
RATES = {"lenet": 1.2e-3, "resnet": 0.1, "transformer": 1e-3, "dagnn": 0.01, "lstm": 1e-3, "tabular": 1e-3}
MOMENTUM = {"resnet": 0.9}
HOPS, DROPOUT, NODES, FEATURES, TRAINED = 10, 0.8, 2_708, 1_433, 140
# Undirected edges, and features of a node that are 1.
EDGES, ONES = 5_278, 18
WIDTH, HEADS, BLOCKS, VOCABULARY, SEQUENCE = 128, 4, 4, 256, 64
FIELDS, VALUES, EMBEDDING, FIELD_HEADS, FIELD_LAYERS = 16, 1_000, 16, 2, 3


def lenet():
    return {"x": data.numbers(1, 60, 784), "y": data.indices(2, 60, 10)}


def resnet():
    return {"x": data.numbers(1, 32, 3, 32, 32), "y": data.indices(2, 32, 10)}


def transformer():
    tokens = data.indices(1, 32 * (SEQUENCE + 1), VOCABULARY).reshape(32, SEQUENCE + 1)
    return {"x": tokens[:, :-1].copy(), "y": tokens[:, 1:].copy()}


def dagnn():
    one, other = data.indices(1, EDGES, NODES), data.indices(2, EDGES, NODES)
    loops = numpy.arange(NODES, dtype=numpy.int32)
    source, target = numpy.concatenate([one, other, loops]), numpy.concatenate([other, one, loops])
    degrees = numpy.bincount(target, minlength=NODES).astype(numpy.float32)
    order = numpy.argsort(target, kind="stable")
    source, target = source[order], target[order]
    columns = numpy.sort(data.generator(3).random((NODES, FEATURES)).argpartition(ONES)[:, :ONES])
    rows = numpy.arange(NODES, dtype=numpy.int32).repeat(ONES)
    return {
        "source": source,
        "target": target,
        "weights": (degrees[source] * degrees[target]) ** -0.5,
        "rows": rows,
        "columns": columns.astype(numpy.int32).ravel(),
        "labels": data.indices(4, TRAINED, 7),
    }


def lstm():
    return {"x": data.numbers(1, 64, 32, 32), "y": data.indices(2, 32, 10)}


def tabular():
    fields = data.indices(1, 1_024 * FIELDS, VALUES).reshape(1_024, FIELDS)
    return {"x": fields, "y": data.indices(2, 1_024, 2).astype(numpy.float32)}


DATA = {
    "lenet": lenet,
    "resnet": resnet,
    "transformer": transformer,
    "dagnn": dagnn,
    "lstm": lstm,
    "tabular": tabular,
}
