import HeklaTensors

extension CaseTable {
  /// Sums, products, extrema and moments along axes.
  mutating func addReductions() {
    add("sum-all") { $0[0].sum() }
    add("sum-last") { $0[0].sum(along: -1) }
    add("sum-first") { $0[0].sum(along: 0) }
    add("sum-two-axes") { $0[0].sum(along: [0, 2], keepingAxes: true) }
    add("sum-int32") { $0[0].sum(along: 1) }
    add("mean-all") { $0[0].mean() }
    add("mean-middle") { $0[0].mean(along: 1) }
    add("product") { $0[0].product(along: 1) }
    add("product-zeros") { $0[0].product(along: 1) }
    add("variance") { $0[0].variance(along: -1) }
    add("variance-unbiased") { $0[0].variance(along: [0, 1], degreesOfFreedom: 1) }
    add("standard-deviation") { $0[0].standardDeviation(along: [1], degreesOfFreedom: 1) }
    add("log-sum-exp") { $0[0].logSumExp(along: 1) }
    add("log-sum-exp-two-axes") { $0[0].logSumExp(along: [0, 2]) }
    add("maximum") { $0[0].maximum(along: 1) }
    add("maximum-all") { $0[0].maximum() }
    add("maximum-ties") { $0[0].maximum(along: 1) }
    add("minimum") { $0[0].minimum(along: 0) }
    add("argument-maximum") { $0[0].argumentMaximum(along: 1) }
    add("argument-maximum-ties") { $0[0].argumentMaximum(along: 1) }
    add("argument-minimum") { $0[0].argumentMinimum(along: 0) }
    add("norm-1") { $0[0].norm(.l1, along: [1]) }
    add("norm-2") { $0[0].norm(.l2, along: [1]) }
    add("norm-2-zero") { $0[0].norm(.l2, along: [1]) }
    add("norm-3") { $0[0].norm(.power(3), along: [0]) }
    add("norm-infinity") { $0[0].norm(.maximum, along: [1]) }
    add("normalize") { $0[0].normalized() }
    add("cosine-similarity") { $0[0].cosineSimilarity($0[1]) }
    add("pairwise-distances") { $0[0].pairwiseDistances(to: $0[1]) }
    add("pairwise-distances-1") { $0[0].pairwiseDistances(to: $0[1], norm: .l1) }
  }

  /// Running sums, products and extrema.
  mutating func addScans() {
    add("cumsum-last") { $0[0].cumulativeSum(along: -1) }
    add("cumsum-first") { $0[0].cumulativeSum(along: 0) }
    add("cumsum-reversed") { $0[0].cumulativeSum(along: 1, isReversed: true) }
    add("cumsum-exclusive") { $0[0].cumulativeSum(along: 1, isExclusive: true) }
    add("cumprod") { $0[0].cumulativeProduct(along: 1) }
    add("cumprod-zeros") { $0[0].cumulativeProduct(along: 1) }
    add("cummax") { $0[0].cumulativeMaximum(along: 1) }
    add("cummin") { $0[0].cumulativeMinimum(along: 0) }
    add("linear-recurrence") { $0[0].linearRecurrence(factors: $0[1], along: 1) }
  }
}
