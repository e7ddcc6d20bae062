import CHostLoops
import HeklaArrays
import HeklaDevices

/// A `Loop` compiled for the processor.
///
/// Without a reduction the loop is one `Stage` over its points. With one there are two: the body's stage gives
/// blocks of values that are folded into accumulators, and the epilogue's stage turns accumulators into
/// results. How the points are cut into blocks, chunks and partial folds depends on the loop alone, never on
/// the number of threads, and so do the bits of every result.
public enum LoopKernel {
  /// The host kernel `name` that runs `loop`, compiled now.
  ///
  /// A loop that cannot run, because it is malformed or uses an operation on a type that has none, gives a
  /// kernel that throws when it runs.
  public static func source(for loop: Loop, name: String) -> HostSource {
    source(for: loop, name: name, pool: .shared, library: .best)
  }

  /// The same on another pool of threads or another level of vector instructions.
  static func source(for loop: Loop, name: String, pool: ThreadPool, library: BlockLibrary) -> HostSource {
    let runner: Result<any LoopRunner, DeviceError>
    do throws(DeviceError) {
      let nest = Nest(loop)
      runner =
        loop.accumulators.isEmpty
        ? .success(try ElementwiseRunner(loop, nest: nest, library: library))
        : .success(try ReductionRunner(loop, nest: nest, library: library))
    } catch {
      runner = .failure(error)
    }
    return HostSource(
      name: name, key: "loop \(library.name) \(loop.canonicalText)", runner: runner,
      sizes: BindingSizes([loop]),
      pool: pool)
  }
}

extension HostSource {
  /// The kernel that runs `runner` on memory of at least `sizes`, or throws why there is none.
  init(
    name: String, key: String, runner: Result<any LoopRunner, DeviceError>, sizes: BindingSizes,
    pool: ThreadPool
  ) {
    self.init(name: name, key: key) { (arguments: HostArguments) throws(DeviceError) in
      let runner = try runner.get()
      if runner.isEmpty { return }
      try sizes.check(arguments.bindings, kernel: name)
      withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer.self, capacity: max(sizes.count, 1)) {
        addresses in
        guard let base = addresses.baseAddress else { return }
        for position in 0..<sizes.count {
          guard let address = arguments.bindings[position].baseAddress else { return }
          (base + position).initialize(to: address)
        }
        runner.run(UnsafePointer(base), pool: pool)
      }
    }
  }
}

/// A compiled loop.
protocol LoopRunner: Sendable {
  /// Whether there is nothing to do.
  var isEmpty: Bool { get }

  /// Runs the loop on memory that `BindingSizes` has checked.
  func run(_ bindings: UnsafePointer<UnsafeMutableRawPointer>, pool: ThreadPool)
}

/// How large the bound memory must be.
struct BindingSizes: Sendable {
  /// The bytes each binding needs at least.
  private let byteCounts: [Int]

  var count: Int { byteCounts.count }

  /// What `loops` need of all bindings but the last `temporaryCount`.
  init(_ loops: [Loop], leavingOut temporaryCount: Int = 0) {
    let last = loops.flatMap { $0.reads.map(\.binding) + $0.writes.map(\.binding) }.max() ?? -1
    var byteCounts = [Int](repeating: 0, count: last + 1)
    for loop in loops {
      let extents = loop.extents + loop.reductionExtents
      func require(_ binding: Int, _ index: Loop.Affine, _ type: ElementType) {
        guard binding >= 0 else { return }
        let last = Nest.range(of: index, extents: extents).upperBound
        byteCounts[binding] = max(byteCounts[binding], (last + 1) * type.byteCount)
      }
      if !extents.contains(0) {
        // What guarded reads need depends on their guards, whose maker answers for them.
        for read in loop.reads where read.guards.isEmpty {
          require(read.binding, read.index, read.elementType)
        }
      }
      if !loop.extents.contains(0) {
        for write in loop.writes { require(write.binding, write.index, write.elementType) }
      }
    }
    self.byteCounts = byteCounts.dropLast(temporaryCount)
  }

  func check(_ bindings: [UnsafeMutableRawBufferPointer], kernel: String) throws(DeviceError) {
    guard bindings.count >= byteCounts.count else {
      throw .invalidArgument(
        call: "dispatch of \(kernel)",
        reason: "\(bindings.count) buffers are bound where the kernel uses \(byteCounts.count).")
    }
    for position in byteCounts.indices where bindings[position].count < byteCounts[position] {
      throw .invalidArgument(
        call: "dispatch of \(kernel)",
        reason:
          "binding \(position) has \(bindings[position].count) bytes where the kernel uses \(byteCounts[position])."
      )
    }
  }
}
