import Foundation
import HeklaArrays
import HeklaDevices
@testable import HeklaTensors
import RuntimeTestSupport
import Synchronization
import TestSupport
import Testing

@testable import HeklaRuntime

/// What a choice holds for, and how it is kept.
@Suite struct TuningCacheTests {
  private func product(_ m: Int, _ k: Int, _ n: Int, of type: ElementType = .float32) -> Node {
    Tensor.zeros([m, k], type).matrixProduct(.zeros([k, n], type)).node.base
  }

  private func key(_ node: Node, on device: Capabilities = paperDevice) throws -> TuningKey {
    try #require(TuningKey(of: node, on: TuningDevice(device), device))
  }

  private func result(choosing name: String) -> TuningResult {
    TuningResult(
      inputs: ["float32[68]"], defaultVariant: "plain", candidates: [.init(name, .timed, milliseconds: 0.1)],
      chosen: name)
  }

  // MARK: Keys

  @Test func `extents of one class share a key, and what makes other kernels has another`() throws {
    let first = try key(product(36, 40, 44))
    #expect(first.description == "matrix-product(NN) of float32[1, 64, 64] and float32[1, 64, 64]")
    #expect(first.output == "float32[1, 64, 64]")
    #expect(try key(product(36, 40, 44)) == first)
    #expect(try key(product(40, 36, 60)) == first)
    // Rows that no vectors fit, tiles that nothing is missing of, another class, another type.
    let others = [
      product(36, 41, 44), product(64, 64, 64), product(36, 40, 68), product(36, 40, 44, of: .float64),
    ]
    let keys = try others.map { try key($0) }
    #expect(Set(keys + [first]).count == 5)
    #expect(keys[0].inputs == first.inputs && keys[0].kernels != first.kernels)
    #expect(TuningKey(of: Tensor.zeros([3]).node, on: TuningDevice(paperDevice), paperDevice) == nil)
  }

  @Test func `the result's extents in a primitive's attributes count as their class`() throws {
    func gradient(_ extent: Int) -> Node {
      let y = Tensor.zeros([1, 8, extent, extent])
      return Tensor.convolutionInputGradient(
        y, .zeros([8, 8, 3, 3]),
        ConvolutionGeometry(strides: [1, 1], before: [1, 1], after: [1, 1], dilations: [1, 1], groups: 1),
        inputShape: [1, 8, extent, extent]
      ).node
    }
    #expect(try key(gradient(20)) == key(gradient(24)))
    #expect(try key(gradient(20)) != key(gradient(40)))
    #expect(try key(gradient(20)).attributes.hasSuffix("groups 1 to output"))
  }

  @Test func `a device's key is its identity and what it can do, not how much memory it may take`() throws {
    let node = product(4, 4, 4)
    let first = try key(node)
    var device = paperDevice
    (device.memoryByteCount, device.maxBufferByteCount, device.maxBindingByteCount) = (
      1 << 30, 1 << 29, 1 << 29
    )
    // Sets are the same in whatever order they were filled.
    device.storageTypes = Set(ElementType.allCases.reversed())
    device.storageTypes.reserveCapacity(1000)
    var sameDevice = paperDevice
    sameDevice.storageTypes = Set(ElementType.allCases)
    #expect(TuningDevice(device) == TuningDevice(sameDevice))
    for change: (inout Capabilities) -> Void in [
      { $0.uuid = "1" }, { $0.driver = "next" }, { $0.sharedMemoryByteCount *= 2 },
      { $0.storageTypes.remove(.int32) }, { $0.computeUnitCount += 1 },
    ] {
      var other = paperDevice
      change(&other)
      #expect(try key(node, on: other) != first)
    }
  }

  // MARK: The file

  @Test func `what is saved is read again, and what another process adds in between stays`() throws {
    let folder = try TemporaryFolder()
    let keys = try [4, 8, 16].map { try key(product($0, 4, 4)) }
    var first = TuningCache(for: paperDevice, in: folder.path)
    #expect(first.results.isEmpty)
    var second = TuningCache(for: paperDevice, in: folder.path)
    first[keys[0]] = result(choosing: "a")
    first[keys[1]] = result(choosing: "b")
    second[keys[1]] = result(choosing: "c")
    second[keys[2]] = result(choosing: "d")
    let areSaved = [first.save(), second.save()]
    #expect(areSaved == [true, true])
    let read = TuningCache(for: paperDevice, in: folder.path)
    #expect(keys.map { read[$0]?.chosen } == ["a", "c", "d"])
    #expect(read[keys[0]] == result(choosing: "a"))
    #expect(second.results == read.results)
    // The same choices are the same bytes.
    let name = "\(paperDevice.uuid).tuning"
    let text = try folder.text(of: name)
    let isSavedAgain = second.save()
    #expect(try isSavedAgain && folder.text(of: name) == text)
    let areCleared = [second.clear(), second.clear()]
    #expect(areCleared == [true, false])
    #expect(TuningCache(for: paperDevice, in: folder.path).results.isEmpty)
  }

  @Test func `many writers at once lose nothing`() throws {
    let folder = try TemporaryFolder()
    let keys = try (0..<8).map { try key(product(1 << $0, 4, 4)) }
    let path = folder.path
    DispatchQueue.concurrentPerform(iterations: keys.count) { index in
      var cache = TuningCache(for: paperDevice, in: path)
      cache[keys[index]] = result(choosing: "\(index)")
      _ = cache.save()
    }
    let read = TuningCache(for: paperDevice, in: path)
    #expect(keys.map { read[$0]?.chosen } == (0..<8).map { "\($0)" })
  }

  @Test func `a damaged file, or another device's, counts as empty and is replaced`() throws {
    let folder = try TemporaryFolder()
    let own = try key(product(4, 4, 4))
    let file = URL(fileURLWithPath: folder.path + "/\(paperDevice.uuid).tuning")
    func save() throws -> Data {
      var cache = TuningCache(for: paperDevice, in: folder.path)
      cache[own] = result(choosing: "a")
      let isSaved = cache.save()
      #expect(isSaved)
      #expect(TuningCache(for: paperDevice, in: folder.path).results.count == 1)
      return try Data(contentsOf: file)
    }
    let whole = try save()
    var flipped = whole
    flipped[whole.count / 2] ^= 1
    for damaged in [flipped, whole.dropLast(7), Data(), Data("no cache".utf8)] {
      try damaged.write(to: file)
      #expect(TuningCache(for: paperDevice, in: folder.path).results.isEmpty)
      #expect(try save() == whole)
    }
    var foreign = paperDevice
    foreign.uuid = "f"
    let copy = URL(fileURLWithPath: folder.path + "/f.tuning")
    try whole.write(to: copy)
    #expect(TuningCache(for: foreign, in: folder.path).results.isEmpty)
  }

  @Test func `a folder that cannot be written is told, and none is no folder`() throws {
    var cache = TuningCache(for: paperDevice, in: "/proc/self/no such folder")
    let isSaved = cache.save()
    #expect(!isSaved)
    var none = TuningCache(for: paperDevice, in: nil)
    let outcomes = [none.save(), none.clear()]
    #expect(outcomes == [false, false] && none.path == nil)
  }

  // MARK: Use

  @Test(arguments: TestDevice.present)
  func `a choice is compiled by where that is asked for, and only there`(device: TestDevice) throws {
    try device.run { executor in
      let capabilities = executor.device.capabilities
      let node = Copied.node(67, [.plain, .alike])
      var cache = TuningCache(for: capabilities, in: nil)
      cache[try key(node, on: capabilities)] = result(choosing: "alike")
      let tuned = TunedVariants(cache)
      let own = try PlanExecutor(executor.device, tuned: tuned)
      func variants(_ options: CompilerOptions) throws -> [String] {
        let step = try own.compile(StepDescription(outputs: [Tensor(node)]), options: options)
        let values = try (0..<2).map { _ in try step.run() }
        #expect(values[0] == values[1] && values[0][0].doubles() == (1...67).map { Double($0) })
        return step.plan.steps.map(\.variant)
      }
      var options = CompilerOptions()
      options.tuning = .off
      #expect(try variants(options) == ["plain"])
      #expect(tuned.choices == [:])
      options.tuning = .cached
      #expect(try variants(options) == ["alike"])
      #expect(tuned.choices == ["copied of float32[68] and float32[68]": "alike"])
      options.preferredVariants = ["copied": "plain"]
      #expect(try variants(options) == ["plain"])
    }
  }

  @Test func `a choice that is not there any more is none, and so is that of other kernels`() throws {
    let host = try TestDevice.cpu.executor().device
    let node = Copied.node(67, [.plain, .alike])
    let key = try key(node, on: host.capabilities)
    var options = CompilerOptions()
    options.tuning = .cached
    for (key, choice, wanted) in [
      (key, "gone", "plain"),
      (try self.key(Copied.node(67, [.alike, .plain]), on: host.capabilities), "alike", "plain"),
      (key, "alike", "alike"),
    ] {
      var cache = TuningCache(for: host.capabilities, in: nil)
      cache[key] = result(choosing: choice)
      let executor = try PlanExecutor(host, options: options, tuned: TunedVariants(cache))
      let step = try executor.compile(StepDescription(outputs: [Tensor(node)]))
      #expect(step.plan.steps.map(\.variant) == [wanted])
    }
  }
}
