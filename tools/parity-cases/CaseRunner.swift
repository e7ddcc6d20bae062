import Foundation
import HeklaArrays
import HeklaData
import HeklaDevices
import HeklaNN
import HeklaRuntime
import HeklaTensors

/// Computes cases from the files in their folders, and writes the results there.
struct CaseRunner {
  /// Where everything runs.
  let executor: PlanExecutor

  /// Computes `body` from the files in `folder`. Errors of the device become files there.
  func run(_ body: CaseBody, in folder: String) throws {
    do {
      let files = try CaseFiles(folder)
      switch body {
      case .graph(let parameters, let outputs):
        try run(parameters, outputs, files).write(to: folder)
      case .training(let optimizer):
        try CaseResults(outputs: [train(optimizer, files)]).write(to: folder)
      }
    } catch {
      try "\(error)".write(toFile: folder + "/error.txt", atomically: false, encoding: .utf8)
    }
  }

  private func run(
    _ parameters: [Parameter], _ makeOutputs: ([Tensor]) throws -> [Tensor], _ files: CaseFiles
  ) throws -> CaseResults {
    let values = files.arguments
    guard values.count >= parameters.count else {
      throw CaseError(reason: "there are \(values.count) arguments for \(parameters.count) parameters")
    }
    let inputs = values.dropLast(parameters.count).map { $0 }
    for (parameter, value) in zip(parameters, values.suffix(parameters.count)) {
      try executor.assign(value, to: parameter)
    }
    let arrays = inputs + files.upstreams
    let signatures = arrays.map { Signature($0.shape, $0.elementType) }
    var outputCount = 0
    let step = try executor.compile(inputs: signatures) { tensors in
      let outputs = try makeOutputs(Array(tensors.prefix(inputs.count)))
      outputCount = outputs.count
      let upstreams = tensors.suffix(files.upstreams.count)
      guard !upstreams.isEmpty, !files.differentiated.isEmpty else {
        return StepDescription(outputs: outputs)
      }
      guard upstreams.count == outputs.count else {
        throw CaseError(reason: "there are \(upstreams.count) upstreams for \(outputs.count) outputs")
      }
      let sources = tensors.prefix(inputs.count) + parameters.map(\.tensor)
      let wanted = files.differentiated.map { sources[$0] }
      let parts = zip(outputs, upstreams).map { output, upstream in
        gradients(of: output, withRespectTo: wanted, upstream: upstream)
      }
      let sums = wanted.indices.map { index in parts.dropFirst().reduce(parts[0][index]) { $0 + $1[index] } }
      return StepDescription(outputs: outputs + sums)
    }
    let results = try step.run(arrays)
    let found = zip(files.differentiated, results.dropFirst(outputCount)).map { ($0, $1) }
    return CaseResults(outputs: Array(results.prefix(outputCount)), gradients: found)
  }

  private func train(_ makeOptimizer: (Parameter) -> any Optimizer, _ files: CaseFiles) throws -> HostArray {
    guard files.arguments.count == 2 else {
      throw CaseError(
        reason: "training takes the start and the gradients, not \(files.arguments.count) arguments")
    }
    let (start, rows) = (files.arguments[0], files.arguments[1])
    let parameter = Parameter(Tensor(start))
    let optimizer = makeOptimizer(parameter)
    let step = try executor.compile(inputs: [Signature(start.shape, start.elementType)]) { inputs in
      StepDescription(assignments: optimizer.assignments(for: [parameter], gradients: inputs))
    }
    for row in 0..<rows.shape[0] { _ = try step.run([rows.gatheringRows([row]).reshaped(to: start.shape)]) }
    return try executor.values(of: parameter)
  }
}

/// Files that do not fit their case.
struct CaseError: Error, CustomStringConvertible {
  /// What does not fit.
  let reason: String
  /// The same.
  var description: String { reason }
}

/// What a case's folder holds.
private struct CaseFiles {
  /// All arguments in order.
  var arguments: [HostArray] = []
  /// Positions of the arguments whose gradients are wanted.
  var differentiated: [Int] = []
  /// One for each output; none where nothing is differentiated.
  var upstreams: [HostArray] = []

  init(_ folder: String) throws {
    func path(_ kind: String, _ number: Int) -> String? {
      let path = "\(folder)/\(kind)-\(number).npy"
      return FileManager.default.fileExists(atPath: path) ? path : nil
    }
    while true {
      if let argument = path("argument", arguments.count) {
        differentiated.append(arguments.count)
        arguments.append(try NPYFile.read(argument))
      } else if let constant = path("constant", arguments.count) {
        arguments.append(try NPYFile.read(constant))
      } else {
        break
      }
    }
    while let upstream = path("upstream", upstreams.count) { upstreams.append(try NPYFile.read(upstream)) }
  }
}

/// What comes of a case.
private struct CaseResults {
  var outputs: [HostArray]
  /// With the positions of their arguments.
  var gradients: [(Int, HostArray)] = []

  func write(to folder: String) throws {
    for (number, array) in outputs.enumerated() {
      try NPYFile.write(array, to: "\(folder)/output-\(number).npy")
    }
    for (number, array) in gradients { try NPYFile.write(array, to: "\(folder)/gradient-\(number).npy") }
  }
}
