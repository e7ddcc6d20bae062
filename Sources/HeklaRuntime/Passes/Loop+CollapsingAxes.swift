import HeklaDevices

extension Loop {
  /// The same loop with neighbouring axes merged wherever every access steps through both as through one.
  ///
  /// Fewer axes mean fewer divisions on a GPU and longer contiguous runs on the host.
  func collapsingAxes() -> Loop {
    var loop = self
    var axis = 0
    while axis + 1 < loop.extents.count + loop.reductionExtents.count {
      if loop.canMerge(axis) { loop.merge(axis) } else { axis += 1 }
    }
    return loop
  }

  private func extent(_ axis: Int) -> Int {
    axis < extents.count ? extents[axis] : reductionExtents[axis - extents.count]
  }

  /// Whether axes `axis` and `axis + 1` can become one.
  private func canMerge(_ axis: Int) -> Bool {
    guard axis + 1 != extents.count else { return false }
    let usesCoordinate = (body + epilogue).contains { $0 == .coordinate(axis) || $0 == .coordinate(axis + 1) }
    guard !usesCoordinate else { return false }
    let inner = extent(axis + 1)
    func steps(_ affine: Affine) -> Bool {
      // Writes have no strides over the reduction axes.
      axis >= affine.strides.count || affine.strides[axis] == affine.strides[axis + 1] * inner
    }
    return reads.allSatisfy { steps($0.index) && $0.guards.allSatisfy { steps($0.value) } }
      && writes.allSatisfy { steps($0.index) }
  }

  private mutating func merge(_ axis: Int) {
    if axis < extents.count {
      extents[axis] *= extents[axis + 1]
      extents.remove(at: axis + 1)
    } else {
      reductionExtents[axis - extents.count] *= reductionExtents[axis + 1 - extents.count]
      reductionExtents.remove(at: axis + 1 - extents.count)
    }
    func merged(_ affine: Affine) -> Affine {
      var result = affine
      if axis < result.strides.count { result.strides.remove(at: axis) }
      return result
    }
    for position in reads.indices {
      reads[position].index = merged(reads[position].index)
      for number in reads[position].guards.indices {
        reads[position].guards[number].value = merged(reads[position].guards[number].value)
      }
    }
    for position in writes.indices { writes[position].index = merged(writes[position].index) }
    func renumbered(_ instruction: Instruction) -> Instruction {
      if case .coordinate(let other) = instruction, other > axis + 1 {
        .coordinate(other - 1)
      } else {
        instruction
      }
    }
    body = body.map(renumbered)
    epilogue = epilogue.map(renumbered)
  }
}
