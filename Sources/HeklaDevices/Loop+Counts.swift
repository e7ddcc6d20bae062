import HeklaArrays

extension Loop {
  /// Floating-point operations of one run: an addition, a comparison that keeps a value or a call of a function is one.
  public var operationCount: Double {
    let points = extents.reduce(1.0) { $0 * Double($1) }
    let folded = reductionExtents.reduce(1.0) { $0 * Double($1) }
    let folds = accumulators.count { $0.type.isFloating }
    return points * (folded * Double(Self.operationCount(of: body) + folds))
      + points * Double(Self.operationCount(of: epilogue))
  }

  /// The bytes of `binding` that the loop reads at most, each once: where it reads a part of an array, only that.
  ///
  /// Elements that guards leave out count too.
  public func readByteCount(of binding: Int) -> Double {
    let all = extents + reductionExtents
    let accesses = Set(reads.filter { $0.binding == binding })
    return accesses.reduce(0) { sum, read in
      let elements = zip(read.index.strides, all).reduce(1.0) { $1.0 == 0 ? $0 : $0 * Double($1.1) }
      return sum + elements * Double(read.elementType.byteCount)
    }
  }

  private static func operationCount(of instructions: [Instruction]) -> Int {
    instructions.count { instruction in
      guard case .apply(let operation, _, let type) = instruction, type.isFloating else { return false }
      return operation != .select && operation != .convert && operation != .bitcast
    }
  }
}
