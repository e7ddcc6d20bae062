import HeklaArrays
import HeklaDevices

extension KernelProgram {
  /// The number of a new temporary of `byteCount` bytes.
  mutating func temporary(_ byteCount: Int) -> KernelCall.Operand {
    temporaries.append(byteCount)
    return .temporary(temporaries.count - 1)
  }

  /// `count` terms in windows that a loop of `device` may go over, one as a rule: where each begins, and its length.
  static func windows(of count: Int, on device: Capabilities) -> [(first: Int, count: Int)] {
    let most = device.loopIterationLimit / 2
    return (0..<count.groups(of: most)).map { ($0 * most, min(most, count - $0 * most)) }
  }

  /// Sorts pairs of `uint32` keys and payloads by the keys' low bits, stably; see `Shaders/README.md`.
  ///
  /// - Parameters:
  ///   - count: The number of pairs.
  ///   - bitCount: How many low bits of the keys count.
  ///   - limit: Keys above it count as it.
  ///   - keys: The keys; they are only read.
  ///   - payloads: What moves with them; the keys' positions when nil.
  /// - Returns: The sorted keys and payloads.
  mutating func sortPairs(
    count: Int, bitCount: Int, limit: UInt32 = .max, keys: KernelCall.Operand,
    payloads: KernelCall.Operand? = nil
  ) -> (keys: KernelCall.Operand, payloads: KernelCall.Operand) {
    let (localSize, bits, items) = (128, 4, 8)
    let tiles = count.groups(of: localSize * items)
    let passes = max(bitCount.groups(of: bits), 1)
    let counts = temporary(4 * ((tiles << bits) + (1 << bits)))
    let pairs = (0..<min(passes, 2)).map { _ in (keys: temporary(4 * count), payloads: temporary(4 * count)) }
    let geometry: [UInt32: UInt32] = [0: UInt32(localSize), 1: UInt32(bits), 2: UInt32(items)]
    var source = (keys: keys, payloads: payloads ?? keys)
    for pass in 0..<passes {
      let push = [UInt32(count), UInt32(pass * bits), limit, UInt32(tiles)]
      let target = pairs[pass % 2]
      let isNumbered = pass == 0 && payloads == nil
      calls += [
        KernelCall(
          .shader("radix_histogram", constants: geometry), bindings: [source.keys, counts],
          groupCount: GroupCount(folding: tiles), pushConstants: push),
        KernelCall(
          .shader("radix_scan", constants: [0: UInt32(localSize)]), bindings: [counts],
          groupCount: GroupCount(1 << bits), pushConstants: [UInt32(1 << bits), UInt32(tiles)]),
        KernelCall(
          .shader("radix_scatter", constants: geometry.merging([3: isNumbered ? 1 : 0]) { $1 }),
          bindings: [source.keys, source.payloads, counts, target.keys, target.payloads], writing: 2,
          groupCount: GroupCount(folding: tiles), pushConstants: push),
      ]
      source = target
    }
    return source
  }

  /// Sorts `indices` by row: their order, and where each row's stretch of it starts.
  mutating func sortSegments(
    count: Int, rows: Int, indices: KernelCall.Operand, offsets: KernelCall.Operand
  ) -> KernelCall.Operand {
    let sorted = sortPairs(
      count: count, bitCount: Int.bitWidth - rows.leadingZeroBitCount, limit: UInt32(rows), keys: indices)
    calls.append(
      KernelCall(
        .shader("segment_offsets", constants: [0: 256]), bindings: [sorted.keys, offsets],
        groupCount: GroupCount(folding: (rows + 1).groups(of: 256)),
        pushConstants: [UInt32(count), UInt32(rows)]))
    return sorted.payloads
  }

  /// Sums the segments of `values`, shape `[count, columns]`, into `rows` rows.
  mutating func sumSegments(
    count: Int, columns: Int, rows: Int, values: KernelCall.Operand, order: KernelCall.Operand,
    offsets: KernelCall.Operand, on device: Capabilities
  ) {
    let usesVectors = columns % 4 == 0
    let width = usesVectors ? columns / 4 : columns
    let isLong = count / rows >= 256 && rows * width < 4096
    let groups = isLong ? rows * width.groups(of: 256 / 32) : (rows * width).groups(of: 64)
    calls += Self.windows(of: count, on: device).map { window in
      KernelCall(
        .shader(
          isLong ? "segment_sum_long" : "segment_sum", constants: [0: isLong ? 256 : 64, 1: 1],
          defines: usesVectors ? ["VECTORS": "1"] : [:]),
        bindings: [values, order, offsets, .output], groupCount: GroupCount(folding: groups),
        pushConstants: [rows, width, count, window.first, window.count].map(UInt32.init))
    }
  }
}
