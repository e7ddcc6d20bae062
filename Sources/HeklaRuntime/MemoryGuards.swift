import HeklaArrays
import HeklaDevices
import HeklaTensors

/// Words of known patterns before and after every array of a step, which no kernel may change.
///
/// Each guard has a pattern of its own, so that a kernel that copies too much from one array's end to another's
/// shows too. All patterns are NaN in `float32` and `float64`, so that reading one shows in a result.
struct MemoryGuards: Sendable {
  private struct Guard: Sendable {
    let slice: BufferSlice
    let word: UInt32
    /// What lies beside it, such as `before v3 (float32[4, 5])`.
    let place: String
  }

  private let guards: [Guard]
  /// The arrays that launches compute, between their guards.
  let computed: [BufferSlice]

  /// Guards around the values of `plan`, whose memory `slice` gives; none where the plan has no room for them.
  init(_ plan: Plan, slice: (Int) -> BufferSlice) {
    var guards: [Guard] = []
    var computed: [BufferSlice] = []
    // A temporary that no launch uses has no place.
    let touched = plan.guardByteCount > 0 ? plan.steps.flatMap(\.bindings) : []
    let used = Set(touched.flatMap(plan.memory(of:))).sorted()
    for index in used {
      let value = plan.values[index]
      if case .parameter = value.storage { continue }
      let inside = slice(index)
      if case .arena = value.storage { computed.append(inside) }
      let sides = [
        ("before", inside.offset - plan.guardByteCount), ("after", inside.offset + inside.byteCount),
      ]
      for (side, offset) in sides {
        guards.append(
          Guard(
            slice: BufferSlice(inside.buffer, offset: offset, byteCount: plan.guardByteCount),
            word: 0x7FFC_0000 | UInt32(truncatingIfNeeded: guards.count & 0xFFFF),
            place: "\(side) \(value.label) (\(value.signature))"))
      }
    }
    (self.guards, self.computed) = (guards, computed)
  }

  /// Commands that set all guards, in any order.
  var fills: [Command] { guards.map { .fill($0.slice, word: $0.word) } }

  /// One line for each guard that is not as it was set, with the place of its first wrong word.
  func broken(on executor: PlanExecutor) throws(DeviceError) -> [String] {
    var lines: [String] = []
    var contents: [ObjectIdentifier: [UInt32]] = [:]
    for item in guards {
      let buffer = item.slice.buffer
      if contents[ObjectIdentifier(buffer)] == nil {
        let signature = Signature([buffer.byteCount / 4], .uint32)
        contents[ObjectIdentifier(buffer)] = try executor.read(BufferSlice(buffer), signature: signature)
          .elements()
      }
      let (first, count) = (item.slice.offset / 4, item.slice.byteCount / 4)
      let words = contents[ObjectIdentifier(buffer)]?[first..<first + count] ?? []
      guard let wrong = words.firstIndex(where: { $0 != item.word }) else { continue }
      lines.append(
        "word \(wrong - first) of \(count) \(item.place) is 0x\(String(words[wrong], radix: 16)), "
          + "not 0x\(String(item.word, radix: 16))")
    }
    return lines
  }
}

extension Int {
  /// A size in bytes, rounded up to the whole words that kernels write; at least one.
  var wholeWords: Int { (Swift.max(self, 4) + 3) / 4 * 4 }
}
