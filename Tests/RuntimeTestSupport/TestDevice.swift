import Foundation
import HeklaDevices
import HeklaRuntime
import HeklaVulkan
import Synchronization
import Testing

/// A device of this machine, as an argument of tests.
public struct TestDevice: Sendable, Hashable, CustomTestStringConvertible {
  /// What the catalog calls it.
  public let name: String

  /// The one that is always there.
  public static let cpu = TestDevice(name: "cpu")

  /// All devices that can be opened here, `cpu` first; where all have to be there, also those that are missing, so
  /// that every test over devices fails with the reason instead of running on fewer.
  public static let present: [TestDevice] = {
    let names = found + (mustBeComplete ? interfaces.filter { absence(of: $0) != nil }.map { "\($0):0" } : [])
    return names.map { TestDevice(name: $0) }
  }()

  private static let interfaces = ["vulkan", "opencl"]
  private static let found = DeviceCatalog.shared.survey().filter { $0.problem == nil }.map(\.name)

  /// Those that run shaders, on which each new kernel takes its time to compile.
  public static let shading = present.filter { !$0.isHost }

  /// Whether this is the processor itself.
  public var isHost: Bool { name == "cpu" }

  /// The name.
  public var testDescription: String { name }

  /// Why no device of `interface` can be opened, or nil where one can.
  public static func absence(of interface: String) -> String? {
    if found.contains(where: { $0.hasPrefix(interface) }) { return nil }
    let problem = DeviceCatalog.shared.survey().first { $0.name == interface }?.problem
    return problem.map { "\($0)" } ?? "The \(interface) loader finds no device."
  }

  /// Whether a missing device is a failure: continuous integration installs all of them.
  public static let mustBeComplete = ProcessInfo.processInfo.environment["CI"] == "true"

  private static let executors = Mutex<[String: PlanExecutor]>([:])

  /// The one executor of all tests on this device, so that they share its compiled kernels.
  public func executor() throws -> PlanExecutor {
    if let known = Self.executors.withLock({ $0[name] }) { return known }
    let made = try PlanExecutor(DeviceCatalog.shared.device(named: name))
    return Self.executors.withLock { executors in
      let executor = executors[name] ?? made
      executors[name] = executor
      return executor
    }
  }

  /// Runs `body` with the executor, then expects that the validation layer, where it watches, has not complained.
  public func run<Result>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: (PlanExecutor) throws -> Result
  ) throws -> Result {
    let executor = try executor()
    let result = try body(executor)
    if let device = executor.device as? VulkanDevice {
      #expect(device.validationMessages.isEmpty, sourceLocation: sourceLocation)
    }
    return result
  }
}
