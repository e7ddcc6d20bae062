import CHostLoops

/// The weight gradient of a convolution of many channels: for each group, `outputs x windows^T` summed over positions
/// and the batch, with channels innermost.
///
/// A task copies what a piece of the positions meets in a block of channels, and lays the channels of each element side
/// by side. What neighbouring taps of a position meet is then one row, which the kernel for `weights x windows` reads
/// where it lies, with outputs in the weights' place and positions as the depth. Only positions are: nothing between
/// rows is read as one. Pieces are dealt to a number of parts that the shape fixes; the parts' sums are added in order.
struct WindowWeightProduct: Sendable {
  private let convolution: Convolution
  private let kernels: ProductKernels
  private let pieces: [WindowPiece]
  /// The place of each position of a piece in its region.
  private let places: [[Int32]]
  /// Items of a task's step, and steps of the batch.
  private let items, batches: Int
  /// Blocks of channels.
  private let blocks: Int
  private let parts: Int
  /// Taps whose elements are neighbours: those of a row of the kernel, or single ones.
  private let runTaps: Int

  /// The number of tasks below which the batch is divided as well.
  private static let wantedTasks = 16
  /// About the most channels of a task.
  private static let mostChannels = 64
  /// About the most positions of a piece: with a block of channels they stay in the second level of the cache.
  private static let mostPositions = 1024
  /// About the most positions of one product: two vectors of their windows stay in the first level of the cache.
  private static let mostDepth = 128

  /// The convolution with `kernels`, or with the fastest ones of this processor.
  init(_ convolution: Convolution, kernels: ProductKernels? = nil) {
    self.convolution = convolution
    self.kernels = kernels ?? ProductKernels(elementSize: convolution.elementSize)
    let phase = WindowPhase.all(of: convolution, isBackward: false)[0]
    pieces = phase.pieces(
      Self.mostPositions, sourceExtents: convolution.input, targetExtents: convolution.output,
      unit: self.kernels.lanes)
    places = pieces.map { piece in
      piece.drains.flatMap { drain in
        let run = piece.runs[Int(drain.place) / Int(piece.runs[0].count)]
        return (0..<drain.count).map { run.place + drain.place - run.column + $0 }
      }
    }
    items = pieces.count == 1 ? min(convolution.batch, max(1, Self.mostDepth / pieces[0].count)) : 1
    batches = (convolution.batch + items - 1) / items
    // Offsets of positions have 32 bits.
    let largest = items * (pieces.map(\.regionSize).max() ?? 1)
    let mostChannels = max(1, min(Self.mostChannels, Int(Int32.max) / largest))
    blocks = (convolution.channels + mostChannels - 1) / mostChannels
    parts = min(
      (Self.wantedTasks + blocks * convolution.groups - 1) / (blocks * convolution.groups),
      batches * pieces.count)
    runTaps = convolution.stride[2] == convolution.dilation[2] ? convolution.kernel[2] : 1
  }

  /// Whether this is faster than `WindowWeightDots`: there are channels for whole vectors, and each copied element
  /// meets enough taps and features.
  static func isFaster(for convolution: Convolution) -> Bool {
    convolution.channels >= ProductKernels(elementSize: convolution.elementSize).lanes
      && convolution.features * convolution.taps >= 64
  }

  // MARK: - Sums

  /// The channels of a block, the first of which has the most.
  private func channels(ofBlock block: Int) -> Range<Int> {
    evenPart(block, of: blocks, in: convolution.channels)
  }

  /// Columns of the sums of one run of taps of `channels`: a number of vectors.
  private func runColumns(_ channels: Int) -> Int {
    (runTaps * channels + kernels.lanes - 1) / kernels.lanes * kernels.lanes
  }

  /// Columns of a block's sums, taps outside and channels inside.
  private func columns(_ channels: Int) -> Int { convolution.taps / runTaps * runColumns(channels) }

  /// Elements of a block's sums.
  private var blockSize: Int { convolution.features * columns(channels(ofBlock: 0).count) }

  /// Computes `weights` from inputs `x` and outputs `y`.
  func run(x: UnsafeMutableRawPointer, y: UnsafeMutableRawPointer, weights: UnsafeMutableRawPointer) {
    let tasks = convolution.groups * blocks
    let sums = UnsafeMutableRawPointer.allocate(
      byteCount: parts * tasks * blockSize * kernels.elementSize, alignment: 64)
    defer { sums.deallocate() }
    ThreadPool.shared.parallel(count: parts * tasks) { task in
      accumulate(
        evenPart(task / tasks, of: parts, in: batches * pieces.count), group: task % tasks / blocks,
        channels(ofBlock: task % blocks), x, y, into: sums + task * blockSize * kernels.elementSize)
    }
    convolution.isDouble
      ? addParts(sums.assumingMemoryBound(to: Double.self), weights.assumingMemoryBound(to: Double.self))
      : addParts(sums.assumingMemoryBound(to: Float.self), weights.assumingMemoryBound(to: Float.self))
  }

  /// Adds the parts' sums in order, and writes them in the order of the weights.
  private func addParts<Real: BinaryFloatingPoint & Sendable>(
    _ sums: UnsafeMutablePointer<Real>, _ weights: UnsafeMutablePointer<Real>
  ) {
    let (features, taps) = (convolution.features, convolution.taps)
    let partSize = convolution.groups * blocks * blockSize
    ThreadPool.shared.parallel(count: convolution.groups * blocks * features) { task in
      let (group, block, feature) = (task / features / blocks, task / features % blocks, task % features)
      let channels = channels(ofBlock: block)
      let (runColumns, columns) = (runColumns(channels.count), columns(channels.count))
      let row = sums + (group * blocks + block) * blockSize + feature * columns
      for part in 1..<max(parts, 1) {
        let other = row + part * partSize
        for column in 0..<columns { row[column] += other[column] }
      }
      let first = (group * features + feature) * convolution.channels + channels.lowerBound
      var target = weights + first * taps
      for channel in 0..<channels.count {
        for run in 0..<taps / runTaps {
          for tap in 0..<runTaps {
            target[tap] = row[run * runColumns + tap * channels.count + channel]
          }
          target += runTaps
        }
      }
    }
  }

  // MARK: - Products

  /// The sums over some steps of the batch, for a block of channels.
  private func accumulate(
    _ work: Range<Int>, group: Int, _ channels: Range<Int>, _ x: UnsafeMutableRawPointer,
    _ y: UnsafeMutableRawPointer, into sums: UnsafeMutableRawPointer
  ) {
    let (size, features) = (kernels.elementSize, convolution.features)
    let width = channels.count
    func rounded(_ count: Int) -> Int { (count + kernels.lanes + 15) / 16 * 16 }
    let region = pieces.map(\.regionSize).max() ?? 0
    let positions = items * (pieces.map(\.count).max() ?? 0)
    let most = (
      region: rounded(region * width), windows: rounded(items * region * width),
      outputs: rounded(features * min(positions, Self.mostDepth))
    )
    guard
      let scratch = host_thread_scratch((most.region + most.windows + most.outputs) * size + positions * 4)
    else { return }
    let windows = scratch + most.region * size
    let outputs = windows + most.windows * size
    let offsets = (outputs + most.outputs * size).assumingMemoryBound(to: Int32.self)
    for number in work {
      let (piece, places) = (pieces[number % pieces.count], places[number % pieces.count])
      let first = number / pieces.count * items
      let batch = first..<min(first + items, convolution.batch)
      for (index, item) in batch.enumerated() {
        let planes = (item * convolution.groups + group) * convolution.channels + channels.lowerBound
        layWindows(
          piece, planes: width, from: x + planes * convolution.inputCount * size, by: scratch,
          to: windows + index * piece.regionSize * width * size)
        for (position, place) in places.enumerated() {
          offsets[index * piece.count + position] = Int32((index * piece.regionSize + Int(place)) * width)
        }
      }
      // The last vector of the last window may reach over the end.
      (windows + batch.count * piece.regionSize * width * size)
        .initializeMemory(as: UInt8.self, repeating: 0, count: kernels.lanes * size)
      let slices = (batch.count * piece.count + Self.mostDepth - 1) / Self.mostDepth
      for slice in 0..<slices {
        // Where there are several items, there is one slice.
        let part = evenPart(slice, of: slices, in: piece.count)
        layOutputs(piece, part, batch, group: group, from: y, to: outputs)
        for run in 0..<convolution.taps / runTaps {
          kernels.table.pointee.window_block(
            features, runColumns(width), batch.count * part.count, outputs,
            windows + Int(piece.taps[run * runTaps]) * width * size, offsets + part.lowerBound,
            sums + run * runColumns(width) * size, columns(width),
            number > work.lowerBound || slice > 0 ? 1 : 0)
        }
      }
    }
  }

  /// Writes a piece's region of some planes, planes innermost, to `windows`.
  private func layWindows(
    _ piece: WindowPiece, planes: Int, from inputs: UnsafeMutableRawPointer,
    by region: UnsafeMutableRawPointer, to windows: UnsafeMutableRawPointer
  ) {
    let transpose = kernels.table.pointee.pack_across
    if let place = piece.place {
      let elements = inputs + place * kernels.elementSize
      transpose(windows, elements, convolution.inputCount, planes, planes, piece.regionSize)
    } else {
      piece.fill(region, planes: planes, from: inputs, step: convolution.inputCount, kernels)
      transpose(windows, region, piece.regionSize, planes, planes, piece.regionSize)
    }
  }

  /// Packs tiles of the outputs at some positions of a piece, of some items: a piece's outputs are neighbours.
  private func layOutputs(
    _ piece: WindowPiece, _ part: Range<Int>, _ batch: Range<Int>, group: Int,
    from y: UnsafeMutableRawPointer, to outputs: UnsafeMutableRawPointer
  ) {
    let (features, size) = (convolution.features, kernels.elementSize)
    let tiles = (features + kernels.tileRows - 1) / kernels.tileRows
    var packed = outputs
    for tile in 0..<tiles {
      let rows = evenPart(tile, of: tiles, in: features)
      for item in batch {
        let plane = (item * convolution.groups + group) * features + rows.lowerBound
        let place = plane * convolution.outputCount + Int(piece.drains[0].source) + part.lowerBound
        kernels.table.pointee.pack_across(
          packed, y + place * size, convolution.outputCount, rows.count, rows.count, part.count)
        packed += rows.count * part.count * size
      }
    }
  }
}
