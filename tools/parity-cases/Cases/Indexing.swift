import HeklaArrays
import HeklaTensors

extension CaseTable {
  /// Reading, adding and sorting by index.
  mutating func addIndexing() {
    add("index-select-first") { $0[0].gathered(at: $0[1]) }
    add("index-select-last") { $0[0].gathered(at: $0[1], along: -1) }
    add("index-select-matrix") { $0[0].gathered(at: $0[1], along: 1) }
    add("batched-gather") { $0[0].gathered(at: $0[1], batchAxes: 1) }
    add("take-along-last") { $0[0].takenAlong(-1, $0[1]) }
    add("take-along-first") { $0[0].takenAlong(0, $0[1]) }
    add("scatter-add-rows") { Tensor.scatterSum($0[0], at: $0[1], rows: 7) }
    add("index-add") { $0[0] + Tensor.scatterSum($0[1], at: $0[2], rows: 6) }
    add("index-copy") { $0[0].replacing(at: $0[2], by: $0[1]) }
    add("scatter-reduce-mean") { Tensor.scatterMean($0[0], at: $0[1], rows: 7) }
    add("scatter-reduce-maximum") { Tensor.scatterMaximum($0[0], at: $0[1], rows: 5) }
    add("scatter-reduce-minimum") { Tensor.scatterMinimum($0[0], at: $0[1], rows: 5) }
    add("segment-softmax") { $0[0].segmentSoftmax(Segments(at: $0[1], count: 5)) }
    add("sort-last") { $0[0].sorted() }
    add("sort-first-descending") { $0[0].sorted(along: 0, descending: true) }
    add("sort-int32") { $0[0].sorted() }
    add("argsort-stable") { $0[0].argumentSorted() }
    add("argsort-descending-stable") { $0[0].argumentSorted(along: 0, descending: true) }
    add("topk-values") { $0[0].topK(5).values }
    add("topk-smallest-values") { $0[0].topK(3, along: 0, smallest: true).values }
    add("topk-positions") { $0[0].topK(5).positions }
    add("searchsorted-left") { $0[0].searchSorted($0[1]) }
    add("searchsorted-right") { $0[0].searchSorted($0[1], afterEquals: true) }
    add("bincount") { Tensor.counts(of: $0[0], below: 9) }
    add("histogram") { $0[0].histogram(binCount: 8, in: -1...1) }
    add("one-hot") { $0[0].oneHot(6) }
  }

  /// Elements moved, repeated and left out, and interpolated.
  mutating func addMovement() {
    add("reshape-permute") { $0[0].reshaped(to: [4, 6, 5]).permuted([2, 0, 1]) }
    add("broadcast") { $0[0].broadcast(to: [4, 3, 5]) }
    add("slice-steps") { $0[0].sliced(starts: [1, 0], extents: [3, 4], steps: [2, 3]) }
    add("flip") { $0[0].flipped(along: [0, 2]) }
    add("roll") { $0[0].rolled(by: 3, along: 1) }
    add("roll-back") { $0[0].rolled(by: -8, along: 0) }
    add("tile") { $0[0].tiled([2, 3]) }
    add("repeat-interleave") { $0[0].repeated(3, along: 1) }
    add("concatenate") { Tensor.concatenating([$0[0], $0[1], $0[2]], along: 1) }
    add("stack") { Tensor.stacking([$0[0], $0[1]], along: 1) }
    addSeveral("split") { $0[0].split(into: [2, 1, 4], along: 1) }
    add("pad-constant") { $0[0].padded(before: [0, 1, 2], after: [1, 0, 3], with: 1.5) }
    add("pad-reflect") { $0[0].padded(before: [0, 0, 2, 3], after: [0, 0, 3, 1], with: .reflection) }
    add("pad-replicate") { $0[0].padded(before: [0, 0, 2, 3], after: [0, 0, 3, 6], with: .replication) }
    add("pad-circular") { $0[0].padded(before: [0, 0, 2, 3], after: [0, 0, 4, 1], with: .circular) }
    add("lower-triangle") { $0[0].lowerTriangle(diagonal: -1) }
    add("upper-triangle") { $0[0].upperTriangle(diagonal: 2) }
    add("diagonal") { $0[0].diagonal(1) }
    add("diagonal-other-axes") { $0[0].diagonal(-1, along: 0, 2) }
    add("diagonal-embedded") { $0[0].embeddedAsDiagonal(2) }
    add("trace") { $0[0].trace() }
    add("unfold") { $0[0].windows([4], along: [1], strides: [3]) }
    add("im2col") {
      // As torch.nn.functional.unfold: columns of windows.
      $0[0].windows([2, 3], along: [2, 3], strides: [1, 2], dilations: [2, 1])
        .permuted([0, 1, 4, 5, 2, 3]).reshaped(to: [2, 3 * 6, -1])
    }
    add("pixel-shuffle") { $0[0].pixelShuffled(by: 2) }
    add("pixel-unshuffle") { $0[0].pixelUnshuffled(by: 2) }
    add("interpolate-nearest") { $0[0].resized(to: [9, 4], along: [2, 3], by: .nearest) }
    add("interpolate-linear") { $0[0].resized(to: [13], along: [2]) }
    add("interpolate-bilinear") { $0[0].resized(to: [9, 4], along: [2, 3]) }
    add("interpolate-bilinear-corners") {
      $0[0].resized(to: [9, 4], along: [2, 3], aligningCorners: true)
    }
    add("interpolate-bicubic") { $0[0].resized(to: [9, 4], along: [2, 3], by: .cubic) }
    add("interpolate-bicubic-corners") {
      $0[0].resized(to: [9, 4], along: [2, 3], by: .cubic, aligningCorners: true)
    }
    add("interpolate-trilinear") { $0[0].resized(to: [5, 3, 7], along: [2, 3, 4]) }
    add("interpolate-trilinear-corners") {
      $0[0].resized(to: [5, 3, 7], along: [2, 3, 4], aligningCorners: true)
    }
  }
}
