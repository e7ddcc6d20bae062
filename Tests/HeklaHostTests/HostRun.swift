import HeklaArrays
import HeklaDevices
import TestSupport

@testable import HeklaHost

/// The memory after `loop` has run on the host, given the memory before.
func run(
  _ loop: Loop, on bindings: [HostArray], pool: ThreadPool = .shared, library: BlockLibrary = .best
) throws(DeviceError) -> [HostArray] {
  try run(LoopKernel.source(for: loop, name: "test", pool: pool, library: library), on: bindings)
}

/// The memory after a host body has run.
func run(_ source: HostSource, on bindings: [HostArray]) throws(DeviceError) -> [HostArray] {
  var results = bindings
  // Addresses of copy-on-write memory hold while nobody else touches the arrays.
  var pointers: [UnsafeMutableRawBufferPointer] = []
  for index in results.indices {
    pointers.append(results[index].withUnsafeMutableBytes { $0 })
  }
  try source.body(HostArguments(bindings: pointers, pushConstants: []))
  return results
}

/// A small deterministic generator (SplitMix64, Steele et al. 2014), so that failures repeat.
struct Generator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

/// An elementwise loop over `count` elements: each input binding read in order, one operation, one output.
func loop(
  _ operation: ScalarOperation, inputs: [ElementType], result: ElementType, output: ElementType? = nil,
  count: Int
) -> Loop {
  Loop(
    extents: [count],
    reads: inputs.enumerated().map {
      Loop.Read(binding: $0, elementType: $1, index: Loop.Affine(offset: 0, strides: [1]))
    },
    body: inputs.indices.map { .read($0) } + [.apply(operation, Array(inputs.indices), result)],
    writes: [
      Loop.Write(
        binding: inputs.count, elementType: output ?? result, index: Loop.Affine(offset: 0, strides: [1]),
        value: inputs.count)
    ])
}
