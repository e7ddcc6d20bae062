import HeklaArrays

/// Arrays of one signature that lie one after the other, each at a place that every device can bind.
///
/// Devices bind memory at multiples of up to 512 bytes (Vulkan allows a driver to ask for 256 at most, NVIDIA's OpenCL
/// asks for 512), so each slice is filled up to that, unless there is only one. What lies in the gaps is undefined and
/// never read.
struct PackedSlices {
  /// What each slice holds.
  let slice: Signature
  /// Elements from one slice to the next.
  let stride: Int

  /// The most that a device's alignment of bindings can be.
  private static let alignment = 512

  /// What a fold of `count` steps is given of each step, or keeps.
  init(slice: Signature, count: Int) {
    self.slice = slice
    let unit = count == 1 ? 1 : Self.alignment / slice.elementType.byteCount
    stride = (slice.shape.count + unit - 1) / unit * unit
  }

  /// Shape and type of `rows` slices together.
  func signature(rows: Int) -> Signature { Signature([rows, stride], slice.elementType) }

  /// The slices of `tensor`, shape `[rows] + slice.shape`, in packed form.
  func packed(_ tensor: Tensor) -> Tensor {
    let rows = tensor.reshaped(to: [tensor.shape[0], slice.shape.count])
    let gap = stride - slice.shape.count
    return gap == 0 ? rows : rows.padded(after: [0, gap])
  }

  /// The slices of `packed`, shape `[rows] + slice.shape`.
  func unpacked(_ packed: Tensor) -> Tensor {
    let size = slice.shape.count
    let rows = size == stride ? packed : packed.sliced(0..<size, along: 1)
    return rows.reshaped(to: Shape([packed.shape[0]] + slice.shape.extents))
  }

  /// Slice `position` of `array`, as the reference computes with it.
  func element(_ position: Int, of array: HostArray) -> HostArray {
    let first = position * stride
    let numbers = Array(array.doubles()[first..<first + slice.shape.count])
    return HostArray(converting: numbers, shape: slice.shape, to: array.elementType)
  }

  /// `slices` in packed form with zeros in the gaps, as the reference gives them.
  func packed(_ slices: [HostArray], elementType: ElementType) -> HostArray {
    let gap = [Double](repeating: 0, count: stride - slice.shape.count)
    let numbers = slices.flatMap { $0.doubles() + gap }
    return HostArray(converting: numbers, shape: signature(rows: slices.count).shape, to: elementType)
  }
}

extension Signature {
  /// Bytes from one slice of this signature to the next in what a `Fold` of `count` steps is given or keeps.
  public func packedByteCount(in count: Int) -> Int {
    PackedSlices(slice: self, count: count).stride * elementType.byteCount
  }
}
