import HeklaArrays

extension Tensor {
  /// An independent key for `number` from a key that is a tensor; equal to `RandomKey.folded(in:)`.
  ///
  /// One key per step is enough for a whole model: each use folds in a number of its own.
  /// - Precondition: The tensor is a key, `uint32` of shape `[2]`.
  public func folded(in number: UInt64, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    let (upper, lower) = (UInt32(truncatingIfNeeded: number >> 32), UInt32(truncatingIfNeeded: number))
    return folded(upper: upper, lower: .full([], Double(lower), .uint32), file: file, line: line)
  }

  /// An independent key for a number that is itself a tensor, such as the count of steps.
  ///
  /// With the step count a parameter, every run of a step draws new numbers though nothing is passed in.
  /// - Precondition: The tensor is a key, `uint32` of shape `[2]`, and `number` an integer of rank 0, not negative.
  public func folded(in number: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(
      number.rank == 0 && [.int32, .uint32].contains(number.elementType),
      "random: a key cannot fold in \(number.signature), only an int32 or uint32 of rank 0", file: file,
      line: line)
    return folded(upper: 0, lower: number.converted(to: .uint32), file: file, line: line)
  }

  private func folded(upper: UInt32, lower: Tensor, file: StaticString, line: UInt) -> Tensor {
    require(
      signature == Signature([2], .uint32), "random: the key is \(signature), not uint32[2]", file: file,
      line: line)
    let words = (0..<2).map { element($0, along: 0) }
    return Tensor.map([words[0], words[1], lower].map { $0.broadcast(to: [2]) }) { x in
      // The high bit keeps derived keys apart from numbers drawn with this key; see `RandomKey.folded(in:)`.
      let block = [x[0], x[1], .constant(Double(upper ^ 0x8000_0000), .uint32), x[2]]
      return .select(
        .coordinate(0) .== .constant(0, .int32), .apply(.threefryFirst, block), .apply(.threefrySecond, block)
      )
    }
  }
}
