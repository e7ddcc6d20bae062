import HeklaTensors

/// A rule that turns gradients into the parameters' next values.
///
/// An optimizer is a value made for certain parameters. What it remembers from step to step lives in
/// parameters of its own, on the device, so a compiled step holds the whole update and nothing is passed in:
///
/// ```swift
/// let optimizer = Adam(for: model.trainableParameters, learningRate: 1.2e-3)
/// let step = try executor.compile(inputs: [images, labels]) { inputs in
///   let loss = crossEntropy(logits: model(inputs[0]), labels: inputs[1])
///   return StepDescription(outputs: [loss], assignments: optimizer.assignments(minimizing: loss))
/// }
/// ```
///
/// Starting over, as between the rounds of pruning, is a step too, compiled once:
/// `optimizer.stateParameters.resetting()`.
public protocol Optimizer: Sendable {
  /// The parameters that are trained, in the order in which they were given.
  var parameters: [Parameter] { get }

  /// The count of steps made, `int32` of rank 0, then what is remembered of each parameter.
  ///
  /// To save and load with the model, and to set back for a new start.
  var stateParameters: [Parameter] { get }

  /// The next values of `parameters`, and of the optimizer's own state.
  ///
  /// To be asked for once per step: each call counts one.
  /// - Parameters:
  ///   - parameters: Some or all of those that the optimizer was made for; the others stay as they are.
  ///   - gradients: One for each, of its shape and type.
  ///   - masks: For some of them, a tensor of the parameter's shape, `bool` or a number type: where it is
  ///     false or 0, the weight and all that is remembered of it become exactly 0, whatever they were and
  ///     whatever the gradient is. A mask that is a parameter or an input of the step may change without
  ///     compiling anew. The step itself still computes with the weights it finds: start from masked ones.
  func assignments(
    for parameters: [Parameter], gradients: [Tensor], masks: [Parameter: Tensor]
  ) -> [Assignment]
}

extension Optimizer {
  /// The next values of `parameters`, none of them masked, and of the optimizer's own state.
  public func assignments(for parameters: [Parameter], gradients: [Tensor]) -> [Assignment] {
    assignments(for: parameters, gradients: gradients, masks: [:])
  }

  /// The next values of all parameters along the gradients of `loss`, and of the optimizer's own state.
  /// - Parameters:
  ///   - loss: Of rank 0.
  ///   - masks: See `assignments(for:gradients:masks:)`.
  public func assignments(minimizing loss: Tensor, masks: [Parameter: Tensor] = [:]) -> [Assignment] {
    let gradients = gradients(of: loss, withRespectTo: parameters.map(\.tensor))
    return assignments(for: parameters, gradients: gradients, masks: masks)
  }
}

extension Sequence where Element == Parameter {
  /// The requests that each parameter hold its initial values again.
  public func resetting() -> [Assignment] { map { $0.assigning($0.initial) } }
}
