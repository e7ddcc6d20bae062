import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

/// Indices out of range: named by the host always, by other devices where they are asked to check.
@Suite struct IndexCheckTests {
  /// An operation on five indices that name one of six rows, and what an error over them says.
  struct Operation: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Who is named.
    let name: String
    /// Whether an error has the index and the six as they were given, or -1 and the number of elements.
    var isFlattened = false
    let build: @Sendable (Tensor) -> Tensor
  }

  static let rows = Tensor((0..<18).map(Float.init), shape: [6, 3])
  static let operations: [Operation] = [
    Operation(testDescription: "gather", name: "gather") { rows.gathered(at: $0) },
    Operation(testDescription: "gather of bytes", name: "gather") {
      Tensor((0..<18).map { UInt8($0) }, shape: [6, 3]).gathered(at: $0)
    },
    Operation(testDescription: "gather along an axis", name: "gather") {
      rows.transposed().gathered(at: $0, along: 1)
    },
    Operation(testDescription: "take-along", name: "gather", isFlattened: true) {
      rows.takenAlong(0, $0.reshaped(to: [5, 1]).broadcast(to: [5, 3]))
    },
    Operation(testDescription: "scatter-sum", name: "scatter-sum") {
      .scatterSum(Tensor.ones([5, 2]), at: $0, rows: 6)
    },
    Operation(testDescription: "scatter-sum of many", name: "scatter-sum") {
      .scatterSum(Tensor.ones([70, 2]), at: .concatenating([.zeros([65], .int32), $0], along: 0), rows: 6)
    },
    Operation(testDescription: "segments", name: "segment-order") {
      Tensor.ones([5, 2]).segmentMaximum(Segments(at: $0, count: 6), empty: 0)
    },
    Operation(testDescription: "sparse product", name: "sparse-product") { indices in
      // Its rows are known, its columns are not, and their order is of no use to the product itself.
      let places = Tensor.range(5)
      let columns = Segments(
        indices: indices, order: places,
        offsets: .concatenating([.zeros([6], .int32), places.sliced(4..<5, along: 0) + 1], along: 0),
        count: 6)
      let matrix = SparseMatrix(
        rows: Segments(at: places % .full([5], 2, .int32), count: 2), columns: columns, values: .ones([5]))
      return matrix.product(rows)
    },
    Operation(testDescription: "counts", name: "segment-order") { .counts(of: $0, below: 6) },
    Operation(testDescription: "replacement", name: "segment-order") {
      rows.replacing(at: $0, by: .ones([5, 3]))
    },
  ]

  static let checking: CompilerOptions = {
    var options = CompilerOptions()
    options.checksIndices = true
    return options
  }()

  @Test(arguments: TestDevice.present, operations)
  func `every operation names the first index that is out of range, and the next run is as any other`(
    device: TestDevice, operation: Operation
  ) throws {
    try device.run { executor in
      let step = try executor.compile(inputs: [Signature([5], .int32)], options: Self.checking) {
        StepDescription(outputs: [operation.build($0[0])])
      }
      let good = HostArray([Int32(5), 0, 3, 3, 1])
      let wanted = try step.run([good])
      for (first, second) in [(-1, 6), (6, -1), (.max, 0), (.min, .max)] as [(Int32, Int32)] {
        let error = DeviceError.indexOutOfRange(
          operation: operation.name, index: operation.isFlattened ? -1 : Int(first),
          bound: operation.isFlattened ? 18 : 6)
        #expect(throws: error) { try step.run([HostArray([Int32(5), 0, first, second, 1])]) }
        #expect(try step.run([good]) == wanted)
      }
    }
  }

  @Test(arguments: TestDevice.shading)
  func `among many bad indices the one that comes first is named, in every run`(device: TestDevice) throws {
    try device.run { executor in
      var numbers = (0..<100_000).map { Int32($0 % 6) }
      for position in stride(from: 70_001, to: 100_000, by: 7) { numbers[position] = Int32(position) }
      for _ in 0..<3 {
        #expect(throws: DeviceError.indexOutOfRange(operation: "gather", index: 70_001, bound: 6)) {
          try executor.values(of: [Self.rows.gathered(at: Tensor(numbers)).sum()], options: Self.checking)
        }
      }
    }
  }

  @Test(arguments: TestDevice.shading)
  func `after an error parameters hold what follows without the terms that were left out`(
    device: TestDevice
  ) throws {
    try device.run { executor in
      let weights = Parameter(.zeros([6, 3]))
      let step = try executor.compile(inputs: [Signature([4], .int32)], options: Self.checking) { inputs in
        let loss = weights.tensor.gathered(at: inputs[0]).sum()
        let slope = gradients(of: loss, withRespectTo: [weights.tensor])[0]
        return StepDescription(outputs: [loss], assignments: [weights.assigning(weights.tensor + slope)])
      }
      #expect(throws: DeviceError.indexOutOfRange(operation: "gather", index: 9, bound: 6)) {
        try step.run([HostArray([Int32(1), 9, 1, 4])])
      }
      let row = { (value: Float) in [value, value, value] }
      let wanted = row(0) + row(2) + row(0) + row(0) + row(1) + row(0)
      #expect(try executor.values(of: weights).elements() == wanted)
      // The outputs can still be read, and the error is not told twice.
      #expect(try step.readOutputs()[0].elements() == [Float(0)])
      #expect(try step.run([HostArray([Int32(1), 0, 1, 4])])[0].elements() == [Float(15)])
    }
  }

  @Test(arguments: TestDevice.present)
  func `indices are checked in every step of a fold, and around it`(device: TestDevice) throws {
    try device.run { executor in
      let step = try executor.compile(inputs: [Signature([4, 2], .int32)], options: Self.checking) { inputs in
        let all = inputs[0].reshaped(to: [8])
        let (state, _) = fold([.zeros([2, 3])], over: [inputs[0]]) { state, element in
          ([state[0] * 0.5 + Self.rows.gathered(at: element[0])], [])
        }
        // The same indices outside, below another bound.
        return StepDescription(outputs: [state[0], Self.rows.sliced(0..<5, along: 0).gathered(at: all)])
      }
      let good = (0..<8).map { Int32($0 % 5) }
      let wanted = try step.run([HostArray(good, shape: [4, 2])])
      for (places, bound) in [([1], 6), ([7], 6), ([3, 6], 6)] as [([Int], Int)] {
        var bad = good
        for place in places { bad[place] = Int32(10 + place) }
        let error = #expect(throws: DeviceError.self) { try step.run([HostArray(bad, shape: [4, 2])]) }
        // Whichever of the two comes first in the plan names its own bound.
        let named = DeviceError.indexOutOfRange(operation: "gather", index: 10 + places[0], bound: bound)
        let outside = DeviceError.indexOutOfRange(operation: "gather", index: 10 + places[0], bound: 5)
        #expect(error == named || error == outside, "\(device.name): \(error.map { "\($0)" } ?? "")")
        #expect(try step.run([HostArray(good, shape: [4, 2])]) == wanted)
      }
      // Out of range inside alone: the fold has to find it.
      var inner = good
      inner[6] = 9
      let folded = try executor.compile(inputs: [Signature([4, 2], .int32)], options: Self.checking) {
        inputs in
        let (state, _) = fold([.zeros([2, 3])], over: [inputs[0]]) { state, element in
          ([state[0] * 0.5 + Self.rows.gathered(at: element[0])], [])
        }
        return StepDescription(outputs: [state[0]])
      }
      #expect(throws: DeviceError.indexOutOfRange(operation: "gather", index: 9, bound: 6)) {
        try folded.run([HostArray(inner, shape: [4, 2])])
      }
      #expect(try folded.run([HostArray(good, shape: [4, 2])])[0] == wanted[0])
    }
  }

  @Test func `the host stops before the operation, and assigns nothing that follows from it`() throws {
    let executor = try TestDevice.cpu.executor()
    let weights = Parameter(.zeros([6, 3]))
    let step = try executor.compile(inputs: [Signature([2], .int32)]) { inputs in
      StepDescription(assignments: [
        weights.assigning(.scatterSum(.ones([2, 3]), at: inputs[0], rows: 6) + weights.tensor)
      ])
    }
    #expect(throws: DeviceError.indexOutOfRange(operation: "scatter-sum", index: 6, bound: 6)) {
      try step.submit([HostArray([Int32(0), 6])])
    }
    #expect(try executor.values(of: weights).doubles().allSatisfy { $0 == 0 })
    try step.submit([HostArray([Int32(0), 5])])
    #expect(try executor.values(of: weights).doubles().reduce(0, +) == 6)
  }

  @Test(arguments: TestDevice.shading)
  func `of runs that nobody waited for, the first bad one is heard of, once`(device: TestDevice) throws {
    try device.run { executor in
      let step = try executor.compile(inputs: [Signature([2], .int32)], options: Self.checking) {
        StepDescription(outputs: [Self.rows.gathered(at: $0[0])])
      }
      func submit(_ index: Int32) throws { try step.submit([HostArray([Int32(0), index])]) }
      for index in [2, 7, 8, 3] as [Int32] { try submit(index) }
      let error = DeviceError.indexOutOfRange(operation: "gather", index: 7, bound: 6)
      #expect(throws: error) { try step.waitUntilIdle() }
      try step.waitUntilIdle()
      try submit(8)
      #expect(throws: DeviceError.indexOutOfRange(operation: "gather", index: 8, bound: 6)) {
        try step.profile([HostArray([Int32(0), 1])])
      }
      try step.poison()
      #expect(try step.profile([HostArray([Int32(0), 1])]).count == 3)
    }
  }

  @Test(arguments: TestDevice.present)
  func `starts of slices are held in range, as documented, and no error`(device: TestDevice) throws {
    try device.run { executor in
      let x = Tensor((0..<6).map(Float.init))
      let step = try executor.compile(inputs: [Signature([], .int32)], options: Self.checking) { inputs in
        StepDescription(outputs: [
          x.sliced(from: inputs[0], extent: 2, along: 0),
          x.replacing(from: inputs[0], with: .full([2], 9), along: 0),
        ])
      }
      for (start, place) in [(-1, 0), (.min, 0), (5, 4), (6, 4), (.max, 4), (3, 3)] as [(Int32, Int)] {
        let got = try step.run([HostArray([start], shape: [])])
        var wanted = (0..<6).map(Double.init)
        #expect(got[0].doubles() == Array(wanted[place..<(place + 2)]), "\(start)")
        wanted.replaceSubrange(place..<(place + 2), with: [9, 9])
        #expect(got[1].doubles() == wanted, "\(start)")
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `lengths of keys are held in range, and no error`(device: TestDevice) throws {
    try device.run { executor in
      let x = Tensor.uniform([4, 2, 5, 8], key: RandomKey(seed: 1))
      let step = try executor.compile(inputs: [Signature([4], .int32)], options: Self.checking) { inputs in
        let output = Tensor.attention(queries: x, keys: x * 2, values: x, keyPadding: inputs[0])
        return StepDescription(outputs: [
          output, gradients(of: output.squared().sum(), withRespectTo: [x])[0],
        ])
      }
      let wanted = try step.run([HostArray([Int32(0), 5, 0, 5])])
      #expect(try step.run([HostArray([Int32(-1), 6, .min, .max])]) == wanted)
    }
  }

  @Test(arguments: TestDevice.shading)
  func `what is in range is never called out of range`(device: TestDevice) throws {
    let names: Set = [
      "gather", "scatter-sum", "segment-order", "segment-reduction", "sort", "sparse-product",
    ]
    #expect(names.isSubset(of: Sample.all.map(\.primitive)))
    try device.run { executor in
      for (primitive, samples) in Sample.all where names.contains(primitive) {
        for sample in samples {
          let output = sample.build(sample.values(key: RandomKey(seed: 31)).map { Tensor($0) })
          let capabilities = executor.device.capabilities
          let isKnown = [output.node].withDependencies().allSatisfy { node in
            guard case .kernels(let variants) = node.primitive.lowering else { return true }
            let inputs = node.inputs.map(\.signature)
            return variants.contains { $0.applies(capabilities, inputs, node.signature) }
          }
          // Some element types are the host's alone.
          guard isKnown else { continue }
          let plain = try executor.values(of: [output])
          #expect(
            try executor.values(of: [output], options: Self.checking) == plain, "\(primitive)/\(sample.label)"
          )
        }
      }
    }
  }

  @Test func `a graph without indices costs nothing, and the same indices are checked once`() throws {
    let x = Tensor.input(0, Signature([6, 3]))
    let plain = [x.softmax(along: 1)]
    let inputs = [Signature([6, 3]), Signature([5], .int32)]
    #expect(
      try Compiler.plan(plain, inputs: inputs, options: Self.checking).description
        == Compiler.plan(plain, inputs: inputs).description)
    let indices = Tensor.input(1, inputs[1])
    let loss = x.gathered(at: indices).squared().sum()
    let outputs = [x.gathered(at: indices) * 2, gradients(of: loss, withRespectTo: [x])[0]]
    let text = """
      step  kernel         variant  groups  reads            writes
      0     check-indices  find     1x1x1   v0@i1            status@a0+768
      1     check-indices  record   1x1x1   v0@i1            status@a0+768
      2     gather         rows     1x1x1   v2@i0 v0@i1      v3@a0+0
      3     map x2         loop     1x1x1   v3@a0+0          v4@a0+256 v5@a0+512
      4     scatter-sum    scan     1x1x1   v4@a0+256 v0@i1  v6@a0+0
      5 steps, 1024 bytes in 1 arena, 0 parameters
      """
    let checked = try Compiler.plan(outputs, inputs: inputs, options: Self.checking)
    #expect("\(checked)" == text)
    var host = paperDevice
    host.interface = .host
    let computation = Computation(StepDescription(outputs: outputs))
    let plan = try Compiler(capabilities: host, options: Self.checking).plan(computation, inputs: inputs)
    #expect(plan.indexStatus == nil && plan.checkedOperations.isEmpty)
  }

  @Test(arguments: TestDevice.shading)
  func `an executor that checks does so in all its steps`(device: TestDevice) throws {
    let executor = try PlanExecutor(device.executor().device, options: Self.checking)
    #expect(throws: DeviceError.indexOutOfRange(operation: "gather", index: 6, bound: 6)) {
      try Self.rows.gathered(at: Tensor([Int32(6)])).values(on: executor)
    }
  }
}
