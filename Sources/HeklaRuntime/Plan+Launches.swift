extension Plan {
  /// Calls `body` for each launch of a run, in order, with the current iteration of each repetition around it.
  func forEachLaunch<Failure: Error>(
    _ body: (_ step: Int, _ iterations: [Int]) throws(Failure) -> Void
  ) throws(Failure) {
    var iterations = [Int](repeating: 0, count: repetitions.count)
    /// The launches of `range`; repetitions up to number `first` are those that it lies in.
    func visit(_ range: Range<Int>, inside first: Int) throws(Failure) {
      var number = range.lowerBound
      while number < range.upperBound {
        let next = repetitions.indices.dropFirst(first).first { index in
          repetitions[index].steps.lowerBound == number && !repetitions[index].steps.isEmpty
        }
        guard let next else {
          try body(number, iterations)
          number += 1
          continue
        }
        for iteration in 0..<repetitions[next].count {
          iterations[next] = iteration
          try visit(repetitions[next].steps, inside: next + 1)
        }
        number = repetitions[next].steps.upperBound
      }
    }
    try visit(0..<steps.count, inside: 0)
  }

  /// The step of each launch of a run, in order.
  public var launchedSteps: [Int] {
    var result: [Int] = []
    forEachLaunch { step, _ in result.append(step) }
    return result
  }

  /// The number of parameters that a run changes.
  public var assignedParameterCount: Int {
    var assigned = Set(copies.map(\.parameter))
    for value in steps.flatMap(\.writes).flatMap(memory(of:)) {
      if case .parameter(let index) = values[value].storage { assigned.insert(index) }
    }
    return assigned.count
  }
}
