import HeklaExperiments

extension PFN {
  /// That the settings can be run.
  func check() throws(ExperimentError) {
    try Self.requirePositive([
      "steps": steps, "mixSteps": mixSteps, "tableSteps": tableSteps, "seeds": seeds, "batch": batch,
      "width": width, "heads": heads, "hidden": hidden, "layers": layers, "tasks": tasks, "splits": splits,
    ])
    try Self.requirePositive(["learningRate": learningRate])
    let ranges = [
      ("rows", rows, 3...1000), ("tableRows", tableRows, Self.tableContext + 1...1000),
      ("buckets", buckets, 3...10_000), ("mixBuckets", mixBuckets, 3...10_000),
      ("features", features, 1...Self.mostFeatures),
      ("slowContext", slowContext, 1...max(rows - 1, 1)), ("slowTasks", slowTasks, 1...tasks),
    ]
    for (name, value, range) in ranges + contexts.map({ ("contexts", $0, 1...max(rows - 1, 1)) })
    where !range.contains(value) {
      throw Self.rejected(name, value, "it is in \(range.lowerBound)...\(range.upperBound)")
    }
    guard width % heads == 0 else { throw Self.rejected("heads", heads, "they divide the width, \(width)") }
  }
}
