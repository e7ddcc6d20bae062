import HeklaTensors

extension Tensor {
  /// log(1 + e^x) for each element, a smooth `relu`.
  public func softplus() -> Tensor { map { .softplus($0) } }

  /// log(1 / (1 + e^-x)) for each element, without overflow.
  public func logSigmoid() -> Tensor { map { -.softplus(-$0) } }

  /// The elements held in 0...6. Source: Howard et al. 2017, "MobileNets".
  public func relu6() -> Tensor { clamped(to: 0...6) }

  /// x / (1 + e^-x) for each element, also called swish. Source: Elfwing et al. 2018.
  public func silu() -> Tensor { map { $0 * .sigmoid($0) } }

  /// The elements, those that are negative times `slope`. Source: Maas et al. 2013, equation 2.
  public func leakyRelu(slope: Double = 0.01) -> Tensor { map { .select($0 .> 0, $0, $0 * Scalar(slope)) } }

  /// The elements, and `scale` (e^x - 1) for those that are negative. Source: Clevert et al. 2016.
  public func elu(scale: Double = 1) -> Tensor { map { .select($0 .> 0, $0, Scalar(scale) * .expm1($0)) } }
}

extension Scalar {
  /// log(1 + e^x).
  ///
  /// Beyond 40 the difference to x is below half a unit in the last place of every type, and e^x still far
  /// from overflow. Unlike max(x, 0) + log1p(e^-|x|) this has its true derivative, 1/2, at 0, where weights
  /// start.
  static func softplus(_ x: Scalar) -> Scalar { .select(x .> 40, x, .log1p(.exp(x))) }
}
