import HeklaTensors

extension CaseTable {
  /// Products of matrices and tensors.
  mutating func addProducts() {
    add("matmul") { $0[0].matrixProduct($0[1]) }
    add("matmul-large") { $0[0].matrixProduct($0[1]) }
    add("matmul-left-transposed") { $0[0].transposed().matrixProduct($0[1]) }
    add("matmul-right-transposed") { $0[0].matrixProduct($0[1].transposed()) }
    add("matmul-both-transposed") { $0[0].transposed().matrixProduct($0[1].transposed()) }
    add("matmul-row") { $0[0].matrixProduct($0[1]) }
    add("matmul-column") { $0[0].matrixProduct($0[1]) }
    add("bmm") { $0[0].matrixProduct($0[1]) }
    add("bmm-broadcast") { $0[0].matrixProduct($0[1]) }
    add("bmm-shared-right") { $0[0].matrixProduct($0[1]) }
    add("bmm-both-transposed") { $0[0].transposed().matrixProduct($0[1].transposed()) }
    add("matrix-vector") { $0[0].vectorProduct($0[1]) }
    add("outer") { $0[0].outerProduct($0[1]) }
    add("tensordot") { $0[0].tensorProduct($0[1], contracting: 2) }
    for (name, equation) in [
      ("einsum-matmul", "ik,kj->ij"), ("einsum-transposed", "ki,jk->ji"), ("einsum-batched", "bij,bkj->bik"),
      ("einsum-scores", "bqhd,bkhd->bhqk"), ("einsum-trace", "ii->"), ("einsum-diagonal", "bii->bi"),
      ("einsum-sum", "ijk->j"), ("einsum-outer", "i,j->ij"), ("einsum-chain", "ij,jk,kl->il"),
      ("einsum-bilinear", "bi,oij,bj->bo"), ("einsum-ellipsis", "...ij,...jk->...ik"),
      ("einsum-permute", "abc->cab"),
    ] {
      add(name) { Tensor.einsum(equation, $0) }
    }
  }

  /// Convolutions and transposed ones.
  mutating func addConvolutions() {
    add("conv1d") { $0[0].convolved(with: $0[1]) }
    add("conv1d-stride-dilation") {
      $0[0].convolved(with: $0[1], strides: [2], padding: .symmetric([3]), dilations: [3])
    }
    add("conv1d-groups") { $0[0].convolved(with: $0[1], groups: 3) }
    add("conv2d") { $0[0].convolved(with: $0[1]) }
    add("conv2d-1x1") { $0[0].convolved(with: $0[1]) }
    add("conv2d-same") { $0[0].convolved(with: $0[1], padding: .same) }
    add("conv2d-stride") { $0[0].convolved(with: $0[1], strides: [2, 3], padding: .symmetric([1, 2])) }
    add("conv2d-dilation") {
      $0[0].convolved(with: $0[1], padding: .symmetric([2, 1]), dilations: [2, 3])
    }
    add("conv2d-groups") { $0[0].convolved(with: $0[1], padding: .symmetric([1, 1]), groups: 2) }
    add("conv2d-depthwise") { $0[0].convolved(with: $0[1], padding: .symmetric([1, 1]), groups: 6) }
    add("conv2d-depthwise-multiplier") {
      $0[0].convolved(with: $0[1], strides: [2, 2], padding: .symmetric([2, 2]), groups: 4)
    }
    add("conv2d-wide-kernel") { $0[0].convolved(with: $0[1], padding: .symmetric([3, 3])) }
    add("conv3d") { $0[0].convolved(with: $0[1]) }
    add("conv3d-stride-groups") {
      $0[0].convolved(with: $0[1], strides: [2, 1, 2], padding: .symmetric([1, 0, 1]), groups: 2)
    }
    add("conv-transpose1d") { $0[0].convolvedTransposed(with: $0[1], strides: [3]) }
    add("conv-transpose2d") { $0[0].convolvedTransposed(with: $0[1]) }
    add("conv-transpose2d-stride") {
      $0[0].convolvedTransposed(
        with: $0[1], strides: [2, 3], padding: .symmetric([1, 2]), outputPadding: [1, 2])
    }
    add("conv-transpose2d-dilation-groups") {
      $0[0].convolvedTransposed(
        with: $0[1], strides: [2, 2], padding: .symmetric([1, 1]), dilations: [2, 1], groups: 2)
    }
    add("conv-transpose3d") {
      $0[0].convolvedTransposed(with: $0[1], strides: [2, 1, 2], padding: .symmetric([1, 0, 1]))
    }
  }

  /// Extrema and means of windows, and other sizes.
  mutating func addPooling() {
    add("max-pool1d") { $0[0].maximumPooled([3], strides: [2]) }
    add("max-pool2d") { $0[0].maximumPooled([2, 2]) }
    add("max-pool2d-overlapping") {
      $0[0].maximumPooled([3, 3], strides: [2, 1], padding: .symmetric([1, 1]))
    }
    add("max-pool3d") { $0[0].maximumPooled([2, 2, 2], strides: [2, 1, 2]) }
    add("avg-pool1d") { $0[0].averagePooled([4], strides: [3]) }
    add("avg-pool2d") { $0[0].averagePooled([2, 3]) }
    add("avg-pool2d-border-counted") {
      $0[0].averagePooled([3, 3], strides: [2, 2], padding: .symmetric([1, 1]), countingBorder: true)
    }
    add("avg-pool2d-border-ignored") {
      $0[0].averagePooled([3, 3], strides: [2, 2], padding: .symmetric([1, 1]))
    }
    add("avg-pool3d") { $0[0].averagePooled([2, 3, 2], strides: [1, 2, 2]) }
    add("adaptive-avg-pool2d") { $0[0].averagePooled(to: [3, 4]) }
    add("adaptive-max-pool2d") { $0[0].maximumPooled(to: [3, 4]) }
    add("global-avg-pool") { $0[0].globalAveragePooled() }
    add("global-max-pool") { $0[0].globalMaximumPooled() }
  }
}
