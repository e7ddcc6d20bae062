import HeklaArrays

/// A generated kernel: a nest of loops that computes an expression at each point and writes the results.
///
/// The one form that fused elementwise chains, data movement and reductions take, before it is rendered as
/// GLSL or interpreted by the host. Coordinates run over `extents` (parallel, outermost first), then over
/// `reductionExtents`. At each point `body` is evaluated; where there is a reduction, `accumulators` fold it
/// over the reduction axes and `epilogue` is evaluated once per parallel point; then `writes` store.
public struct Loop: Sendable, Hashable {
  /// The parallel axes, outermost first. Empty for a single point.
  public var extents: [Int]
  /// The axes that `accumulators` fold over; empty when there is no reduction.
  public var reductionExtents: [Int]
  /// What is loaded from buffers.
  public var reads: [Read]
  /// Evaluated at every point.
  public var body: [Instruction]
  /// What is folded over the reduction axes; empty when there is no reduction.
  public var accumulators: [Accumulator]
  /// Evaluated once per parallel point after the reduction; empty when there is none.
  public var epilogue: [Instruction]
  /// What is stored, once per parallel point.
  public var writes: [Write]

  /// A loop over `extents` and, folded, over `reductionExtents`.
  public init(
    extents: [Int], reductionExtents: [Int] = [], reads: [Read], body: [Instruction],
    accumulators: [Accumulator] = [], epilogue: [Instruction] = [], writes: [Write]
  ) {
    self.extents = extents
    self.reductionExtents = reductionExtents
    self.reads = reads
    self.body = body
    self.accumulators = accumulators
    self.epilogue = epilogue
    self.writes = writes
  }

  /// A linear function of the loop's coordinates: `offset + sum(strides[axis] * coordinate[axis])`.
  public struct Affine: Sendable, Hashable {
    /// The value at the origin.
    public var offset: Int
    /// One factor per axis, the parallel axes first, then the reduction axes.
    public var strides: [Int]

    /// `offset + sum(strides * coordinates)`.
    public init(offset: Int, strides: [Int]) {
      self.offset = offset
      self.strides = strides
    }
  }

  /// A condition under which a read may touch memory: `lower <= value < upper`.
  public struct Guard: Sendable, Hashable {
    /// What is compared.
    public var value: Affine
    /// The least allowed value.
    public var lower: Int
    /// One more than the greatest allowed value.
    public var upper: Int

    /// The condition `lower <= value < upper`.
    public init(_ value: Affine, lower: Int, upper: Int) {
      self.value = value
      self.lower = lower
      self.upper = upper
    }
  }

  /// A load of one element per point; where a guard fails, 0 without touching memory.
  public struct Read: Sendable, Hashable {
    /// The binding number.
    public var binding: Int
    /// What the memory holds; `float16`, `bfloat16` widen to `float32` and `uint8` to `uint32` on loading.
    public var elementType: ElementType
    /// The element's index in the binding.
    public var index: Affine
    /// Conditions that all hold where memory is touched.
    public var guards: [Guard]

    /// A load of element `index` of `binding`.
    public init(binding: Int, elementType: ElementType, index: Affine, guards: [Guard] = []) {
      self.binding = binding
      self.elementType = elementType
      self.index = index
      self.guards = guards
    }
  }

  /// A store of one element per parallel point, narrowed to the memory's type; no two points share an element.
  public struct Write: Sendable, Hashable {
    /// The binding number; may also be read, at the same index only.
    public var binding: Int
    /// What the memory holds.
    public var elementType: ElementType
    /// The element's index in the binding; strides over the parallel axes only.
    public var index: Affine
    /// Which instruction's value is stored: of `epilogue` where there are accumulators, else of `body`.
    public var value: Int

    /// A store of instruction `value` to element `index` of `binding`.
    public init(binding: Int, elementType: ElementType, index: Affine, value: Int) {
      self.binding = binding
      self.elementType = elementType
      self.index = index
      self.value = value
    }
  }

  /// One step of an expression; operands are positions of earlier instructions in the same list.
  public enum Instruction: Sendable, Hashable {
    /// The number itself, as the type.
    case constant(Double, ElementType)
    /// `reads[i]`. In an epilogue, a read whose strides over the reduction axes are all 0.
    case read(Int)
    /// The coordinate along an axis (parallel axes first, then reduction axes), as `int32`.
    case coordinate(Int)
    /// `accumulators[i]` after the reduction; in an epilogue only.
    case accumulator(Int)
    /// An operation on earlier results; the type is the result's.
    case apply(ScalarOperation, [Int], ElementType)
  }

  /// How a reduction folds values.
  public enum Fold: String, Sendable, Hashable, Codable, CaseIterable {
    case sum, product
    /// NaN if any value is NaN; minus infinity (or the least integer) over nothing.
    case maximum
    /// NaN if any value is NaN; infinity (or the greatest integer) over nothing.
    case minimum
    /// The row-major position within the reduction axes of the largest value, the first of equals, or of the
    /// first NaN; `int32`.
    case argumentMaximum
    /// Likewise of the smallest value.
    case argumentMinimum
  }

  /// One value folded over the reduction axes.
  public struct Accumulator: Sendable, Hashable {
    /// How values are folded.
    public var fold: Fold
    /// The body instruction that gives the values.
    public var value: Int
    /// The type of the values, and of the result except for the argument folds.
    public var type: ElementType

    /// The fold of body instruction `value`.
    public init(_ fold: Fold, of value: Int, type: ElementType) {
      self.fold = fold
      self.value = value
      self.type = type
    }
  }
}
