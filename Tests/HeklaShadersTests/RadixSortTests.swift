import HeklaArrays
import HeklaDevices
import Testing

@Suite("Radix sort", .serialized)
struct RadixSortTests {
  @Test(
    "Keys come in order, and payloads of equal keys in the order they had", arguments: ShaderDevice.allCases,
    [1, 127, 1024, 1025, 5000])
  func sortsPairs(_ interface: ShaderDevice, _ count: Int) throws {
    let bench = try Workbench(interface)
    let random = RandomKey(seed: 11)
    // Few distinct keys, spread over all 32 bits, so that stability shows.
    let keys = (0..<count).map { (random.word(at: $0) % 97) &* 0x2C1B_3C6D }
    let payloads = (0..<count).map { random.word(at: count + $0) }
    let sort = try RadixSort().dispatches(
      keys: bench.input(keys), payloads: bench.input(payloads), bitCount: 32, on: bench)
    try bench.runThrice(sort.dispatches, outputs: [sort.keys, sort.payloads])
    let order = keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
    #expect(try sort.keys.words() == order.map { keys[$0] })
    #expect(try sort.payloads.words() == order.map { payloads[$0] })
  }

  @Test("Any geometry gives the same order", arguments: ShaderDevice.allCases)
  func geometries(_ interface: ShaderDevice) throws {
    let bench = try Workbench(interface)
    let random = RandomKey(seed: 12)
    let keys = (0..<1500).map { random.word(at: $0) & 0xFFF }
    let order = keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.map(UInt32.init)
    for geometry in [
      RadixSort(localSize: 32, bitsPerPass: 2, keysPerInvocation: 1),
      RadixSort(localSize: 64, bitsPerPass: 5, keysPerInvocation: 3),
      RadixSort(localSize: 8, bitsPerPass: 4, keysPerInvocation: 4),
    ] {
      let sort = try geometry.dispatches(keys: bench.input(keys), bitCount: 12, on: bench)
      try bench.runThrice(sort.dispatches, outputs: [sort.keys, sort.payloads])
      #expect(try sort.payloads.words() == order, "\(geometry)")
    }
  }

  @Test("Keys above the limit count as the limit", arguments: ShaderDevice.allCases)
  func limit(_ interface: ShaderDevice) throws {
    let bench = try Workbench(interface)
    let keys: [UInt32] = [9, .max, 3, 10, 11, 0, 1 << 31, 3]
    let sort = try RadixSort().dispatches(keys: bench.input(keys), bitCount: 4, limit: 10, on: bench)
    try bench.run(sort.dispatches)
    #expect(try sort.keys.words() == [0, 3, 3, 9, 10, 10, 10, 10])
    #expect(try sort.payloads.words() == [5, 2, 7, 0, 1, 3, 4, 6])
  }
}
