import HeklaDevices

extension Loop {
  /// The loop in a form that is equal exactly when the loops are; part of kernel keys.
  var canonicalText: String {
    func text(_ affine: Affine) -> String { "\(affine.offset)+\(affine.strides)" }
    func text(_ instructions: [Instruction]) -> String {
      instructions.map { instruction in
        switch instruction {
        // Bits, since the text of NaN loses its payload and the text of -0 is easily lost.
        case .constant(let number, let type): "c\(number.bitPattern):\(type)"
        case .read(let index): "r\(index)"
        case .coordinate(let axis): "i\(axis)"
        case .accumulator(let index): "a\(index)"
        case .apply(let operation, let operands, let type): "\(operation)\(operands):\(type)"
        }
      }.joined(separator: ";")
    }
    let reads = reads.map { read in
      let guards = read.guards.map { "|\($0.lower)<=\(text($0.value))<\($0.upper)" }.joined()
      return "\(read.binding):\(read.elementType)@\(text(read.index))\(guards)"
    }
    let writes = writes.map { "\($0.binding):\($0.elementType)@\(text($0.index))=\($0.value)" }
    let accumulators = accumulators.map { "\($0.fold.rawValue)(\($0.value)):\($0.type)" }
    return "\(extents)/\(reductionExtents) reads \(reads) body \(text(body)) folds \(accumulators) "
      + "epilogue \(text(epilogue)) writes \(writes)"
  }
}
