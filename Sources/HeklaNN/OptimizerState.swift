import HeklaArrays
import HeklaTensors

/// What an optimizer remembers: the count of steps, and some arrays of each parameter's shape.
struct OptimizerState: Sendable {
  /// What is trained.
  let parameters: [Parameter]
  /// The number of steps made, `int32` of rank 0.
  let stepCount = Parameter(.zeros([], .int32))
  /// The arrays kept for each parameter, at first 0.
  private let kept: [Parameter: [Parameter]]

  /// `count` arrays for each of `parameters`, in the type that kernels compute with.
  init(for parameters: [Parameter], count: Int, file: StaticString, line: UInt) {
    require(
      Set(parameters).count == parameters.count, "optimizer: a parameter is given twice", file: file,
      line: line)
    self.parameters = parameters
    var kept: [Parameter: [Parameter]] = [:]
    for parameter in parameters {
      let type = parameter.signature.elementType
      require(
        type.isFloating,
        "optimizer: a parameter of \(parameter.signature) cannot be trained; make it a State",
        file: file, line: line)
      kept[parameter] = (0..<count).map { _ in Parameter(.zeros(parameter.shape, type.computed)) }
    }
    self.kept = kept
  }

  /// The step count and all arrays, parameter by parameter.
  var all: [Parameter] { [stepCount] + parameters.flatMap { kept[$0] ?? [] } }

  /// The request to count one step.
  var counting: Assignment { stepCount.assigning(stepCount.tensor.map { $0 + 1 }) }

  /// The rate of the step that is to be made, checked.
  func rate(_ learningRate: any LearningRate) -> Tensor {
    let rate = learningRate.rate(afterSteps: stepCount.tensor)
    require(
      rate.signature == Signature([]),
      "optimizer: the learning rate is \(rate.signature), not float32 of rank 0")
    return rate
  }

  /// What goes into the update of each of `parameters`, checked.
  func updates(
    for parameters: [Parameter], _ gradients: [Tensor], _ masks: [Parameter: Tensor]
  ) -> [ParameterUpdate] {
    require(
      parameters.count == gradients.count && Set(parameters).count == parameters.count,
      "optimizer: \(gradients.count) gradients for \(parameters.count) parameters, of which "
        + "\(Set(parameters).count) are different; each parameter needs exactly one gradient")
    require(
      masks.keys.allSatisfy(Set(parameters).contains),
      "optimizer: a mask is for a parameter that is not updated")
    return zip(parameters, gradients).map { parameter, gradient in
      guard let kept = kept[parameter] else {
        stop(
          "optimizer: a parameter of \(parameter.signature) is not among those it was made for",
          file: #fileID, line: #line)
      }
      require(
        gradient.signature == parameter.signature,
        "optimizer: the gradient of a parameter of \(parameter.signature) is \(gradient.signature)")
      let mask = masks[parameter]
      require(
        (mask?.shape ?? parameter.shape) == parameter.shape,
        "optimizer: a parameter of \(parameter.signature) has a mask of \(mask?.shape ?? [])")
      return ParameterUpdate(parameter: parameter, gradient: gradient, kept: kept, mask: mask)
    }
  }
}

/// What goes into the update of one parameter.
struct ParameterUpdate {
  let parameter: Parameter
  let gradient: Tensor
  let kept: [Parameter]
  let mask: Tensor?

  /// The type that the update is computed in.
  var type: ElementType { parameter.signature.elementType.computed }

  /// `body` at each element of `operands`, and exactly 0 where the mask says so.
  ///
  /// Selected, not multiplied: a product would keep NaN, and turn a negative number into -0.
  /// - Parameter operands: Of the parameter's shape or of rank 0; floating ones are converted to the update's
  ///   type.
  func map(_ operands: [Tensor], _ body: ([Scalar]) -> Scalar) -> Tensor {
    Tensor.map([parameter.tensor] + operands + (mask.map { [$0] } ?? [])) { x in
      let values = x[1...operands.count].map { $0.converted(to: type) }
      let result = body([x[0]] + values)
      guard mask != nil, let kept = x.last else { return result }
      return .select(kept.type == .bool ? kept : kept .!= .constant(0, kept.type), result, .constant(0, type))
    }
  }

  /// The request that the parameter hold `value`, rounded to its type.
  func assigning(_ value: Tensor) -> Assignment {
    parameter.assigning(value.converted(to: parameter.signature.elementType))
  }
}
