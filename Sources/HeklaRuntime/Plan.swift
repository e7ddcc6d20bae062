import HeklaArrays
import HeklaDevices
import HeklaTensors

/// A computation made ready for one kind of device: launches in order, and where every value lies.
///
/// Knows no buffers yet; `PlanExecutor` gives it memory. `print(plan)` shows a table.
public struct Plan: Sendable {
  /// Where a value lies.
  public enum Storage: Sendable, Hashable {
    /// In a buffer shared by values of different lifetimes.
    case arena(Int, offset: Int)
    /// In the buffer of argument `i`.
    case input(Int)
    /// In the buffer of constant `i`.
    case constant(Int)
    /// In the buffer of parameter `i`.
    case parameter(Int)
  }

  /// An array that steps read or write.
  public struct Value: Sendable {
    /// Shape and type; for temporaries, bytes.
    public let signature: Signature
    /// Where it lies.
    public internal(set) var storage: Storage
    /// What the table calls it.
    public let label: String
  }

  /// One launch.
  public struct Step: Sendable {
    /// What is computed.
    public let label: String
    /// Which of several ways.
    public let variant: String
    /// The kernel.
    public let source: KernelSource
    /// The value of each binding.
    public let bindings: [Int]
    /// How many of the last bindings are written.
    public let writtenCount: Int
    /// The number of workgroups.
    public let groupCount: GroupCount
    /// The push constants.
    public let pushConstants: [UInt32]

    /// The values that are read.
    public var reads: ArraySlice<Int> { bindings.dropLast(writtenCount) }
    /// The values that are written.
    public var writes: ArraySlice<Int> { bindings.suffix(writtenCount) }
  }

  /// The launches in order.
  public internal(set) var steps: [Step] = []
  /// All values.
  public internal(set) var values: [Value] = []
  /// Copies after the last step: from a value into a parameter's buffer.
  public internal(set) var copies: [(value: Int, parameter: Int)] = []
  /// The value of each output; nil where an output has no elements.
  public internal(set) var outputs: [Int?] = []
  /// What each output looks like.
  public internal(set) var outputSignatures: [Signature] = []
  /// The size of each arena in bytes.
  public internal(set) var arenaByteCounts: [Int] = []
  /// The bytes of guard words before and after each array in arenas, inputs and constants; 0 where there are none.
  public internal(set) var guardByteCount = 0
  /// The arguments of a run.
  public internal(set) var inputs: [Signature] = []
  /// The constants to upload before the first run.
  public internal(set) var constants: [HostArray] = []
  /// The parameters that are read or written.
  public internal(set) var parameters: [Parameter] = []

  /// Device memory beyond parameters, in bytes: arenas, inputs and constants.
  public var workingByteCount: Int {
    arenaByteCounts.reduce(0, +) + inputs.reduce(0) { $0 + $1.byteCount }
      + constants.reduce(0) { $0 + $1.byteCount }
  }
}

extension Plan: CustomStringConvertible {
  /// A table: one line a step, then what memory it takes.
  public var description: String {
    var rows = [["step", "kernel", "variant", "groups", "reads", "writes"]]
    for (number, step) in steps.enumerated() {
      rows.append([
        "\(number)", step.label, step.variant,
        "\(step.groupCount.x)x\(step.groupCount.y)x\(step.groupCount.z)",
        step.reads.map(text).joined(separator: " "), step.writes.map(text).joined(separator: " "),
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var lines = rows.map { row in
      var line = ""
      for (cell, width) in zip(row, widths) { line += cell.padded(to: width) + "  " }
      while line.hasSuffix(" ") { line.removeLast() }
      return line
    }
    for copy in copies { lines.append("copy \(text(copy.value)) to p\(copy.parameter)") }
    let arena = arenaByteCounts.reduce(0, +)
    lines.append(
      "\(steps.count) steps, \(arena) bytes in \(arenaByteCounts.count) arena\(arenaByteCounts.count == 1 ? "" : "s"), "
        + "\(parameters.count) parameters")
    return lines.joined(separator: "\n")
  }

  private func text(_ value: Int) -> String {
    let place: String =
      switch values[value].storage {
      case .arena(let arena, let offset): "a\(arena)+\(offset)"
      case .input(let index): "i\(index)"
      case .constant(let index): "c\(index)"
      case .parameter(let index): "p\(index)"
      }
    return "\(values[value].label)@\(place)"
  }
}

extension String {
  /// The text filled up with spaces to `width` characters.
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - count))
  }
}
