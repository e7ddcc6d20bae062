import HeklaArrays
import HeklaDevices
import HeklaHost
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

@Suite struct StepTests {
  @Test(arguments: TestDevice.present)
  func `a step takes new arguments at each run, also none at all elements`(device: TestDevice) throws {
    try device.run { executor in
      let step = try executor.compile(inputs: [Signature([3]), Signature([0, 2])]) { x in
        StepDescription(outputs: [
          x[0] * 2, x[1] + 1, x[1].sum(along: 0), .concatenating([x[1].reshaped(to: [0]), x[0]], along: 0),
        ])
      }
      let nothing = HostArray(zeros: [0, 2])
      for numbers in [[1, 2, 3], [4, 5, 6]] as [[Float]] {
        let results = try step.run([HostArray(numbers), nothing])
        #expect(results[0].elements() == numbers.map { 2 * $0 })
        #expect(results[1] == nothing)
        #expect(results[2].elements() == [Float(0), 0])
        #expect(results[3].elements() == numbers)
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `a large argument may be overwritten once its step is submitted, while steps run on`(
    device: TestDevice
  ) throws {
    try device.run { executor in
      // 10 MiB, in small numbers: halves and sums of them are exact in float32.
      let count = 5 << 19
      let mean = Parameter(.zeros([count]))
      let step = try executor.compile(inputs: [Signature([count])]) { x in
        StepDescription(assignments: [mean.assigning(mean.tensor * 0.5 + x[0])])
      }
      var argument = HostArray(zeros: [count])
      func fill(_ value: (Int) -> Float) -> UnsafeMutableRawPointer? {
        argument.withUnsafeMutableBytes { bytes in
          let elements = bytes.bindMemory(to: Float.self)
          for index in elements.indices { elements[index] = value(index) }
          return bytes.baseAddress
        }
      }
      var expected = [Float](repeating: 0, count: count)
      for number in 0..<6 {
        let address = fill { Float(($0 + 7 * number) % 61) }
        try step.submit([argument])
        let overwritten = fill { _ in .nan }
        #expect(overwritten == address, "the argument was copied, not overwritten")
        for index in expected.indices {
          expected[index] = expected[index] * 0.5 + Float((index + 7 * number) % 61)
        }
      }
      #expect(try executor.values(of: mean).elements(as: Float.self) == expected)
    }
  }

  @Test(arguments: TestDevice.present)
  func `bits of random numbers are equal on all devices`(device: TestDevice) throws {
    try device.run { executor in
      let tensor = Tensor.uniform([100], key: RandomKey(seed: 77))
      let got = try tensor.values(on: executor).elements(as: Float.self)
      #expect(got == (0..<100).map { RandomKey(seed: 77).uniform(at: $0) })
    }
  }

  @Test(arguments: TestDevice.present)
  func `the gradient of a maximum finds the extremum again in another kernel`(device: TestDevice) throws {
    try device.run { executor in
      let (a, b) = (
        Tensor.uniform([9, 33], key: RandomKey(seed: 1)), Tensor.uniform([9, 33], key: RandomKey(seed: 2))
      )
      let loss = (a * b + b * 0.3).maximum(along: 1).sum()
      let slope = try gradients(of: loss, withRespectTo: [a])[0].values(on: executor).doubles()
      // One element of each row, never NaN: what the second kernel computes equals what the first stored.
      #expect(slope.filter { $0 != 0 }.count == 9 && slope.allSatisfy { !$0.isNaN })
    }
  }

  @Test(arguments: TestDevice.present)
  func `the least numbers of a type can be written down in a kernel`(device: TestDevice) throws {
    try device.run { executor in
      let capabilities = executor.device.capabilities
      guard capabilities.storageTypes.contains(.int64), capabilities.arithmeticTypes.contains(.int64) else {
        try Test.cancel("\(device.name) does not compute in int64")
      }
      let x = Tensor([3, -4] as [Int64])
      let results = try executor.values(of: [
        x.minimum(), x.maximum(), .map(x, .full([], -0x1p63, .int64)) { .maximum($0, $1) },
      ])
      #expect(results.map { $0.doubles() } == [[-4], [3], [3, -4]])
    }
  }

  @Test func `arguments that do not fit are refused before anything runs`() throws {
    let executor = try TestDevice.cpu.executor()
    let step = try executor.compile(inputs: [Signature([3])]) { StepDescription(outputs: [$0[0] * 2]) }
    #expect(
      throws: DeviceError.invalidArgument(call: "run", reason: "the step takes 1 arguments, 0 were given")
    ) {
      try step.run()
    }
    let reason = "argument 0 is float32[2], the step takes float32[3]"
    #expect(throws: DeviceError.invalidArgument(call: "run", reason: reason)) {
      try step.run([HostArray(zeros: [2])])
    }
    #expect(throws: DeviceError.invalidArgument(call: "profile", reason: reason)) {
      try step.profile([HostArray(zeros: [2])])
    }
    #expect(throws: DeviceError.self) { try step.run([HostArray(zeros: [3], of: .float64)]) }
    #expect(try step.profile([HostArray(zeros: [3])]).count == 1)
  }

  @Test func `a placeholder that is no argument is refused when the step is compiled`() throws {
    let executor = try TestDevice.cpu.executor()
    let description = StepDescription(outputs: [Tensor.input(1, Signature([3])) * 2])
    let reason =
      "the step uses argument 1 as float32[3], but there is none. Pass its signature in inputs."
    #expect(throws: DeviceError.invalidArgument(call: "compile", reason: reason)) {
      try executor.compile(description, inputs: [Signature([3])])
    }
  }

  @Test(arguments: ["gpu", "vulkan", "vulkan:x", "opencl:99", "vulkan:-1", "vulkan:+0", "cpu:0", ""])
  func `an unknown device is an error that lists those there are`(name: String) throws {
    let names = ["auto"] + TestDevice.present.map(\.name)
    let isMissing = name.contains(":") && TestDevice.absence(of: String(name.prefix { $0 != ":" })) != nil
    guard !isMissing else { try Test.cancel("there is no loader for \(name)") }
    #expect(throws: DeviceError.unknownDevice(name: name, known: names)) {
      try DeviceCatalog.shared.device(named: name)
    }
  }

  @Test func `the cpu and what auto stands for are always there`() throws {
    let (first, second) = try (
      DeviceCatalog.shared.device(named: "cpu"), DeviceCatalog.shared.device(named: "cpu")
    )
    #expect(first === second)
    let fastest = try DeviceCatalog.shared.device(named: "auto")
    #expect(fastest.capabilities.kind.isGPU || fastest.name == "cpu")
  }

  @Test func `memory beyond the limit is a typed error, and the executor goes on`() throws {
    let executor = try PlanExecutor(HostDevice(memoryLimit: 1 << 20))
    let error = #expect(throws: DeviceError.self) {
      _ = try executor.values(of: [Tensor.uniform([1 << 20], key: RandomKey(seed: 1))])
    }
    let isExpected =
      switch error {
      case .outOfMemory, .limitExceeded: true
      default: false
      }
    #expect(isExpected, "\(String(describing: error))")
    #expect(try executor.values(of: [Tensor.ones([4]).sum()])[0].elements() == [Float(4)])
  }
}
