import CHostLoops

/// The weight gradient of a convolution, transposed: for each group `sum over the batch of windows x output^T`.
///
/// The windows, `[channels * taps, positions]`, are unrolled for a block of channels and a stretch of positions
/// at a time. Where there are few blocks, stretches are dealt to a number of parts that the shape fixes; the
/// parts' sums are added in order.
///
/// `@unchecked Sendable`: tasks read the same memory and write to their own parts of the sums.
struct WindowWeightGradient: @unchecked Sendable {
  private let convolution: Convolution
  private let kernels: ProductKernels
  private let x, y, weights: UnsafeMutableRawPointer
  /// Channels in a block of rows; positions in a stretch.
  private let blockChannels: Int
  private let blocks: Int
  private let stretches: Int
  private let parts: Int

  /// The most rows of unrolled windows, and the most positions: half of a second-level cache of 1 MiB together.
  private static let mostRows = 576
  private static let mostPositions = 256
  /// The number of tasks below which the batch is divided as well.
  private static let wantedTasks = 16

  init(
    _ convolution: Convolution, x: UnsafeMutableRawPointer, y: UnsafeMutableRawPointer,
    weights: UnsafeMutableRawPointer
  ) {
    self.convolution = convolution
    (self.x, self.y, self.weights) = (x, y, weights)
    kernels = ProductKernels(elementSize: convolution.elementSize)
    blockChannels = min(convolution.channels, max(1, Self.mostRows / convolution.taps))
    blocks = (convolution.channels + blockChannels - 1) / blockChannels
    stretches = (convolution.outputCount + Self.mostPositions - 1) / Self.mostPositions
    let tasks = blocks * convolution.groups
    parts = min((Self.wantedTasks + tasks - 1) / tasks, convolution.batch * stretches)
  }

  private var rows: Int { convolution.channels * convolution.taps }

  func run() {
    let (size, features, groups) = (kernels.elementSize, convolution.features, convolution.groups)
    let partCount = groups * rows * features
    let sums = UnsafeMutableRawPointer.allocate(byteCount: parts * partCount * size, alignment: 64)
    defer { sums.deallocate() }
    ThreadPool.shared.parallel(count: parts * groups * blocks) { task in
      let (part, group, block) = (task / blocks / groups, task / blocks % groups, task % blocks)
      accumulate(
        evenPart(part, of: parts, in: convolution.batch * stretches), group: group,
        block * blockChannels..<min((block + 1) * blockChannels, convolution.channels),
        into: sums + (part * partCount + group * rows * features) * size)
    }
    ThreadPool.shared.parallel(count: groups * features) { feature in
      if convolution.isDouble {
        add(
          sums.assumingMemoryBound(to: Double.self), partCount, feature,
          weights.assumingMemoryBound(to: Double.self))
      } else {
        add(
          sums.assumingMemoryBound(to: Float.self), partCount, feature,
          weights.assumingMemoryBound(to: Float.self))
      }
    }
  }

  /// Writes the weights of one feature: the parts' sums, in order.
  private func add<Real: BinaryFloatingPoint>(
    _ sums: UnsafeMutablePointer<Real>, _ partCount: Int, _ feature: Int, _ result: UnsafeMutablePointer<Real>
  ) {
    let features = convolution.features
    let start = sums + feature / features * rows * features + feature % features
    for row in 0..<rows {
      var sum = start[row * features]
      for part in 1..<max(parts, 1) { sum += start[part * partCount + row * features] }
      result[feature * rows + row] = sum
    }
  }

  /// The product of windows and outputs over some stretches of some items, for a block of channels.
  private func accumulate(
    _ work: Range<Int>, group: Int, _ channels: Range<Int>, into sums: UnsafeMutableRawPointer
  ) {
    let (taps, size, panel) = (convolution.taps, kernels.elementSize, 2 * kernels.lanes)
    let (inputCount, outputCount) = (convolution.inputCount, convolution.outputCount)
    let features = convolution.features
    let most = min(Self.mostPositions, outputCount)
    let leftByteCount = (channels.count * taps * most * size + 127) / 64 * 64
    let rightByteCount = (features + panel) * most * size + 64
    guard let scratch = host_thread_scratch(leftByteCount + rightByteCount) else { return }
    let packedRight = scratch + leftByteCount
    var finder = WindowRuns(convolution, isBackward: false)
    for number in work {
      let item = number / stretches
      let range = evenPart(number % stretches, of: stretches, in: outputCount)
      let planes =
        x + ((item * convolution.groups + group) * convolution.channels + channels.lowerBound) * inputCount
        * size
      for tap in 0..<taps {
        finder.find(tap: tap, range, width: range.count)
        finder.runs.withUnsafeBufferPointer { runs in
          guard let first = runs.baseAddress else { return }
          kernels.table.pointee.pack_runs(
            scratch + tap * range.count * size, taps * range.count, planes, inputCount, channels.count, first,
            runs.count)
        }
      }
      let outputs =
        y + ((item * convolution.groups + group) * features * outputCount + range.lowerBound) * size
      for column in Swift.stride(from: 0, to: features, by: panel) {
        let count = min(panel, features - column)
        kernels.table.pointee.pack_across(
          packedRight + column * range.count * size, outputs + column * outputCount * size, outputCount,
          count,
          kernels.panelWidth(count), range.count)
      }
      var left = HostProductLeft(elements: UnsafeRawPointer(scratch), row_step: range.count, step: 1)
      var right = HostProductRight(elements: UnsafeRawPointer(packedRight), step: 0, edge: nil)
      kernels.table.pointee.block(
        channels.count * taps, features, range.count, &left, &right,
        sums + channels.lowerBound * taps * features * size,
        features, number > work.lowerBound ? 1 : 0)
    }
  }
}
