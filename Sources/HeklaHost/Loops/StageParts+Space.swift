import CHostLoops
import HeklaDevices

extension StageParts {
  /// Where an expression runs.
  struct Space {
    var extents: [Int]
    var outerAxes: [Int]
    var blockAxes: [Int]
    /// Whether blocks are tiles of the two block axes.
    var isTiled = false
    /// Whether blocks hold whole rows, however short, where several fit into one.
    var keepsRowsWhole = false

    /// How often a value changes.
    enum Rate {
      /// Never, or from outer point to outer point only.
      case constant, uniform
      /// From row to row of a block.
      case row
      /// Along a row, and all rows have the same.
      case column
      /// From point to point.
      case varying
    }

    /// The points of a row, which run along the innermost block axis; 0 where blocks have no rows, or rows too short to
    /// be worth telling apart.
    var rowLength: Int {
      guard blockAxes.count > 1, !isTiled, let last = blockAxes.last else { return 0 }
      return extents[last] >= Int(HOST_LEAST_ROW) ? extents[last] : 0
    }

    /// How often what `pattern` finds changes.
    func rate(of pattern: Nest.Pattern) -> Rate {
      func isFixed(_ affine: Loop.Affine, _ axes: some Sequence<Int>) -> Bool {
        axes.allSatisfy { $0 >= affine.strides.count || affine.strides[$0] == 0 }
      }
      func isFixed(_ axes: some Sequence<Int>) -> Bool {
        isFixed(pattern.index, axes) && pattern.guards.allSatisfy { isFixed($0.value, axes) }
      }
      if isFixed(blockAxes) { return .uniform }
      guard rowLength > 0, let last = blockAxes.last else { return .varying }
      if isFixed(CollectionOfOne(last)) { return .row }
      let isShared = isFixed(blockAxes.dropLast()) && pattern.guards.isEmpty
      return isShared && pattern.index.strides[last] == 1 ? .column : .varying
    }
  }
}
