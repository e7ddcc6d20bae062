import CHostLoops

/// A part of a phase's positions, and how to reach what they meet: the same for each plane and item.
///
/// What a piece meets is copied, with the border's zeros, into a region of its own: one volume for each combination
/// of remainders, so that a tap is an offset, whatever the stride, dilation and border. Positions are numbered
/// through the rows of a volume, with some between rows that are none.
struct WindowPiece: Sendable {
  let phase: WindowPhase
  /// The number of positions.
  let count: Int
  /// Elements of one plane's region.
  let regionSize: Int
  /// What fills the region of a plane.
  let fills: [HostProductRun]
  /// The offset of each tap in the region.
  let taps: [Int32]
  /// Where the positions' windows begin, and their columns.
  let runs: [HostWindowRun]
  /// Columns of an item, positions and others.
  let columns: Int
  /// From columns to positions of the target's plane.
  let drains: [HostProductRun]
  /// The part of the source's plane that is the region itself, where there is no border and no step.
  let place: Int?

  init(_ phase: WindowPhase, _ ranges: [Range<Int>], sourceExtents: [Int], targetExtents: [Int], lanes: Int) {
    self.phase = phase
    let axes = phase.axes
    let counts = ranges.map(\.count)
    let extents = zip(axes, counts).map { $0.extent($1) }
    count = counts.reduce(1, *)
    let volume = extents.reduce(1, *)
    let remainders = axes.map(\.remainders)
    regionSize = volume * max(1, remainders.reduce(1) { $0 * $1.count })
    fills = Self.fills(axes, ranges, extents, remainders, sourceExtents)

    var taps: [Int32] = []
    func place(_ axis: Int, _ shift: Int) -> (volume: Int, offset: Int) {
      let distance = shift - axes[axis].least
      return (remainders[axis].firstIndex(of: distance % axes[axis].step) ?? 0, distance / axes[axis].step)
    }
    for z in axes[0].shifts {
      for y in axes[1].shifts {
        for x in axes[2].shifts {
          let (z, y, x) = (place(0, z), place(1, y), place(2, x))
          let number = (z.volume * remainders[1].count + y.volume) * remainders[2].count + x.volume
          let offset = (z.offset * extents[1] + y.offset) * extents[2] + x.offset
          taps.append(Int32(number * volume + offset))
        }
      }
    }
    self.taps = taps

    // A plane's positions are one run, through all of its rows.
    let length = (counts[1] - 1) * extents[2] + counts[2]
    let width = (length + lanes - 1) / lanes * lanes
    runs = (0..<counts[0]).map {
      HostWindowRun(
        place: Int32($0 * extents[1] * extents[2]), column: Int32($0 * width), count: Int32(width))
    }
    columns = counts[0] * width
    var drains: [HostProductRun] = []
    func target(_ axis: Int, _ position: Int) -> Int {
      axes[axis].first + (ranges[axis].lowerBound + position) * axes[axis].spacing
    }
    for z in 0..<counts[0] {
      for y in 0..<counts[1] {
        let place = z * width + y * extents[2]
        let row = (target(0, z) * targetExtents[1] + target(1, y)) * targetExtents[2] + target(2, 0)
        drains.append(HostProductRun(place: Int32(place), count: Int32(counts[2]), source: Int32(row)))
      }
    }
    self.drains = drains
    let isRow = ranges[0] == 0..<1 && ranges[1] == 0..<1 && counts[2] % lanes == 0
    self.place = isRow && phase.isPointwise ? ranges[2].lowerBound : nil
  }

  /// Whether columns are neighbours in the target, so that a product can be written there.
  var isContiguous: Bool { drains.count == 1 && Int(drains[0].count) == columns && spacing == 1 }

  /// Elements of the target from one position of a row to the next.
  var spacing: Int { phase.axes[2].spacing }

  /// Fills the region of some planes, and the vector that may be read behind it.
  ///
  /// - Parameter step: Elements from one plane of the source to the next.
  func fill(
    _ region: UnsafeMutableRawPointer, planes: Int, from source: UnsafeMutableRawPointer, step: Int,
    _ kernels: ProductKernels
  ) {
    let end = region + regionSize * planes * kernels.elementSize
    end.initializeMemory(as: UInt8.self, repeating: 0, count: kernels.lanes * kernels.elementSize)
    fills.withUnsafeBufferPointer { fills in
      guard let first = fills.baseAddress else { return }
      kernels.table.pointee.pack_runs(
        region, regionSize, source, step, phase.axes[2].step, planes, first, fills.count)
    }
  }

  /// The copies into the region of a plane.
  private static func fills(
    _ axes: [WindowAxis], _ ranges: [Range<Int>], _ extents: [Int], _ remainders: [[Int]],
    _ sourceExtents: [Int]
  ) -> [HostProductRun] {
    var runs: [HostProductRun] = []
    var place = 0
    func add(_ count: Int, _ source: Int?) {
      defer { place += count }
      guard count > 0 else { return }
      if source == nil, let last = runs.last, last.source < 0 {
        runs[runs.count - 1].count += Int32(count)
      } else {
        runs.append(HostProductRun(place: Int32(place), count: Int32(count), source: Int32(source ?? -1)))
      }
    }
    func coordinate(_ axis: Int, _ remainder: Int, _ element: Int) -> Int {
      (ranges[axis].lowerBound + element) * axes[axis].step + axes[axis].least + remainder
    }
    func row(_ zRemainder: Int, _ yRemainder: Int, _ xRemainder: Int, _ z: Int, _ y: Int) {
      let (z, y) = (coordinate(0, zRemainder, z), coordinate(1, yRemainder, y))
      guard (0..<sourceExtents[0]).contains(z), (0..<sourceExtents[1]).contains(y) else {
        return add(extents[2], nil)
      }
      let (start, step) = (coordinate(2, xRemainder, 0), axes[2].step)
      let first = min(extents[2], start < 0 ? (-start + step - 1) / step : 0)
      let end = start < sourceExtents[2] ? (sourceExtents[2] - start + step - 1) / step : 0
      let last = max(first, min(extents[2], end))
      add(first, nil)
      add(last - first, (z * sourceExtents[1] + y) * sourceExtents[2] + start + first * step)
      add(extents[2] - last, nil)
    }
    for zRemainder in remainders[0] {
      for yRemainder in remainders[1] {
        for xRemainder in remainders[2] {
          for z in 0..<extents[0] {
            for y in 0..<extents[1] { row(zRemainder, yRemainder, xRemainder, z, y) }
          }
        }
      }
    }
    return runs
  }
}

extension WindowPhase {
  /// Whether each position meets just the element in its own place.
  var isPointwise: Bool {
    axes.allSatisfy {
      $0.shifts == [0] && $0.step == 1 && $0.spacing == 1 && $0.positions == $0.source
    }
  }
}
