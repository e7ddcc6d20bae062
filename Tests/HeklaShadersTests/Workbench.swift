import HeklaDevices
import HeklaShaders
import Testing

/// A device on which a test runs kernels between guarded buffers.
struct Workbench {
  let device: any Device
  let queue: any Queue

  /// A bench on the first device of `interface`.
  init(_ interface: ShaderDevice) throws {
    device = try interface.device()
    queue = try device.makeQueue()
  }

  /// The kernel `name` of the library.
  func kernel(
    _ name: String, _ constants: [UInt32: Int], defines: [String: String] = [:]
  ) throws -> any Kernel {
    let text = try #require(ShaderLibrary.kernel(named: name), "there is no kernel \(name)")
    let bits = constants.mapValues { UInt32(truncatingIfNeeded: $0) }
    return try device.makeKernel(
      .glsl(GLSLSource(name: name, text: text, constants: bits, defines: defines)))
  }

  /// A buffer that holds `values`, then guard words.
  func input<Element: BitwiseCopyable>(_ values: [Element]) throws -> GuardedBuffer {
    try GuardedBuffer(values.withUnsafeBytes { [UInt8]($0) }, on: self)
  }

  /// A buffer of `wordCount` words of NaN, then guard words.
  func output(wordCount: Int) throws -> GuardedBuffer {
    try input([UInt32](repeating: GuardedBuffer.poison, count: wordCount))
  }

  /// Runs `dispatches` one after the other.
  func run(_ dispatches: [Dispatch]) throws {
    let commands = dispatches.flatMap { [Command.barrier, .dispatch($0)] }
    try queue.submit(try queue.record(commands))
    try queue.waitUntilIdle()
  }

  /// Runs `dispatches` three times on poisoned `outputs`, which must come out the same each time.
  func runThrice(_ dispatches: [Dispatch], outputs: [GuardedBuffer]) throws {
    var seen: [[UInt32]] = []
    for _ in 0..<3 {
      for output in outputs { try output.fillWithPoison() }
      try run(dispatches)
      seen.append(try outputs.flatMap { try $0.words() })
    }
    #expect(seen[0] == seen[1] && seen[1] == seen[2], "three runs gave different bits")
  }
}

/// Device memory with words after its end that nothing may touch.
///
/// Kernels are bound to the guard too, so that a driver that drops accesses beyond a binding hides nothing: a
/// write shows in the guard, a read brings NaN, or an index far out of range, into the result.
final class GuardedBuffer {
  /// A quiet NaN that no kernel computes.
  static let poison: UInt32 = 0x7FFF_DEAD
  private static let guardByteCount = 256

  let byteCount: Int
  private let buffer: any Buffer
  private let queue: any Queue

  init(_ bytes: [UInt8], on bench: Workbench) throws {
    byteCount = bytes.count
    queue = bench.queue
    let padding = (4 - byteCount % 4) % 4
    buffer = try bench.device.makeBuffer(byteCount: byteCount + padding + Self.guardByteCount)
    let tail = [UInt32](repeating: Self.poison, count: Self.guardByteCount / 4)
    let padded = bytes + [UInt8](repeating: 0xFF, count: padding) + tail.withUnsafeBytes { [UInt8]($0) }
    try padded.withUnsafeBytes { try queue.write($0, to: slice) }
  }

  /// The memory with its guard.
  var slice: BufferSlice { BufferSlice(buffer) }

  /// Makes every word before the guard NaN.
  func fillWithPoison() throws {
    let words = [UInt32](repeating: Self.poison, count: (byteCount + 3) / 4)
    try words.withUnsafeBytes {
      try queue.write($0, to: BufferSlice(buffer, offset: 0, byteCount: $0.count))
    }
  }

  /// All words before the guard, which must be untouched.
  func words(sourceLocation: SourceLocation = #_sourceLocation) throws -> [UInt32] {
    var words = [UInt32](repeating: 0, count: buffer.byteCount / 4)
    try words.withUnsafeMutableBytes { try queue.read(slice, into: $0) }
    let count = (byteCount + 3) / 4
    #expect(
      words[count...].allSatisfy { $0 == Self.poison }, "a write past the end",
      sourceLocation: sourceLocation)
    return Array(words[..<count])
  }

  /// All elements as `Float`.
  func floats(sourceLocation: SourceLocation = #_sourceLocation) throws -> [Float] {
    try words(sourceLocation: sourceLocation).map { Float(bitPattern: $0) }
  }

  /// All elements as `Double`.
  func doubles(sourceLocation: SourceLocation = #_sourceLocation) throws -> [Double] {
    let words = try words(sourceLocation: sourceLocation)
    return stride(from: 0, to: words.count, by: 2).map {
      Double(bitPattern: UInt64(words[$0]) | UInt64(words[$0 + 1]) << 32)
    }
  }
}

extension GroupCount {
  /// At least `count` groups, no axis longer than `limit`: how the kernels unfold them is in `grid.glsl`.
  ///
  /// A small limit makes a test cross the axes with few groups and leaves some over.
  init(folding count: Int, limit: Int = 65_535) {
    let x = min(count, limit)
    let rows = (count + x - 1) / x
    let y = min(rows, limit)
    self.init(x, y, (rows + y - 1) / y)
  }
}

/// The least integer not below `left / right`.
func ceilingDivide(_ left: Int, _ right: Int) -> Int { (left + right - 1) / right }
