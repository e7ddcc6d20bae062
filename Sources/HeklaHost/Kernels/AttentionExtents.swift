import CHostLoops
import HeklaDevices

/// The extents and masks of an attention on the host.
///
/// Parameters: batch, heads, groups, queries S, keys T, depth D, width E, flags, the scale's bits. Flags by bit:
/// 0 a mask; 1...4 it varies with batch, head, query, key; 5 lengths; 6 causal; 7...10 Q, K, V, O lie interleaved, as
/// [batch, S, heads, D], and so do their gradients.
struct AttentionExtents: Sendable {
  let batch, heads, groups, queries, keys, depth, width: Int
  let scale: Float
  /// Elements of the mask; of its axes those count along which it varies.
  let maskCount: Int
  private let flags: Int

  init?(_ parameters: [Int]) {
    guard parameters.count == 9, parameters.allSatisfy({ $0 >= 0 }), parameters[2] > 0 else { return nil }
    (batch, heads, groups, queries) = (parameters[0], parameters[1], parameters[2], parameters[3])
    (keys, depth, width, flags) = (parameters[4], parameters[5], parameters[6], parameters[7])
    scale = Float(bitPattern: UInt32(truncatingIfNeeded: parameters[8]))
    var maskCount = parameters[7] & 1
    for (axis, extent) in [batch, heads, queries, keys].enumerated() where parameters[7] & (2 << axis) != 0 {
      maskCount *= extent
    }
    self.maskCount = maskCount
  }

  var hasMask: Bool { flags & 1 != 0 }
  var hasLengths: Bool { flags & 32 != 0 }
  var isCausal: Bool { flags & 64 != 0 }

  /// The stream of keys that a stream of queries reads.
  func group(of stream: Int) -> Int { stream / heads * groups + stream % heads / (heads / groups) }

  /// Where a stream's rows lie: the element that the first begins with, and elements from one to the next.
  struct Rows {
    let start, step: Int

    func place(_ row: Int) -> Int { start + row * step }
  }

  /// The rows of Q and dQ of a stream of queries.
  func queryRows(_ stream: Int) -> Rows {
    rows(stream, of: heads, queries, depth, isInterleaved: flags & 128 != 0)
  }
  /// The rows of K and dK of a stream of keys.
  func keyRows(_ group: Int) -> Rows { rows(group, of: groups, keys, depth, isInterleaved: flags & 256 != 0) }
  /// The rows of V and dV of a stream of keys.
  func valueRows(_ group: Int) -> Rows {
    rows(group, of: groups, keys, width, isInterleaved: flags & 512 != 0)
  }
  /// The rows of O and dO of a stream of queries.
  func resultRows(_ stream: Int) -> Rows {
    rows(stream, of: heads, queries, width, isInterleaved: flags & 1024 != 0)
  }

  private func rows(_ stream: Int, of streams: Int, _ count: Int, _ extent: Int, isInterleaved: Bool) -> Rows
  {
    isInterleaved
      ? Rows(start: (stream / streams * count * streams + stream % streams) * extent, step: streams * extent)
      : Rows(start: stream * count * extent, step: extent)
  }

  /// The scores of `queries` of `stream` with `keys`, of which the first `limit` exist, `step` floats from one query's
  /// to the next one's.
  func block(
    _ stream: Int, _ queries: Range<Int>, _ keys: Range<Int>, limit: Int, step: Int,
    mask: UnsafePointer<Float>?
  ) -> HostAttentionBlock {
    let count = isCausal ? queries.lowerBound + 1 - keys.lowerBound : limit - keys.lowerBound
    var block = HostAttentionBlock(
      queries: queries.count, keys: keys.count, step: step, scale: scale, count: count,
      count_step: isCausal ? 1 : 0, mask: nil, mask_row_step: 0, mask_step: flags & 16 != 0 ? 1 : 0,
      mask_count: 0)
    guard hasMask, let mask else { return block }
    let rowStep = flags & 16 != 0 ? self.keys : 1
    var at = flags & 2 != 0 ? stream / heads : 0
    if flags & 4 != 0 { at = at * heads + stream % heads }
    if flags & 8 != 0 { at = at * self.queries + queries.lowerBound }
    at = at * rowStep + (flags & 16 != 0 ? keys.lowerBound : 0)
    (block.mask, block.mask_count) = (mask + at, maskCount - at)
    block.mask_row_step = flags & 8 != 0 ? rowStep : 0
    return block
  }
}

/// The memory of an attention's inputs.
///
/// `@unchecked Sendable`: the inputs are only read while the kernel runs.
struct AttentionMemory: @unchecked Sendable {
  let queries, keys, values: UnsafePointer<Float>
  let mask: UnsafePointer<Float>?
  private let lengths: UnsafePointer<Int32>?
  private let extents: AttentionExtents

  init(_ extents: AttentionExtents, _ arguments: HostArguments, kernel: String) throws(DeviceError) {
    self.extents = extents
    func floats(_ number: Int, _ count: Int) throws(DeviceError) -> UnsafePointer<Float> {
      try arguments.floats(number, count: count, kernel: kernel)
    }
    let (own, other) = (
      extents.batch * extents.heads * extents.queries, extents.batch * extents.groups * extents.keys
    )
    queries = try floats(0, own * extents.depth)
    keys = try floats(1, other * extents.depth)
    values = try floats(2, other * extents.width)
    mask = extents.hasMask ? try floats(3, extents.maskCount) : nil
    lengths =
      extents.hasLengths
      ? UnsafePointer(
        try arguments.elements(4, count: extents.batch, as: Int32.self, kernel: kernel).baseAddress) : nil
  }

  /// How many keys the queries of `stream` before `end` may read at most.
  func limit(_ stream: Int, before end: Int) -> Int {
    let own = lengths.map { max(0, min(Int($0[stream / extents.heads]), extents.keys)) } ?? extents.keys
    return extents.isCausal ? min(own, end) : own
  }
}

extension HostArguments {
  /// The start of binding `number`, checked to have `count` floats.
  func floats(_ number: Int, count: Int, kernel: String) throws(DeviceError) -> UnsafeMutablePointer<Float> {
    guard let start = try elements(number, count: max(count, 1), as: Float.self, kernel: kernel).baseAddress
    else {
      throw .invalidArgument(call: kernel, reason: "binding \(number) is empty.")
    }
    return start
  }

  func floats(_ number: Int, count: Int, kernel: String) throws(DeviceError) -> UnsafePointer<Float> {
    let start: UnsafeMutablePointer<Float> = try floats(number, count: count, kernel: kernel)
    return UnsafePointer(start)
  }
}
