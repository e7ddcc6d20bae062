/// The extents of an array, outermost first. A scalar's shape is `[]`.
public struct Shape: Sendable, Hashable {
  /// How many elements lie along each axis, outermost first; none is negative.
  public let extents: [Int]

  /// The shape with these extents.
  /// - Precondition: No extent is negative.
  public init(_ extents: [Int]) {
    require(extents.allSatisfy { $0 >= 0 }, "Shape: an extent is negative in \(extents)")
    self.extents = extents
  }

  /// The number of axes.
  public var rank: Int { extents.count }

  /// The number of elements: the product of the extents, 1 for a scalar.
  public var count: Int { extents.reduce(1, *) }

  /// Elements to step over to move by one along each axis, when the elements lie in row-major order.
  public var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * extents[axis + 1]
    }
    return strides
  }

  /// The extent along `axis`; a negative axis counts from the innermost, -1.
  /// - Precondition: `axis` names an axis of this shape.
  public subscript(axis: Int) -> Int { extents[normalized(axis: axis)] }

  /// `axis` as an index into `extents`; a negative axis counts from the innermost, -1.
  /// - Precondition: `axis` is in `-rank..<rank`.
  public func normalized(axis: Int) -> Int {
    let index = axis < 0 ? axis + rank : axis
    require(extents.indices.contains(index), "axis \(axis) is out of range for shape \(self)")
    return index
  }

  /// This shape with `axes` reduced: dropped, or kept with extent 1.
  /// - Precondition: Every entry of `axes` is a normalized axis of this shape.
  public func reduced(along axes: [Int], keepingAxes: Bool) -> Shape {
    Shape(
      extents.indices.compactMap { axis in
        axes.contains(axis) ? (keepingAxes ? 1 : nil) : extents[axis]
      })
  }

  /// The shape that `self` and `other` broadcast to, aligned at the innermost axis, or nil when they disagree.
  ///
  /// Extents that differ broadcast only when one of them is 1, as in NumPy.
  public func broadcast(with other: Shape) -> Shape? {
    let rank = max(self.rank, other.rank)
    var result = [Int](repeating: 1, count: rank)
    for offset in 1...max(rank, 1) where offset <= rank {
      let mine = offset <= self.rank ? extents[self.rank - offset] : 1
      let theirs = offset <= other.rank ? other.extents[other.rank - offset] : 1
      guard mine == theirs || mine == 1 || theirs == 1 else { return nil }
      result[rank - offset] = mine == 1 ? theirs : mine
    }
    return Shape(result)
  }

  /// The coordinates of the element at `index` in row-major order.
  public func coordinates(ofIndex index: Int) -> [Int] {
    var remainder = index
    return strides.indices.map { axis in
      let step = strides[axis]
      defer { remainder %= max(step, 1) }
      return step == 0 ? 0 : remainder / step
    }
  }
}

extension Shape: ExpressibleByArrayLiteral {
  /// The shape with these extents, outermost first.
  public init(arrayLiteral extents: Int...) { self.init(extents) }
}

extension Shape: CustomStringConvertible {
  /// The extents in brackets, such as `[2, 3]`.
  public var description: String { "[\(extents.map(String.init).joined(separator: ", "))]" }
}

extension Shape: Codable {
  /// Reads the extents as an array of whole numbers.
  public init(from decoder: any Decoder) throws {
    let extents = try [Int](from: decoder)
    guard extents.allSatisfy({ $0 >= 0 }) else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath, debugDescription: "a shape has no negative extent, found \(extents)"
        ))
    }
    self.init(extents)
  }

  /// Writes the extents as an array of whole numbers.
  public func encode(to encoder: any Encoder) throws { try extents.encode(to: encoder) }
}
