import HeklaArrays
import HeklaDevices
import HeklaTensors
import Synchronization

/// The fastest that a device has been seen to compute and to move data, in `float32`: what kernels are held against.
///
/// Measured on the device itself by the framework's own kernels, so it is no promise of the hardware's: a kernel may
/// come out above 1 where its data lies in a cache, or where it is better than the matrix product that was measured.
/// Source: Williams, Waterman and Patterson 2009, "Roofline: an insightful visual performance model".
public struct Roofline: Sendable, Hashable {
  /// Floating-point operations in a second.
  public let operationsPerSecond: Double
  /// Bytes in a second, read or written.
  public let bytesPerSecond: Double
  /// What reached each, in a few words.
  public let operationsSource, bytesSource: String

  /// A roofline of numbers that are known.
  public init(
    operationsPerSecond: Double, bytesPerSecond: Double, operationsSource: String = "",
    bytesSource: String = ""
  ) {
    (self.operationsPerSecond, self.bytesPerSecond) = (operationsPerSecond, bytesPerSecond)
    (self.operationsSource, self.bytesSource) = (operationsSource, bytesSource)
  }

  /// The least time that so many operations and bytes would take, as a share of the time that they did.
  public func share(operations: Double, bytes: Double, nanoseconds: Double) -> Double {
    max(operations / operationsPerSecond, bytes / bytesPerSecond) * 1e9 / nanoseconds
  }

  private static let known = Mutex<[ObjectIdentifier: Roofline]>([:])

  /// The roofline of `device`, measured once in a process: in about half a second, apart from compiling kernels.
  public static func measured(on device: any Device) throws(DeviceError) -> Roofline {
    // Devices live as long as the process, so that none takes another's place.
    let key = ObjectIdentifier(device)
    if let found = known.withLock({ $0[key] }) { return found }
    let probe = RooflineProbe(executor: try PlanExecutor(device))
    let (operations, bytes) = (try probe.operations(), try probe.bytes())
    let roofline = Roofline(
      operationsPerSecond: operations.rate, bytesPerSecond: bytes.rate, operationsSource: operations.source,
      bytesSource: bytes.source)
    known.withLock { $0[key] = roofline }
    return roofline
  }
}

/// The computations that a roofline is measured by.
private struct RooflineProbe {
  let executor: PlanExecutor

  typealias Finding = (rate: Double, source: String)

  private var isSoftware: Bool { executor.device.capabilities.kind == .software }
  private var isGPU: Bool { executor.device.capabilities.kind.isGPU }

  /// The better of a matrix product, of growing size while there is time, and of multiplications and additions in
  /// registers, which the host's loops, that keep nothing there, are no match for.
  func operations() throws(DeviceError) -> Finding {
    var best: Finding = (0, "")
    for extent in isSoftware ? [256] : isGPU ? [1024, 2048, 4096] : [512, 1024] {
      let factors = [0, 1].map { _ in Parameter(.full([extent, extent], 0.5)) }
      let (seconds, _) = try time(of: factors[0].tensor.matrixProduct(factors[1].tensor), from: factors)
      let count = Double(extent)
      let rate = 2 * count * count * count / seconds
      if rate > best.rate { best = (rate, "a matrix product of \(extent)") }
      if seconds > 0.01 { break }
    }
    guard executor.device.capabilities.interface != .host else { return best }
    let values = Parameter(.full([isSoftware ? 1 << 16 : 1 << 22], 0.5))
    let chains = values.tensor.map { x in
      var chains = (0..<8).map { x + Scalar(Double($0)) }
      for _ in 0..<16 { chains = chains.map { $0 * x + 0.25 } }
      return chains.dropFirst().reduce(chains[0]) { $0 + $1 }
    }
    let (seconds, count) = try time(of: chains, from: [values])
    return count / seconds > best.rate
      ? (count / seconds, "multiplications and additions in registers") : best
  }

  /// The better of a copy and of sums of rows, which a processor that reads what it is to overwrite is better at; of
  /// more than caches hold, on software drivers of less for time's sake.
  func bytes() throws(DeviceError) -> Finding {
    let rows = isSoftware ? 1 << 12 : isGPU ? 1 << 16 : 1 << 14
    let values = Parameter(.full([rows, 1 << 10], 0.5))
    let count = Double(values.shape.count)
    let copy = 8 * count / (try time(of: values.tensor.copied, from: [values]).seconds)
    let sums = 4 * count / (try time(of: values.tensor.sum(along: 1), from: [values]).seconds)
    let size = "\(values.shape.count >> 18) MiB"
    return copy > sums ? (copy, "a copy of \(size)") : (sums, "sums of the rows of \(size)")
  }

  /// The least time of a run in seconds, and its floating-point operations.
  private func time(
    of tensor: Tensor, from parameters: [Parameter]
  ) throws(DeviceError) -> (seconds: Double, operations: Double) {
    // A graph does not keep its parameters alive.
    defer { withExtendedLifetime(parameters) {} }
    let step = try executor.compile(StepDescription(outputs: [tensor]))
    func wall(_ replays: Int) throws(DeviceError) -> Double {
      let start = ContinuousClock.now
      for _ in 0..<replays { try step.submit() }
      try step.waitUntilIdle()
      return (.now - start) / .seconds(1) / Double(replays)
    }
    _ = try wall(1)
    let single = try wall(1)
    // Long enough that submission and waiting do not count.
    let replays = max(1, min(100, Int(0.005 / max(single, 1e-6))))
    var least = single
    for _ in 0..<4 { least = min(least, try wall(replays)) }
    return (least, step.plan.steps.reduce(0) { $0 + ($1.operationCount ?? 0) })
  }
}
