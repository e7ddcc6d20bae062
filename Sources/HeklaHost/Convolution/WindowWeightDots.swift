import CHostLoops

/// The weight gradient of a convolution of few channels: for each group, `outputs x windows^T` summed over positions
/// and the batch, with positions innermost.
///
/// A task copies what a piece of the positions meets in some planes of the input, and the outputs beside it, then
/// forms the dot products of each feature's outputs with each plane's and tap's windows where they lie. Pieces are
/// dealt to a number of parts that the shape fixes; the parts' sums are added in order.
struct WindowWeightDots: Sendable {
  private let convolution: Convolution
  private let kernels: ProductKernels
  private let pieces: [WindowPiece]
  /// The offset of each plane and tap of a block, for each piece.
  private let offsets: [[Int32]]
  /// Items of a task's step, and steps of the batch.
  private let items, batches: Int
  /// Channels in a block.
  private let blockChannels: Int
  private let blocks: Int
  private let parts: Int
  /// Columns that are no positions exist, whose outputs are 0 but whose windows need not be finite.
  private let hasGaps: Bool

  /// The number of tasks below which the batch is divided as well.
  private static let wantedTasks = 16
  /// About the most windows of a task.
  private static let mostWindows = 432

  /// The convolution with `kernels`, or with the fastest ones of this processor.
  init(_ convolution: Convolution, kernels: ProductKernels? = nil) {
    self.convolution = convolution
    self.kernels = kernels ?? ProductKernels(elementSize: convolution.elementSize)
    let phase = WindowPhase.all(of: convolution, isBackward: false)[0]
    // Offsets of planes have 32 bits, in the input, where it is read in place, and in regions.
    let largest = max(convolution.inputCount, phase.largestRegionSize)
    blockChannels = max(
      1, min(convolution.channels, Int(Int32.max) / largest, Self.mostWindows / convolution.taps))
    blocks = (convolution.channels + blockChannels - 1) / blockChannels
    // Four features' outputs stay in the first level of the cache, a block of channels in the second.
    let limit = 2048
    pieces = phase.pieces(
      limit, sourceExtents: convolution.input, targetExtents: convolution.output, unit: self.kernels.lanes)
    items = pieces.count == 1 ? min(convolution.batch, max(1, limit / pieces[0].count)) : 1
    batches = (convolution.batch + items - 1) / items
    parts = min(
      (Self.wantedTasks + blocks * convolution.groups - 1) / (blocks * convolution.groups),
      batches * pieces.count)
    let block = blockChannels
    offsets = pieces.map { piece in
      let step = piece.place == nil ? piece.regionSize : convolution.inputCount
      return (0..<block).flatMap { plane in piece.taps.map { $0 + Int32(plane * step) } }
    }
    hasGaps = pieces.contains { $0.count < $0.columns }
  }

  private var depth: Int { convolution.channels * convolution.taps }

  /// Computes `weights` from inputs `x` and outputs `y`.
  func run(x: UnsafeMutableRawPointer, y: UnsafeMutableRawPointer, weights: UnsafeMutableRawPointer) {
    let (size, groups) = (kernels.elementSize, convolution.groups)
    let count = groups * convolution.features * depth
    let sums = UnsafeMutableRawPointer.allocate(byteCount: parts * count * size, alignment: 64)
    defer { sums.deallocate() }
    func compute(isMasked: Bool) -> Bool {
      ThreadPool.shared.parallel(count: parts * groups * blocks) { task in
        let (part, group, block) = (task / blocks / groups, task / blocks % groups, task % blocks)
        accumulate(
          evenPart(part, of: parts, in: batches * pieces.count), group: group,
          block * blockChannels..<min((block + 1) * blockChannels, convolution.channels), x, y,
          into: sums + (part * count + group * convolution.features * depth) * size, isMasked: isMasked)
      }
      return convolution.isDouble
        ? addParts(sums.assumingMemoryBound(to: Double.self), weights.assumingMemoryBound(to: Double.self))
        : addParts(sums.assumingMemoryBound(to: Float.self), weights.assumingMemoryBound(to: Float.self))
    }
    // Where an input is not finite, its product with the 0 between positions is not 0.
    if !compute(isMasked: false), hasGaps { _ = compute(isMasked: true) }
  }

  /// Writes the parts' sums, in order, and returns whether all are finite.
  private func addParts<Real: BinaryFloatingPoint & Sendable>(
    _ sums: UnsafeMutablePointer<Real>, _ weights: UnsafeMutablePointer<Real>
  ) -> Bool {
    let count = convolution.groups * convolution.features * depth
    var isFinite = true
    for index in 0..<count {
      var sum = sums[index]
      for part in 1..<max(parts, 1) { sum += sums[part * count + index] }
      weights[index] = sum
      isFinite = isFinite && sum.isFinite
    }
    return isFinite
  }

  /// The dot products over some steps of the batch, for a block of channels.
  private func accumulate(
    _ work: Range<Int>, group: Int, _ channels: Range<Int>, _ x: UnsafeMutableRawPointer,
    _ y: UnsafeMutableRawPointer, into sums: UnsafeMutableRawPointer, isMasked: Bool
  ) {
    let (size, taps, features) = (kernels.elementSize, convolution.taps, convolution.features)
    let (inputCount, outputCount) = (convolution.inputCount, convolution.outputCount)
    for feature in 0..<features {
      (sums + (feature * depth + channels.lowerBound * taps) * size)
        .initializeMemory(as: UInt8.self, repeating: 0, count: channels.count * taps * size)
    }
    func rounded(_ count: Int) -> Int { (count + 15) / 16 * 16 }
    let most = (
      region: rounded(items * channels.count * (pieces.map(\.regionSize).max() ?? 0) + kernels.lanes),
      outputs: rounded(items * features * (pieces.map(\.columns).max() ?? 0)),
      mask: rounded(pieces.map(\.columns).max() ?? 0)
    )
    guard let region = host_thread_scratch((most.region + most.outputs + most.mask) * size) else { return }
    let packed = region + most.region * size
    let mask = packed + most.outputs * size
    for number in work {
      let (piece, offsets) = (pieces[number % pieces.count], offsets[number % pieces.count])
      let first = number / pieces.count * items
      let count = min(items, convolution.batch - first)
      let isInPlace = piece.place != nil && piece.isContiguous
      let place = piece.place ?? 0
      let outer = first * convolution.groups + group
      let inputs = x + (outer * convolution.channels + channels.lowerBound) * inputCount * size
      let outputs = y + outer * features * outputCount * size
      let itemInputs = convolution.groups * convolution.channels * inputCount
      let itemOutputs = convolution.groups * features * outputCount
      if !isInPlace {
        for item in 0..<count {
          piece.fill(
            region + item * channels.count * piece.regionSize * size, planes: channels.count,
            from: inputs + item * itemInputs * size, step: inputCount, kernels)
          fillOutputs(
            packed + item * features * piece.columns * size, piece, from: outputs + item * itemOutputs * size)
        }
      }
      if isMasked { fillMask(mask, piece) }
      piece.runs.withUnsafeBufferPointer { runs in
        guard let runStart = runs.baseAddress else { return }
        var dots = HostWindowDots(
          runs: runStart, run_count: runs.count, item_count: count,
          windows: isInPlace ? inputs + place * size : region,
          window_item_step: isInPlace ? itemInputs : channels.count * piece.regionSize,
          outputs: isInPlace ? outputs + place * size : packed,
          output_step: isInPlace ? outputCount : piece.columns,
          output_item_step: isInPlace ? itemOutputs : features * piece.columns,
          mask: isMasked ? UnsafeRawPointer(mask) : nil)
        offsets.withUnsafeBufferPointer { offsets in
          guard let offsets = offsets.baseAddress else { return }
          kernels.table.pointee.window_dots(
            features, channels.count * taps, &dots, offsets, sums + channels.lowerBound * taps * size, depth)
        }
      }
    }
  }

  /// The outputs of a piece by columns, 0 where there is no position.
  private func fillOutputs(
    _ packed: UnsafeMutableRawPointer, _ piece: WindowPiece, from outputs: UnsafeMutableRawPointer
  ) {
    let step = piece.columns
    if piece.count < piece.columns {
      packed.initializeMemory(
        as: UInt8.self, repeating: 0, count: convolution.features * step * kernels.elementSize)
    }
    piece.drains.withUnsafeBufferPointer { runs in
      guard let first = runs.baseAddress else { return }
      kernels.table.pointee.pack_runs(
        packed, step, outputs, convolution.outputCount, 1, convolution.features, first, runs.count)
    }
  }

  /// All bits set in each column that is a position.
  private func fillMask(_ mask: UnsafeMutableRawPointer, _ piece: WindowPiece) {
    let size = kernels.elementSize
    mask.initializeMemory(as: UInt8.self, repeating: 0, count: piece.columns * size)
    for run in piece.drains {
      (mask + Int(run.place) * size).initializeMemory(
        as: UInt8.self, repeating: 0xFF, count: Int(run.count) * size)
    }
  }
}
