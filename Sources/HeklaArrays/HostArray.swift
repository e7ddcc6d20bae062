/// A dense array in the process's own memory, in row-major order: what goes to a device and comes back.
///
/// A value: copies share storage until one of them is written to.
public struct HostArray: Sendable {
  /// The extents, outermost first.
  public private(set) var shape: Shape
  /// What one element is.
  public let elementType: ElementType
  private var storage: HostStorage

  /// An array of zeros.
  /// - Parameters:
  ///   - shape: The extents of the array.
  ///   - elementType: What one element is.
  public init(zeros shape: Shape, of elementType: ElementType = .float32) {
    self.shape = shape
    self.elementType = elementType
    storage = HostStorage(byteCount: shape.count * elementType.byteCount)
  }

  /// An array that holds `elements` in row-major order.
  /// - Precondition: `elements.count == shape.count`.
  public init<Element: ArrayElement>(_ elements: [Element], shape: Shape) {
    require(
      elements.count == shape.count,
      "HostArray: \(elements.count) elements cannot fill shape \(shape), which holds \(shape.count)")
    self.init(zeros: shape, of: Element.elementType)
    elements.withUnsafeBytes { source in withUnsafeMutableBytes { $0.copyMemory(from: source) } }
  }

  /// A one-dimensional array that holds `elements`.
  public init<Element: ArrayElement>(_ elements: [Element]) { self.init(elements, shape: [elements.count]) }

  /// An array of rank 0.
  public init<Element: ArrayElement>(scalar value: Element) { self.init([value], shape: []) }

  /// The two words of `key`, `uint32` of shape `[2]`: a key as a step takes it.
  public init(_ key: RandomKey) { self.init([key.words.x, key.words.y]) }

  /// An array of `elementType` with the values of `numbers`, rounded where the type is narrower.
  ///
  /// Floating-point types round to nearest; integers truncate toward zero and saturate, NaN becomes 0;
  /// `bool` is true for every value but 0.
  /// - Precondition: `numbers.count == shape.count`.
  public init(converting numbers: [Double], shape: Shape, to elementType: ElementType) {
    require(
      numbers.count == shape.count,
      "HostArray: \(numbers.count) elements cannot fill shape \(shape), which holds \(shape.count)")
    switch elementType {
    case .float32: self.init(numbers.map(Float.init), shape: shape)
    case .float64: self.init(numbers, shape: shape)
    case .float16: self.init(numbers.map { Float16($0) }, shape: shape)
    case .bfloat16: self.init(numbers.map { BFloat16(Float($0)) }, shape: shape)
    case .int32: self.init(numbers.map { Int32(saturating: $0) }, shape: shape)
    case .uint32: self.init(numbers.map { UInt32(saturating: $0) }, shape: shape)
    case .int64: self.init(numbers.map { Int64(saturating: $0) }, shape: shape)
    case .uint8: self.init(numbers.map { UInt8(saturating: $0) }, shape: shape)
    case .bool: self.init(numbers.map { $0 != 0 }, shape: shape)
    }
  }

  /// The number of elements.
  public var count: Int { shape.count }

  /// The size of all elements in bytes.
  public var byteCount: Int { shape.count * elementType.byteCount }

  /// The elements in row-major order.
  /// - Precondition: `Element` is the array's own element type; use `doubles()` to convert.
  public func elements<Element: ArrayElement>(as type: Element.Type = Element.self) -> [Element] {
    require(
      Element.elementType == elementType,
      "HostArray: elements are \(elementType), asked for as \(Element.elementType); doubles() converts")
    return withUnsafeBytes { Array($0.bindMemory(to: Element.self)) }
  }

  /// The elements in row-major order, as `Double`: exact for every type but `int64` beyond 2^53.
  public func doubles() -> [Double] {
    switch elementType {
    case .float32: elements(as: Float.self).map(Double.init)
    case .float64: elements(as: Double.self)
    case .float16: elements(as: Float16.self).map(Double.init)
    case .bfloat16: elements(as: BFloat16.self).map { Double($0.floatValue) }
    case .int32: elements(as: Int32.self).map(Double.init)
    case .uint32: elements(as: UInt32.self).map(Double.init)
    case .int64: elements(as: Int64.self).map(Double.init)
    case .uint8: elements(as: UInt8.self).map(Double.init)
    case .bool: elements(as: Bool.self).map { $0 ? 1 : 0 }
    }
  }

  /// The same values as another element type; see `init(converting:shape:to:)` for the rounding.
  public func converted(to type: ElementType) -> HostArray {
    type == elementType ? self : HostArray(converting: doubles(), shape: shape, to: type)
  }

  /// The same elements under other extents.
  /// - Precondition: `newShape.count == count`.
  public func reshaped(to newShape: Shape) -> HostArray {
    require(newShape.count == count, "HostArray: \(shape) cannot be reshaped to \(newShape)")
    var copy = self
    copy.shape = newShape
    return copy
  }

  /// The rows that `rows` names along the outermost axis, in that order.
  /// - Precondition: The rank is at least 1, and every entry of `rows` is in `0..<shape[0]`.
  public func gatheringRows(_ rows: [Int]) -> HostArray {
    require(shape.rank >= 1, "HostArray: a scalar has no rows to gather")
    require(
      rows.allSatisfy { (0..<shape[0]).contains($0) }, "HostArray: a row is out of range for shape \(shape)")
    var result = HostArray(zeros: Shape([rows.count] + shape.extents.dropFirst()), of: elementType)
    let rowByteCount = shape[0] == 0 ? 0 : byteCount / shape[0]
    guard rowByteCount > 0 else { return result }
    withUnsafeBytes { source in
      result.withUnsafeMutableBytes { target in
        for (position, row) in rows.enumerated() {
          let bytes = UnsafeRawBufferPointer(
            rebasing: source[(row * rowByteCount)..<((row + 1) * rowByteCount)])
          UnsafeMutableRawBufferPointer(rebasing: target[(position * rowByteCount)...]).copyMemory(
            from: bytes)
        }
      }
    }
    return result
  }

  /// Calls `body` with the elements' bytes.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeRawBufferPointer(start: storage.pointer, count: byteCount))
  }

  /// Calls `body` with the elements' bytes for writing; other copies of the array do not change.
  public mutating func withUnsafeMutableBytes<Result, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    if !isKnownUniquelyReferenced(&storage) { storage = HostStorage(copying: storage) }
    return try body(UnsafeMutableRawBufferPointer(start: storage.pointer, count: byteCount))
  }
}

extension HostArray: Equatable {
  /// Whether shape, element type and every bit agree; so NaN equals itself and -0 differs from 0.
  public static func == (left: HostArray, right: HostArray) -> Bool {
    left.shape == right.shape && left.elementType == right.elementType
      && left.withUnsafeBytes { a in right.withUnsafeBytes { b in a.elementsEqual(b) } }
  }
}

/// Zeroed memory, aligned for the widest vector loads.
///
/// `@unchecked Sendable`: written only while uniquely referenced, which `HostArray` checks.
private final class HostStorage: @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
  private let byteCount: Int

  init(byteCount: Int) {
    self.byteCount = byteCount
    pointer = .allocate(byteCount: max(byteCount, 64), alignment: 64)
    pointer.initializeMemory(as: UInt8.self, repeating: 0, count: max(byteCount, 64))
  }

  convenience init(copying other: HostStorage) {
    self.init(byteCount: other.byteCount)
    pointer.copyMemory(from: other.pointer, byteCount: byteCount)
  }

  deinit { pointer.deallocate() }
}

extension FixedWidthInteger {
  /// `value` truncated toward zero, held at the type's bounds; NaN becomes 0.
  fileprivate init(saturating value: Double) {
    if value.isNaN {
      self = 0
    } else if value <= Double(Self.min) {
      self = .min
    } else if value >= Double(Self.max) {
      self = .max
    } else {
      self = Self(value)
    }
  }
}
