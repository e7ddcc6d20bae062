import HeklaNN
import HeklaTensors

extension CaseTable {
  /// Functions of one or two numbers that are not merely selections.
  mutating func addElementwise() {
    add("exp") { $0[0].exp() }
    add("exp-wide") { $0[0].exp() }
    add("expm1") { $0[0].expm1() }
    add("expm1-small") { $0[0].expm1() }
    add("log") { $0[0].log() }
    add("log-wide") { $0[0].log() }
    add("log1p") { $0[0].log1p() }
    add("log1p-small") { $0[0].log1p() }
    add("sqrt") { $0[0].squareRoot() }
    add("rsqrt") { $0[0].reciprocalSquareRoot() }
    add("sin") { $0[0].sin() }
    add("cos") { $0[0].cos() }
    add("tan") { $0[0].map { .tan($0) } }
    add("asin") { $0[0].map { .asin($0) } }
    add("acos") { $0[0].map { .acos($0) } }
    add("atan") { $0[0].map { .atan($0) } }
    add("sinh") { $0[0].map { .sinh($0) } }
    add("cosh") { $0[0].map { .cosh($0) } }
    add("tanh") { $0[0].tanh() }
    add("tanh-small") { $0[0].tanh() }
    add("square") { $0[0].squared() }
    add("reciprocal") { 1 / $0[0] }
    add("power-number") { $0[0].power(2.5) }
    add("power") { Tensor.power($0[0], $0[1]) }
    add("add-broadcast") { $0[0] + $0[1] }
    add("subtract-broadcast") { $0[0] - $0[1] }
    add("multiply-broadcast") { $0[0] * $0[1] }
    add("divide-broadcast") { $0[0] / $0[1] }
    add("atan2") { Tensor.map($0[0], $0[1]) { .atan2($0, $1) } }
    add("logaddexp") { Tensor.logAddExp($0[0], $0[1]) }
    add("erf") { $0[0].erf() }
    add("erfc") { $0[0].complementaryErf() }
    add("erfinv") { $0[0].inverseErf() }
    add("ndtr") { $0[0].normalDistribution() }
    add("ndtri") { $0[0].normalQuantile() }
    add("ndtri-small") { $0[0].normalQuantile() }
    add("lgamma") { $0[0].logGamma() }
    add("lgamma-negative") { $0[0].logGamma() }
    add("digamma") { $0[0].digamma() }
    add("trigamma") { $0[0].trigamma() }
    add("fmod") { $0[0] % $0[1] }
    add("remainder") { Tensor.floorRemainder($0[0], $0[1]) }
    add("complex-product") { $0[0].complexProduct($0[1]) }
  }

  /// Functions between layers.
  mutating func addActivations() {
    add("sigmoid") { $0[0].sigmoid() }
    add("log-sigmoid") { -(-$0[0]).softplus() }
    add("softplus") { $0[0].softplus() }
    add("relu") { $0[0].relu() }
    add("leaky-relu") { $0[0].leakyRelu(slope: 0.2) }
    add("elu") { $0[0].elu(scale: 1.5) }
    add("silu") { $0[0].silu() }
    add("gelu-tanh") { $0[0].gelu() }
    add("gelu-erf") { $0[0].exactGelu() }
    add("hardtanh") { $0[0].clamped(to: -1...1) }
    add("softmax-last") { $0[0].softmax() }
    add("softmax-middle") { $0[0].softmax(along: 1) }
    add("log-softmax") { $0[0].logSoftmax() }
    add("log-softmax-shifted") { $0[0].logSoftmax(along: 0) }
  }

  /// Selections, comparisons, conversions and whole numbers, where nothing is rounded.
  mutating func addExact() {
    add("absolute") { $0[0].absolute() }
    add("maximum-of-two") { Tensor.maximum($0[0], $0[1]) }
    add("minimum-of-two") { Tensor.minimum($0[0], $0[1]) }
    add("clamp") { $0[0].clamped(to: -0.25...0.5) }
    add("where") { Tensor.select($0[0], $0[1], $0[2]) }
    add("masked-fill") { $0[0].filled(with: -2, where: $0[1]) }
    add("less") { $0[0] .< $0[1] }
    add("less-equal") { $0[0] .<= $0[1] }
    add("greater") { $0[0] .> $0[1] }
    add("greater-equal") { $0[0] .>= $0[1] }
    add("equal") { $0[0] .== $0[1] }
    add("not-equal") { $0[0] .!= $0[1] }
    add("is-nan") { $0[0].isNaN() }
    add("is-finite") { $0[0].isFinite() }
    add("floor") { $0[0].floor() }
    add("ceil") { $0[0].ceil() }
    add("round") { $0[0].rounded() }
    add("sign") { $0[0].sign() }
    add("logical") { ($0[0] .& $0[1]) .| .!$0[0] }
    add("any") { $0[0].any(along: [1]) }
    add("all") { $0[0].all(along: [0]) }
    add("count-nonzero") { $0[0].countNonzero(along: [1]) }
    add("cast-int32") { $0[0].converted(to: .int32) }
    add("cast-uint8") { $0[0].converted(to: .uint8) }
    add("cast-bool") { $0[0].converted(to: .bool) }
    add("cast-float32") { $0[0].converted(to: .float32) }
    add("cast-float16") { $0[0].converted(to: .float16).converted(to: .float32) }
    add("cast-bfloat16") { $0[0].converted(to: .bfloat16).converted(to: .float32) }
    add("int-add-multiply") { $0[0] + $0[1] * $0[0] }
    add("int-divide") { $0[0] / $0[1] }
    add("bit-and") { Tensor.bitAnd($0[0], $0[1]) }
    add("bit-or") { Tensor.bitOr($0[0], $0[1]) }
    add("bit-xor") { Tensor.bitXor($0[0], $0[1]) }
    add("shift-left") { $0[0].shiftedLeft(by: 3) }
    add("shift-right") { $0[0].shiftedRight(by: 2) }
  }
}
