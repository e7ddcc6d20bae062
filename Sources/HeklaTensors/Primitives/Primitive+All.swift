extension Sample {
  /// The samples of every primitive, by the primitive's name: what conformance, gradient checks and `gpubench` walk.
  public static let all: [(primitive: String, samples: [Sample])] = [
    ("attention", Attention.samples),
    ("attention-gradient", AttentionGradient.samples),
    ("broadcast", Broadcast.samples),
    ("concatenate", Concatenate.samples),
    ("flip", Flip.samples),
    ("gather", Gather.samples),
    ("linear-recurrence", LinearRecurrence.samples),
    ("map", Map.samples),
    ("matrix-product", MatrixProduct.samples),
    ("pad", Pad.samples),
    ("permute", Permute.samples),
    ("reduction", Reduction.samples),
    ("reshape", Reshape.samples),
    ("scan", Scan.samples),
    ("scatter-sum", ScatterSum.samples),
    ("search-sorted", SearchSorted.samples),
    ("segment-order", SegmentOrder.samples),
    ("segment-reduction", SegmentReduction.samples),
    ("shear", Shear.samples),
    ("slice", Slice.samples),
    ("sort", Sort.samples),
    ("windows", Windows.samples),
  ]
}
