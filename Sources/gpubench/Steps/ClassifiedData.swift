import HeklaArrays

/// Examples of classes that can be learned: each is its class's prototype and noise of half its size.
struct ClassifiedData {
  private let key: RandomKey
  /// The number of classes.
  private let classCount: Int
  /// The numbers of an example's prototype.
  private let extent: Int
  private let prototypes: [Float]

  init(classCount: Int, extent: Int, key: RandomKey) {
    self.key = key
    self.classCount = classCount
    self.extent = extent
    let key = key.folded(in: "prototypes")
    prototypes = (0..<(classCount * extent)).map { 2 * key.uniform(at: $0) - 1 }
  }

  /// Batch number `number` of `count` examples: numbers `[count, extent]`, and `int32` labels.
  func batch(_ number: Int, count: Int) -> (values: [Float], labels: [Int32]) {
    let key = key.folded(in: UInt64(number))
    let labels = (0..<count).map { Int32($0 % classCount) }
    var values: [Float] = []
    values.reserveCapacity(count * extent)
    for (example, label) in labels.enumerated() {
      for place in 0..<extent {
        values.append(
          prototypes[Int(label) * extent + place] + key.uniform(at: example * extent + place) - 0.5)
      }
    }
    return (values, labels)
  }
}
