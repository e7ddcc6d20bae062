import HeklaArrays
import HeklaTensors

/// A running mean of weights, which often generalizes better than the weights themselves.
///
/// a <- decay a + (1 - decay) w after each step, from a = the first weights. Source: Polyak & Juditsky 1992,
/// "Acceleration of stochastic approximation by averaging", with exponential weights.
public struct MovingAverage: Sendable {
  /// How much of the mean stays from step to step.
  public let decay: Double
  /// The parameters that are averaged.
  private let sources: [Parameter]
  /// Their means, in the same order.
  public let averages: [State]

  /// The mean of `parameters`.
  public init(of parameters: [Parameter], decay: Double, file: StaticString = #fileID, line: UInt = #line) {
    require(
      (0...1).contains(decay), "moving average: the decay is \(decay); it must be in 0...1", file: file,
      line: line)
    self.decay = decay
    sources = parameters
    averages = parameters.map { State($0.initial) }
  }

  /// The means, to save and load with the model.
  public var stateParameters: [Parameter] { averages.map(\.parameter) }

  /// The requests that the means follow `assignments`, those of the same step.
  public func updates(after assignments: [Assignment]) -> [Assignment] {
    let next = Dictionary(assignments.map { ($0.parameter, $0.value) }, uniquingKeysWith: { $1 })
    return zip(sources, averages).map { source, average in
      let moved = Tensor.map(average.tensor, next[source] ?? source.tensor) {
        Scalar(decay) * $0 + Scalar(1 - decay) * $1
      }
      return average.assigning(moved.converted(to: source.signature.elementType))
    }
  }

  /// The requests that the parameters take their means, and the means the parameters: asked for again, back.
  public func exchanging() -> [Assignment] {
    zip(sources, averages).flatMap { [$0.assigning($1.tensor), $1.assigning($0.tensor)] }
  }
}

/// The mean of gradients over several runs of a step, for batches larger than the memory.
///
/// Run `accumulating` for each part of a batch; then a step of an optimizer on `means`, with `clearing`.
public struct GradientAccumulator: Sendable {
  private let sources: [Parameter]
  /// The sums so far.
  private let sums: [State]
  /// The number of summands, `float32` of rank 0.
  private let count = State(.zeros([]))

  /// Sums for the gradients of `parameters`.
  public init(for parameters: [Parameter]) {
    sources = parameters
    sums = parameters.map { State(.zeros($0.shape, $0.signature.elementType.computed)) }
  }

  /// The count and the sums, to save and load with the model.
  public var stateParameters: [Parameter] { ([count] + sums).map(\.parameter) }

  /// The requests that the sums grow by `gradients`, one for each parameter.
  public func accumulating(_ gradients: [Tensor], file: StaticString = #fileID, line: UInt = #line)
    -> [Assignment]
  {
    require(
      gradients.map(\.signature) == sources.map(\.signature),
      "gradient accumulator: gradients of \(gradients.map(\.signature)) for parameters of "
        + "\(sources.map(\.signature))", file: file, line: line)
    return [count.assigning(count.tensor + 1)]
      + zip(sums, gradients).map { sum, gradient in
        sum.assigning(sum.tensor + gradient.converted(to: sum.tensor.elementType))
      }
  }

  /// The means of what was accumulated, of the parameters' signatures; 0 where nothing was.
  public var means: [Tensor] {
    zip(sums, sources).map { sum, source in
      let mean = Tensor.map(sum.tensor, count.tensor) { $0 / .maximum($1.converted(to: $0.type), 1) }
      return mean.converted(to: source.signature.elementType)
    }
  }

  /// The requests that the sums be empty again.
  public var clearing: [Assignment] { stateParameters.resetting() }
}

extension Array where Element == Tensor {
  /// The tensors plus normal noise whose variance falls with the step: scale / (1 + step)^decay.
  ///
  /// Source: Neelakantan et al. 2015, "Adding gradient noise improves learning for very deep networks", section 3.
  /// - Parameters:
  ///   - step: The number of steps made, an integer of rank 0.
  ///   - key: What the noise is drawn from; the step and each tensor's position are folded in.
  public func addingNoise(scale: Double, decay: Double = 0.55, step: Tensor, key: RandomKey) -> [Tensor] {
    let deviation = step.converted(to: .float32).map { count in
      .sqrt(Scalar(scale) * .power(1 + count, Scalar(-decay)))
    }
    let stepKey = Tensor(key).folded(in: step)
    return enumerated().map { position, tensor in
      let noise = Tensor.normal(tensor.shape, key: stepKey.folded(in: UInt64(position)))
      return tensor + (noise * deviation).converted(to: tensor.elementType)
    }
  }
}
