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
    /// In another place in each iteration, as motion `i` says.
    case moving(Int)
  }

  /// Launches that are run several times over.
  public struct Repetition: Sendable, Hashable {
    /// Which launches; ranges of repetitions are nested or apart.
    public internal(set) var steps: Range<Int>
    /// How often.
    public let count: Int
    /// The repetition around this one.
    public let parent: Int?
  }

  /// How a value moves: in iteration t it is slice `(step * t + first) mod places` of another value.
  public struct Motion: Sendable, Hashable {
    /// An iteration in which the value lies elsewhere.
    public struct Exception: Sendable, Hashable {
      /// Which iteration.
      public let iteration: Int
      /// The value that it is then.
      public let value: Int
    }

    /// The repetition whose iterations count.
    public let repetition: Int
    /// The value that the slices are of.
    public let value: Int
    /// Bytes from one slice to the next.
    public let byteStride: Int
    /// Slices from one iteration to the next: 1 or -1.
    public let step: Int
    /// The slice of iteration 0.
    public let first: Int
    /// The number of slices.
    public let places: Int
    /// The iteration that is different, if one is.
    public let exception: Exception?

    /// The slice in `iteration`.
    func slice(in iteration: Int) -> Int {
      let slice = (step * iteration + first) % places
      return slice < 0 ? slice + places : slice
    }
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
    /// The extents of the largest array that the operation reads and of the largest that it writes, such as
    /// `64x32 -> 64`; once where both are equal, and without ones in front.
    public let shapes: String
    /// The bytes of the arrays that are read and written, each once: those of a loop as far as it reads them, others
    /// whole.
    public let byteCount: Double
    /// Floating-point operations, nil where nobody knows. Of an operation of several launches, the first has all, or
    /// the first within the repetition where some are before it.
    public let operationCount: Double?

    /// The values that are read.
    public var reads: ArraySlice<Int> { bindings.dropLast(writtenCount) }
    /// The values that are written.
    public var writes: ArraySlice<Int> { bindings.suffix(writtenCount) }
  }

  /// The launches in order.
  public internal(set) var steps: [Step] = []
  /// The launches that are repeated; outer repetitions come before those within them.
  public internal(set) var repetitions: [Repetition] = []
  /// All values.
  public internal(set) var values: [Value] = []
  /// How values of repetitions move.
  public internal(set) var motions: [Motion] = []
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
  /// The value that index checks record what they find in; nil where there are none.
  public internal(set) var indexStatus: Int?
  /// Whose indices each check looks at, by the number that it records.
  public internal(set) var checkedOperations: [String] = []
  /// The parameters that are read or written.
  public internal(set) var parameters: [Parameter] = []

  /// The values whose memory `value` is ever in: itself, unless it moves.
  func memory(of value: Int) -> [Int] {
    guard case .moving(let index) = values[value].storage else { return [value] }
    let motion = motions[index]
    return memory(of: motion.value) + (motion.exception.map { memory(of: $0.value) } ?? [])
  }

  /// Device memory beyond parameters, in bytes: arenas, inputs and constants.
  public var workingByteCount: Int {
    arenaByteCounts.reduce(0, +) + inputs.reduce(0) { $0 + $1.byteCount }
      + constants.reduce(0) { $0 + $1.byteCount }
  }
}

extension Plan: CustomStringConvertible {
  /// A table: one line a step, repeated ones indented, then what memory it takes.
  public var description: String {
    var rows = [["step", "kernel", "variant", "groups", "reads", "writes"]]
    for (number, step) in steps.enumerated() {
      for (index, repetition) in repetitions.enumerated()
      where repetition.steps.lowerBound == number && !repetition.steps.isEmpty {
        let indent = String(repeating: "  ", count: depth(of: index))
        rows.append(["", "\(indent)repeat \(repetition.count) times", "", "", "", ""])
      }
      let inner = repetitions.indices.filter { repetitions[$0].steps.contains(number) }.map {
        depth(of: $0) + 1
      }
      rows.append([
        "\(number)", String(repeating: "  ", count: inner.max() ?? 0) + step.label, step.variant,
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

  /// The number of repetitions around repetition `index`.
  private func depth(of index: Int) -> Int { repetitions[index].parent.map { depth(of: $0) + 1 } ?? 0 }

  private func text(_ value: Int) -> String { "\(values[value].label)@\(place(of: value))" }

  private func place(of value: Int) -> String {
    switch values[value].storage {
    case .arena(let arena, let offset): return "a\(arena)+\(offset)"
    case .input(let index): return "i\(index)"
    case .constant(let index): return "c\(index)"
    case .parameter(let index): return "p\(index)"
    case .moving(let index):
      let motion = motions[index]
      let slice =
        motion.step > 0
        ? motion.first == 0 ? "t" : "t\(motion.first > 0 ? "+" : "")\(motion.first)" : "\(motion.first)-t"
      let exception = motion.exception.map { ", or \(place(of: $0.value)) at \($0.iteration)" } ?? ""
      let isShort = motion.exception != nil && motion.places < repetitions[motion.repetition].count - 1
      return "\(place(of: motion.value))[\(isShort ? "(\(slice))%\(motion.places)" : slice)\(exception)]"
    }
  }
}

extension String {
  /// The text filled up with spaces to `width` characters.
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - count))
  }
}
