import HeklaDevices

/// The iteration space of a loop and every linear function over it, brought into the simplest form.
///
/// Axes of extent 1 are gone, parallel axes lie in the order in which the first write runs through memory, and
/// neighbours are merged where every function allows it. So a copy of any shape is one axis, and rows of a
/// matrix stay rows only where something tells them apart.
struct Nest {
  /// A linear function and the conditions on where it may be used.
  struct Pattern {
    var index: Loop.Affine
    var guards: [Loop.Guard]

    /// All linear functions of the pattern.
    fileprivate var affines: [Loop.Affine] { [index] + guards.map(\.value) }

    fileprivate mutating func changeStrides(_ change: ([Int]) -> [Int]) {
      index.strides = change(index.strides)
      for position in guards.indices {
        guards[position].value.strides = change(guards[position].value.strides)
      }
    }
  }

  private(set) var extents: [Int]
  private(set) var reductionExtents: [Int]
  /// One per read of the loop.
  private(set) var reads: [Pattern]
  /// One per write of the loop.
  private(set) var writes: [Pattern]
  /// The coordinate along an axis of the loop as it was, for each axis that an instruction names.
  private(set) var coordinates: [Int: Pattern] = [:]

  init(_ loop: Loop) {
    extents = loop.extents
    reductionExtents = loop.reductionExtents
    let rank = extents.count + reductionExtents.count
    func padded(_ affine: Loop.Affine) -> Loop.Affine {
      Loop.Affine(
        offset: affine.offset,
        strides: affine.strides + [Int](repeating: 0, count: max(0, rank - affine.strides.count)))
    }
    reads = loop.reads.map { read in
      Pattern(
        index: padded(read.index),
        guards: read.guards.map { Loop.Guard(padded($0.value), lower: $0.lower, upper: $0.upper) })
    }
    writes = loop.writes.map { Pattern(index: padded($0.index), guards: []) }
    for case .coordinate(let axis) in loop.body + loop.epilogue {
      let strides = (0..<rank).map { $0 == axis ? 1 : 0 }
      coordinates[axis] = Pattern(index: Loop.Affine(offset: 0, strides: strides), guards: [])
    }
    // Guards that always hold cost time and keep axes apart.
    for position in reads.indices {
      reads[position].guards.removeAll { condition in
        let range = Self.range(of: condition.value, extents: extents + reductionExtents)
        return range.lowerBound >= condition.lower && range.upperBound < condition.upper
      }
    }
    dropSingleAxes()
    orderByWrites()
    merge()
  }

  /// The number of parallel points.
  var count: Int { extents.reduce(1, *) }
  /// Whether there are no parallel points.
  var isEmpty: Bool { extents.contains(0) }
  /// The number of points that are folded into one.
  var reductionCount: Int { reductionExtents.reduce(1, *) }

  /// The least and greatest value of `affine`; meaningless over empty extents.
  static func range(of affine: Loop.Affine, extents: [Int]) -> ClosedRange<Int> {
    var lower = affine.offset
    var upper = affine.offset
    for (stride, extent) in zip(affine.strides, extents) {
      let span = stride * max(extent - 1, 0)
      if span < 0 { lower += span } else { upper += span }
    }
    return lower...upper
  }

  private mutating func changeStrides(_ change: ([Int]) -> [Int]) {
    for position in reads.indices { reads[position].changeStrides(change) }
    for position in writes.indices { writes[position].changeStrides(change) }
    for axis in coordinates.keys { coordinates[axis]?.changeStrides(change) }
  }

  private mutating func dropSingleAxes() {
    let all = extents + reductionExtents
    changeStrides { strides in all.indices.filter { all[$0] != 1 }.map { strides[$0] } }
    extents.removeAll { $0 == 1 }
    reductionExtents.removeAll { $0 == 1 }
  }

  private mutating func orderByWrites() {
    guard let write = writes.first?.index, extents.count > 1 else { return }
    let order = extents.indices.sorted { left, right in
      let (a, b) = (abs(write.strides[left]), abs(write.strides[right]))
      return a == b ? left < right : a > b
    }
    let rank = extents.count
    changeStrides { strides in order.map { strides[$0] } + strides[rank...] }
    extents = order.map { extents[$0] }
  }

  private mutating func merge() {
    var axis = 0
    while axis + 1 < extents.count + reductionExtents.count {
      let all = extents + reductionExtents
      let isBoundary = axis + 1 == extents.count
      let affines = (reads + writes + coordinates.values).flatMap(\.affines)
      if !isBoundary, affines.allSatisfy({ $0.strides[axis] == $0.strides[axis + 1] * all[axis + 1] }) {
        changeStrides { strides in
          var strides = strides
          strides.remove(at: axis)
          return strides
        }
        if axis < extents.count {
          extents[axis] *= extents[axis + 1]
          extents.remove(at: axis + 1)
        } else {
          let position = axis - extents.count
          reductionExtents[position] *= reductionExtents[position + 1]
          reductionExtents.remove(at: position + 1)
        }
      } else {
        axis += 1
      }
    }
  }
}
