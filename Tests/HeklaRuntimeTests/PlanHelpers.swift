import HeklaArrays
import HeklaDevices
import HeklaTensors

@testable import HeklaRuntime

/// The least a shader device can have that all passes still work with: plans for it are the same everywhere.
let paperDevice: Capabilities = {
  var capabilities = Capabilities(interface: .vulkan, kind: .discreteGPU, deviceName: "paper", driver: "none")
  capabilities.maxBindingCount = 16
  return capabilities
}()

/// The same of a host device.
let paperHost: Capabilities = {
  var capabilities = Capabilities(interface: .host, kind: .processor, deviceName: "paper", driver: "none")
  capabilities.maxBindingCount = 64
  return capabilities
}()

extension Compiler {
  /// The plan of a step on the paper device.
  static func plan(
    _ outputs: [Tensor] = [], assigning assignments: [Assignment] = [], inputs: [Signature] = [],
    options: CompilerOptions = CompilerOptions()
  ) throws -> Plan {
    try Compiler(capabilities: paperDevice, options: options).plan(
      Computation(StepDescription(outputs: outputs, assignments: assignments)), inputs: inputs)
  }
}

extension Computation {
  /// What `description` asks for.
  init(_ description: StepDescription) {
    self.init(
      outputs: description.outputs.map(\.node),
      assignments: description.assignments.map { ($0.parameter, $0.value.node) })
  }
}

extension CompilerOptions {
  /// Everything on, and primitives run as `variants` says.
  init(preferring variants: [String: String]) {
    self.init()
    preferredVariants = variants
  }
}
