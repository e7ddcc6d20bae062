import HeklaArrays
import HeklaDevices

/// The elements folded along some axes, which disappear.
struct Reduction: Primitive {
  let fold: Loop.Fold
  /// Normalized, ascending.
  let axes: [Int]

  var name: String { fold.operationName }
  var attributes: String { "\(axes)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    require(!axes.isEmpty, "\(name): no axes to reduce")
    let shape = inputs[0].shape.reduced(along: axes, keepingAxes: false)
    let type = inputs[0].elementType
    require(type != .bool, "\(name): elements are bool; convert them first")
    return Signature(shape, fold.isPosition ? .int32 : type)
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let input = context.inputs[0]
    let kept = input.shape.reduced(along: axes, keepingAxes: true)
    func spread(_ tensor: Tensor) -> Tensor { tensor.reshaped(to: kept).broadcast(to: input.shape) }
    switch fold {
    case .sum: return [spread(context.upstream)]
    case .product: return [spread(context.upstream) * productOfOthers(input)]
    case .maximum, .minimum:
      // Elements that attain the extremum share the gradient equally, as in JAX.
      let attained = (input .== spread(context.output)).converted(to: input.elementType)
      return [attained * spread(context.upstream / attained.sum(along: axes))]
    case .argumentMaximum, .argumentMinimum: return [nil]
    }
  }

  /// For each element the product of all others that it is multiplied with.
  ///
  /// From the products of those before and of those behind it: nothing is divided, so zeros do no harm, and the
  /// gradients of both scans are as exact.
  private func productOfOthers(_ input: Tensor) -> Tensor {
    guard input.shape.count > 0 else { return input }
    let order = (0..<input.rank).filter { !axes.contains($0) } + axes
    let moved = input.permuted(order)
    let count = axes.reduce(1) { $0 * input.shape.extents[$1] }
    // Narrow floats are not scanned as they are.
    let rows = moved.converted(to: input.elementType.computed).reshaped(to: [-1, count])
    let others =
      rows.cumulativeProduct(along: 1, isExclusive: true)
      * rows.cumulativeProduct(along: 1, isExclusive: true, isReversed: true)
    let inverse = order.indices.map { axis in order.firstIndex(of: axis) ?? 0 }
    return others.converted(to: input.elementType).reshaped(to: moved.shape).permuted(inverse)
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let (input, values) = (inputs[0].shape, inputs[0].doubles())
    let isWhole = !inputs[0].elementType.isFloating
    var results = [Double](repeating: fold.start(isWhole: isWhole), count: signature.shape.count)
    var best = [Double](repeating: .nan, count: fold.isPosition ? results.count : 0)
    let strides = signature.shape.strides
    for index in 0..<input.count {
      let point = input.coordinates(ofIndex: index)
      let kept = point.indices.filter { !axes.contains($0) }.map { point[$0] }
      let target = zip(kept, strides).reduce(0) { $0 + $1.0 * $1.1 }
      let position = axes.reduce(0) { $0 * input.extents[$1] + point[$1] }
      let value = values[index]
      switch fold {
      case .sum: results[target] += value
      case .product: results[target] *= value
      case .maximum:
        results[target] = value.isNaN || results[target].isNaN ? .nan : max(results[target], value)
      case .minimum:
        results[target] = value.isNaN || results[target].isNaN ? .nan : min(results[target], value)
      case .argumentMaximum, .argumentMinimum:
        let isBetter = fold == .argumentMaximum ? value > best[target] : value < best[target]
        if position == 0 || isBetter || (value.isNaN && !best[target].isNaN) {
          best[target] = value
          results[target] = Double(position)
        }
      }
    }
    // Sums and products wrap around; the extrema over nothing lie outside the type and are held at its bounds.
    if isWhole, fold == .sum || fold == .product {
      results = results.map { $0.stored(as: signature.elementType) }
    }
    return HostArray(converting: results, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Lowering

  var lowering: Lowering { .fold(fold, axes: axes) }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample("sum-rows", inputs: [.init([33, 257])], tolerance: .sum(of: 257), flops: 33 * 257) {
        $0[0].sum(along: -1)
      },
      Sample("sum-columns", inputs: [.init([257, 33])], tolerance: .sum(of: 257), flops: 33 * 257) {
        $0[0].sum(along: 0)
      },
      Sample("sum-middle", inputs: [.init([5, 61, 7])], tolerance: .sum(of: 61), flops: 5 * 61 * 7) {
        $0[0].sum(along: 1)
      },
      Sample("sum-all", inputs: [.init([100_003])], tolerance: .sum(of: 100_003), flops: 100_003) {
        $0[0].sum()
      },
      Sample("sum-of-one", inputs: [.init([1, 1])], tolerance: .exact, flops: 1) { $0[0].sum(along: 1) },
      Sample("sum-of-strided", inputs: [.init([31, 62])], tolerance: .sum(of: 31), flops: 31 * 31) {
        let (rows, columns) = ($0[0].shape[0], $0[0].shape[1])
        return $0[0].sliced(starts: [0, 1], extents: [rows, columns / 2], steps: [1, 2]).transposed()
          .sum(along: 1)
      },
      Sample("sum-of-broadcast", inputs: [.init([7, 1]), .init([11])], tolerance: .sum(of: 12), flops: 77) {
        ($0[0] * $0[1]).sum(along: 1)
      },
      Sample(
        "sum-int32", inputs: [.init([5, 257], .int32, in: -99...99)], tolerance: .exact, flops: 5 * 257,
        isDifferentiable: false
      ) { $0[0].sum(along: 1) },
      Sample(
        "sum-double", inputs: [.init([5, 61], .float64)], tolerance: .sum(of: 122), flops: 5 * 61
      ) { $0[0].sum(along: 1) },
      // Stored in halves, summed in float32: half a unit of the result beside the sum's error.
      Sample(
        "mean-halves", inputs: [.init([3, 64], .float16, in: 1...2)], tolerance: .ulps(1), flops: 3 * 64,
        isDifferentiable: false
      ) { $0[0].mean(along: 1) },
      Sample("any", inputs: [.init([9, 3], .bool, in: 0...1)], tolerance: .exact, isDifferentiable: false) {
        $0[0].any(along: [1])
      },
      Sample(
        "maximum-int32", inputs: [.init([33, 7], .int32, in: -9...9)], tolerance: .exact,
        isDifferentiable: false
      ) { $0[0].maximum(along: 0) },
      Sample(
        "argument-maximum-of-equals", inputs: [.init([17, 31], .int32, in: 0...2)], tolerance: .exact,
        isDifferentiable: false
      ) { $0[0].argumentMaximum(along: 1) },
      Sample("product", inputs: [.init([9, 13], in: 0.5...1.5)], tolerance: .ulps(26), flops: 9 * 13) {
        $0[0].product(along: 1)
      },
      // Two factors in five are 0, so that most rows have several.
      Sample("product-of-zeros", inputs: [.init([9, 5])], tolerance: .ulps(10), flops: 9 * 5) {
        $0[0].map { .select($0 .> 0.2, 1, .select($0 .> -0.2, $0, 0)) }.product(along: 1)
      },
      Sample("maximum", inputs: [.init([33, 129])], tolerance: .exact) { $0[0].maximum(along: 1) },
      Sample("minimum-all", inputs: [.init([3001])], tolerance: .exact) { $0[0].minimum() },
      Sample("argument-maximum", inputs: [.init([33, 129])], tolerance: .exact, isDifferentiable: false) {
        $0[0].argumentMaximum(along: 1)
      },
      Sample("argument-minimum", inputs: [.init([129, 33])], tolerance: .exact, isDifferentiable: false) {
        $0[0].argumentMinimum(along: 0)
      },
    ]
  }
}

extension Loop.Fold {
  /// What messages call the reduction.
  var operationName: String {
    switch self {
    case .argumentMaximum: "argument-maximum"
    case .argumentMinimum: "argument-minimum"
    default: rawValue
    }
  }

  /// Whether the result is a position, not a value.
  public var isPosition: Bool { self == .argumentMaximum || self == .argumentMinimum }

  /// The result over no elements, in the reference.
  func start(isWhole: Bool) -> Double {
    switch self {
    case .sum, .argumentMaximum, .argumentMinimum: 0
    case .product: 1
    case .maximum: isWhole ? -.greatestFiniteMagnitude : -.infinity
    case .minimum: isWhole ? .greatestFiniteMagnitude : .infinity
    }
  }
}
