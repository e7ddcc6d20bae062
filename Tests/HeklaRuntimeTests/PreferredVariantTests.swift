import HeklaArrays
import HeklaDevices
import HeklaRuntime
import HeklaTensors
import Testing

@Suite struct PreferredVariantTests {
  private let product = StepDescription(outputs: [
    Tensor((0..<6).map { Float($0) }, shape: [2, 3]).matrixProduct(
      Tensor((0..<6).map { Float($0) }, shape: [3, 2]))
  ])

  private func compile(_ preferred: [String: String]) throws -> CompiledStep {
    var options = CompilerOptions()
    options.preferredVariants = preferred
    return try PlanExecutor(DeviceCatalog.shared.device(named: "cpu")).compile(product, options: options)
  }

  @Test("a variant that runs on the device is the one that is used")
  func usable() throws {
    let step = try compile(["matrix-product": "host", "gather": "of no concern here"])
    #expect(step.plan.steps.map(\.variant) == ["host"])
    #expect(try step.run()[0].elements(as: Float.self) == [10, 13, 28, 40])
  }

  @Test("a variant that does not exist is refused, with those that do")
  func unknown() throws {
    #expect(
      throws: DeviceError.invalidArgument(
        call: "compile",
        reason: "matrix-product has no variant 'fast'. "
          + "Its variants are host, packed, tiled-128, tiled-64, tiled-32, panels, registers, naive, tiled-128x64, "
          + "tiled-64x128, tiled-128-shallow, tiled-64-fine.")
    ) { try compile(["matrix-product": "fast"]) }
  }

  @Test("a variant of other devices is refused, and no other takes its place")
  func foreign() throws {
    let error = try #require(throws: DeviceError.self) { try compile(["matrix-product": "naive"]) }
    guard case .unsupported(_, let feature, let remedy) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(
      feature == "variant 'naive' of matrix-product for float32[1, 2, 3] and float32[1, 3, 2]")
    #expect(remedy == "Those that run there are host, packed.")
  }
}

@Suite struct PoisonTests {
  @Test("poison is NaN in what a step computes, and spares its inputs")
  func poison() throws {
    let executor = try PlanExecutor(DeviceCatalog.shared.device(named: "cpu"))
    let parameter = Parameter(.ones([5]))
    let step = try executor.compile(StepDescription(outputs: [parameter.tensor + 1]))
    try step.poison()
    #expect(try step.readOutputs()[0].elements(as: Float.self).allSatisfy(\.isNaN))
    #expect(try executor.values(of: parameter).elements(as: Float.self) == [1, 1, 1, 1, 1])
    #expect(try step.run()[0].elements(as: Float.self) == [2, 2, 2, 2, 2])
  }
}
