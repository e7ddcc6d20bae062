import HeklaArrays

/// Arrays of one signature that lie one after the other, each at a place that every device can bind.
///
/// Devices bind memory at multiples of up to 256 bytes (the most that Vulkan allows a driver to ask for), so each
/// slice is filled up to that. What lies in the gaps is undefined and never read.
struct PackedSlices {
  /// What each slice holds.
  let slice: Signature
  /// The number of slices.
  let count: Int

  /// The most that a device's alignment of bindings can be.
  static let alignment = 256

  /// Elements from one slice to the next.
  var stride: Int {
    let unit = Self.alignment / slice.elementType.byteCount
    return (slice.shape.count + unit - 1) / unit * unit
  }

  /// Shape and type of all slices together.
  var signature: Signature { Signature([count, stride], slice.elementType) }

  /// The slices of `tensor`, shape `[count] + slice.shape`, in packed form.
  func packed(_ tensor: Tensor) -> Tensor {
    let rows = tensor.reshaped(to: [count, slice.shape.count])
    let gap = stride - slice.shape.count
    return gap == 0 ? rows : rows.padded(after: [0, gap])
  }

  /// The slices of `packed`, shape `[count] + slice.shape`.
  func unpacked(_ packed: Tensor) -> Tensor {
    let size = slice.shape.count
    let rows = size == stride ? packed : packed.sliced(0..<size, along: 1)
    return rows.reshaped(to: Shape([count] + slice.shape.extents))
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
    return HostArray(converting: numbers, shape: signature.shape, to: elementType)
  }
}

extension Signature {
  /// Bytes from one slice of this signature to the next in a packed sequence of a `Fold`.
  public var packedByteCount: Int { PackedSlices(slice: self, count: 1).stride * elementType.byteCount }
}
