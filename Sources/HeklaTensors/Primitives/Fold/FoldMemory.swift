/// What a fold keeps of each step for its gradient; the rest is computed again on the way back.
public enum FoldMemory: Hashable, Sendable {
  /// The states, and the results of products, reductions and other costly operations.
  case products
  /// The states alone: every step is computed twice.
  case states
  /// The states after each group of so many steps, and those within one group at a time: the memory of a long fold
  /// grows with the square root of its length where the groups do.
  ///
  /// Source: Chen et al. 2016, "Training deep nets with sublinear memory cost", section 4.
  case every(Int)
}
