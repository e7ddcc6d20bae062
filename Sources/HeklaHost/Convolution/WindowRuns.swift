import CHostLoops

/// Which elements of a plane meet a tap of the kernel, for a stretch of positions in the plane on the other side.
struct WindowRuns {
  /// Extents of the planes that positions count through, and of those that elements are read from.
  private let positions, sources: [Int]
  private let kernel, stride, dilation, before: [Int]
  /// Whether positions are inputs and elements are read from the output.
  private let isBackward: Bool

  /// Rows of one tap: neighbours that become neighbours, and zeros.
  private(set) var runs: [HostProductRun] = []

  init(_ convolution: Convolution, isBackward: Bool) {
    positions = isBackward ? convolution.input : convolution.output
    sources = isBackward ? convolution.output : convolution.input
    kernel = convolution.kernel
    stride = convolution.stride
    dilation = convolution.dilation
    before = convolution.before
    self.isBackward = isBackward
  }

  /// The coordinate along `axis` of the element that meets `offset` of the kernel at `position`; nil for none.
  private func source(_ axis: Int, _ position: Int, _ offset: Int) -> Int? {
    if isBackward {
      let shifted = position + before[axis] - offset * dilation[axis]
      guard shifted >= 0, shifted % stride[axis] == 0 else { return nil }
      let result = shifted / stride[axis]
      return result < sources[axis] ? result : nil
    }
    let result = position * stride[axis] + offset * dilation[axis] - before[axis]
    return result >= 0 && result < sources[axis] ? result : nil
  }

  private mutating func add(_ place: Int, _ count: Int, _ source: Int?) {
    guard count > 0 else { return }
    if let last = runs.last {
      let continues =
        last.source < 0 ? source == nil : source.map { $0 == Int(last.source + last.count) } ?? false
      if continues {
        runs[runs.count - 1].count += Int32(count)
        return
      }
    }
    runs.append(HostProductRun(place: Int32(place), count: Int32(count), source: Int32(source ?? -1)))
  }

  /// Finds the runs of `tap` for `range` of positions, the first going to place 0, and zeros up to `width` places.
  mutating func find(tap: Int, _ range: Range<Int>, width: Int) {
    runs.removeAll(keepingCapacity: true)
    let (kx, ky, kz) = (tap % kernel[2], tap / kernel[2] % kernel[1], tap / kernel[2] / kernel[1])
    var position = range.lowerBound
    while position < range.upperBound {
      let row = position / positions[2]
      let end = min(range.upperBound, (row + 1) * positions[2])
      let place = position - range.lowerBound
      if let z = source(0, row / positions[1], kz), let y = source(1, row % positions[1], ky) {
        addRow(
          position - row * positions[2]..<end - row * positions[2], kx,
          start: (z * sources[1] + y) * sources[2],
          place: place)
      } else {
        add(place, end - position, nil)
      }
      position = end
    }
    add(range.count, width - range.count, nil)
  }

  /// The runs of a stretch of one row.
  private mutating func addRow(_ range: Range<Int>, _ kx: Int, start: Int, place: Int) {
    guard stride[2] == 1 else {
      for x in range { add(place + x - range.lowerBound, 1, source(2, x, kx).map { start + $0 }) }
      return
    }
    let shift = isBackward ? before[2] - kx * dilation[2] : kx * dilation[2] - before[2]
    let first = min(max(-shift, range.lowerBound), range.upperBound)
    let last = max(min(sources[2] - shift, range.upperBound), first)
    add(place, first - range.lowerBound, nil)
    add(place + first - range.lowerBound, last - first, start + first + shift)
    add(place + last - range.lowerBound, range.upperBound - last, nil)
  }
}
