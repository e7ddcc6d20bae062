import HeklaDevices

/// The passes of one sort of pairs on a bench.
struct RadixSort {
  var localSize = 128
  var bitsPerPass = 4
  var keysPerInvocation = 8

  /// Sorts `keys` by their low `bitCount` bits; payloads are the positions, or `payloads`.
  ///
  /// - Parameter limit: Keys above it count as it.
  /// - Returns: The dispatches, and the buffers that hold the sorted keys and payloads after them.
  func dispatches(
    keys: GuardedBuffer, payloads: GuardedBuffer? = nil, bitCount: Int, limit: UInt32 = .max,
    on bench: Workbench
  ) throws -> (dispatches: [Dispatch], keys: GuardedBuffer, payloads: GuardedBuffer) {
    let count = keys.byteCount / 4
    let tiles = ceilingDivide(count, localSize * keysPerInvocation)
    let digits = 1 << bitsPerPass
    let shared = [0: localSize, 1: bitsPerPass, 2: keysPerInvocation] as [UInt32: Int]
    let histogram = try bench.kernel("radix_histogram", shared)
    let scan = try bench.kernel("radix_scan", [0: localSize])
    let counts = try bench.output(wordCount: digits * tiles + digits)
    let pairs = try (0..<2).map { _ in
      (keys: try bench.output(wordCount: count), payloads: try bench.output(wordCount: count))
    }
    var source = (keys: keys, payloads: payloads ?? keys)
    var dispatches: [Dispatch] = []
    for (pass, shift) in stride(from: 0, to: bitCount, by: bitsPerPass).enumerated() {
      let target = pairs[pass % 2]
      let isNumbered = pass == 0 && payloads == nil
      let scatter = try bench.kernel("radix_scatter", shared.merging([3: isNumbered ? 1 : 0]) { $1 })
      let extents = [UInt32(count), UInt32(shift), limit, UInt32(tiles)]
      dispatches += [
        Dispatch(
          histogram, bindings: [source.keys.slice, counts.slice],
          groupCount: GroupCount(folding: tiles, limit: 3), pushConstants: extents, label: "radix_histogram"),
        Dispatch(
          scan, bindings: [counts.slice], groupCount: GroupCount(folding: digits, limit: 3),
          pushConstants: [UInt32(digits), UInt32(tiles)], label: "radix_scan"),
        Dispatch(
          scatter,
          bindings: [
            source.keys.slice, source.payloads.slice, counts.slice, target.keys.slice, target.payloads.slice,
          ],
          groupCount: GroupCount(folding: tiles, limit: 3), pushConstants: extents, label: "radix_scatter"),
      ]
      source = target
    }
    return (dispatches, source.keys, source.payloads)
  }
}
