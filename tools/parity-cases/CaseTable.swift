import HeklaNN
import HeklaTensors

/// What a case computes.
enum CaseBody {
  /// Tensors from the case's arguments; the last arguments are values of `parameters`, and are not among the tensors.
  case graph(parameters: [Parameter] = [], outputs: ([Tensor]) throws -> [Tensor])
  /// A parameter that starts as argument 0 after one step along each row of argument 1.
  case training(optimizer: (Parameter) -> any Optimizer)
}

/// All cases by name, the names that `tools/parity` uses for the same operations.
struct CaseTable {
  private var makers: [String: () -> CaseBody] = [:]
  /// The names in the order in which they were added.
  private(set) var names: [String] = []
  /// Names that were added again, which nothing may be.
  private(set) var repeatedNames: [String] = []

  /// Every case there is.
  static var all: CaseTable {
    var table = CaseTable()
    table.addElementwise()
    table.addActivations()
    table.addExact()
    table.addReductions()
    table.addScans()
    table.addProducts()
    table.addConvolutions()
    table.addPooling()
    table.addAttention()
    table.addNormalizations()
    table.addLosses()
    table.addRecurrence()
    table.addIndexing()
    table.addMovement()
    table.addFourier()
    table.addLinearAlgebra()
    table.addOptimizers()
    return table
  }

  /// What the case called `name` computes; nil where there is none. Parameters are new each time.
  subscript(name: String) -> CaseBody? { makers[name]?() }

  private mutating func add(named name: String, _ make: @escaping () -> CaseBody) {
    if makers[name] == nil { names.append(name) } else { repeatedNames.append(name) }
    makers[name] = make
  }

  /// A case of one result.
  mutating func add(_ name: String, _ output: @escaping ([Tensor]) throws -> Tensor) {
    add(named: name) { .graph { [try output($0)] } }
  }

  /// A case of several results.
  mutating func addSeveral(_ name: String, _ outputs: @escaping ([Tensor]) throws -> [Tensor]) {
    add(named: name) { .graph(outputs: outputs) }
  }

  /// A case of a module: `parameters` names those that take the last arguments as values.
  mutating func addModule<Layer: Module>(
    _ name: String, _ layer: @escaping @autoclosure () -> Layer,
    _ parameters: @escaping (Layer) -> [Parameter?],
    _ outputs: @escaping (Layer, [Tensor]) -> [Tensor]
  ) {
    add(named: name) {
      let layer = layer()
      return .graph(parameters: parameters(layer).compactMap { $0 }) { outputs(layer, $0) }
    }
  }

  /// A case of an optimizer.
  mutating func addTraining(_ name: String, _ optimizer: @escaping (Parameter) -> any Optimizer) {
    add(named: name) { .training(optimizer: optimizer) }
  }
}
