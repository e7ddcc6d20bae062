import HeklaDevices
import Testing

@testable import HeklaOpenCL

@Suite("OpenCL recordings", .enabled(if: OpenCLFixture.isPresent, OpenCLFixture.absence))
struct OpenCLRecordingTests {
  let device: OpenCLDevice
  let queue: any Queue
  let affine: OpenCLKernel
  let addition: OpenCLKernel

  init() throws {
    device = try OpenCLFixture.device()
    queue = try device.makeQueue()
    affine = try device.makeKernel(OpenCLFixture.affine, name: "affine")
    addition = try device.makeKernel(OpenCLFixture.addition, name: "addition")
  }

  @Test("A dispatch gets its push constants and leaves its neighbours alone")
  func pushConstants() throws {
    let buffer = try device.makeBuffer(byteCount: 4 * 192)
    try queue.write((0..<192).map(UInt32.init), to: buffer)
    try queue.run([
      .dispatch(
        Dispatch(
          affine, bindings: [BufferSlice(buffer)], groupCount: GroupCount(2),
          pushConstants: [3, 0xffff_ffff],
          label: "affine"))
    ])
    let result = try queue.read(192, from: buffer, initial: UInt32.max)
    let expected = (0..<192).map { (word: UInt32) in word < 128 ? word &* 3 &- 1 : word }
    #expect(result == expected)
  }

  @Test("A grid has three axes")
  func grid() throws {
    let kernel = try device.makeKernel(OpenCLFixture.grid, name: "grid")
    let (groups, local) = (GroupCount(3, 2, 4), GroupCount(2, 3, 1))
    let count = groups.count * local.count
    let buffer = try device.makeBuffer(byteCount: 4 * count)
    try queue.run([
      .dispatch(Dispatch(kernel, bindings: [BufferSlice(buffer)], groupCount: groups, label: "grid"))
    ])
    let expected = (0..<count).map { index in
      let (x, y, z) = (index % 6, index / 6 % 6, index / 36)
      return UInt32((x / 2) | ((y / 3) << 8) | (z << 16) | ((y % 3) << 24))
    }
    #expect(try queue.read(count, from: buffer, initial: UInt32.max) == expected)
  }

  @Test("Slices bind as if they were buffers, and binding numbers that a kernel skips are skipped")
  func slices() throws {
    let alignment = device.capabilities.bufferAlignment
    let stride = max(alignment, 128)
    let arena = try device.makeBuffer(byteCount: 4 * stride)
    try queue.write((0..<stride).map { Float($0) }, to: arena)
    let slices = (0..<4).map { BufferSlice(arena, offset: $0 * stride, byteCount: 128) }
    try queue.run([
      .dispatch(
        Dispatch(
          addition, bindings: [slices[1], slices[0], slices[2], slices[3]], groupCount: GroupCount(1),
          label: "addition"))
    ])
    let result = try queue.read(stride, from: arena, initial: Float.nan)
    let words = stride / 4
    #expect(Array(result[..<(3 * words)]) == (0..<(3 * words)).map { Float($0) })
    #expect(Array(result[(3 * words)..<(3 * words + 32)]) == (0..<32).map { Float(3 * words + 2 * $0) })
    #expect(
      Array(result[(3 * words + 32)...]) == ((3 * words + 32)..<(4 * words)).map { Float($0) })
  }

  @Test("Commands see what those before them wrote, through buffers, slices, copies and fills alike")
  func ordering() throws {
    let stride = max(device.capabilities.bufferAlignment, 256)
    let arena = try device.makeBuffer(byteCount: 3 * stride)
    let other = try device.makeBuffer(byteCount: 256)
    let slice = BufferSlice(arena, offset: stride, byteCount: 256)
    func step(_ target: BufferSlice, times factor: UInt32, plus summand: UInt32) -> Command {
      .dispatch(
        Dispatch(
          affine, bindings: [target], groupCount: GroupCount(1), pushConstants: [factor, summand],
          label: "step"))
    }
    let recording = try queue.record([
      .fill(BufferSlice(arena), word: 5), .barrier,
      step(slice, times: 2, plus: 1), .barrier,  // 11
      .copy(from: slice, to: BufferSlice(other)), .barrier,
      step(BufferSlice(other), times: 10, plus: 0), .barrier,  // 110
      .copy(from: BufferSlice(other), to: BufferSlice(arena, offset: 2 * stride, byteCount: 256)), .barrier,
      step(slice, times: 1, plus: 1),  // 12
      step(BufferSlice(arena, offset: 2 * stride, byteCount: 256), times: 1, plus: 2),  // 112
    ])
    #expect(recording.commandCount == 7)
    for _ in 0..<3 {
      try queue.submit(recording)
      let words = stride / 4
      let result = try queue.read(3 * words, from: arena, initial: UInt32.max)
      #expect(result[..<words].allSatisfy { $0 == 5 })
      #expect(result[words..<(words + 64)].allSatisfy { $0 == 12 })
      #expect(result[(words + 64)..<(2 * words)].allSatisfy { $0 == 5 })
      #expect(result[(2 * words)..<(2 * words + 64)].allSatisfy { $0 == 112 })
    }
  }

  @Test("A fill reaches the whole slice and nothing else")
  func fill() throws {
    let buffer = try device.makeBuffer(byteCount: 256)
    try queue.run([
      .fill(BufferSlice(buffer), word: 1),
      .fill(BufferSlice(buffer, offset: 12, byteCount: 20), word: 0xdead_beef),
    ])
    let result = try queue.read(64, from: buffer, initial: UInt32.max)
    #expect(result == (0..<64).map { (3..<8).contains($0) ? 0xdead_beef : 1 })
  }

  @Test("What a device cannot run is refused with its reason, and nothing of it runs")
  func refusals() throws {
    let buffer = try device.makeBuffer(byteCount: 1024)
    let slice = BufferSlice(buffer)
    let alignment = device.capabilities.bufferAlignment
    func dispatch(
      _ bindings: [BufferSlice], groups: GroupCount = GroupCount(1), constants: [UInt32] = [1, 1]
    ) -> Command {
      .dispatch(
        Dispatch(affine, bindings: bindings, groupCount: groups, pushConstants: constants, label: "odd one"))
    }
    let refused: [(Command, String)] = [
      (dispatch([]), "binds 0 buffers, kernel 'affine' uses 1"),
      (dispatch([BufferSlice(ForeignBuffer())]), "binding 0 of dispatch 'odd one' is another device's"),
      (dispatch([BufferSlice(buffer, offset: 1024, byteCount: 4)]), "4 bytes from byte 1024 on"),
      (dispatch([BufferSlice(buffer, offset: 0, byteCount: 1028)]), "its buffer has 1024 bytes"),
      (dispatch([BufferSlice(buffer, offset: 0, byteCount: 0)]), "0 bytes"),
      (dispatch([BufferSlice(buffer, offset: 4, byteCount: 256)]), "not a multiple of \(alignment)"),
      (dispatch([slice], groups: GroupCount(0)), "0 workgroups along x"),
      (dispatch([slice], groups: GroupCount(1, 1, 65_536)), "along z of at most 65535, 65536"),
      (dispatch([slice], constants: [1]), "gives 4 bytes of push constants, kernel 'affine' takes 8"),
      (.copy(from: slice, to: BufferSlice(buffer, offset: 0, byteCount: 4)), "both must be equal"),
      (
        .copy(
          from: BufferSlice(buffer, offset: 0, byteCount: 8), to: BufferSlice(buffer, offset: 4, byteCount: 8)
        ),
        "overlaps"
      ),
      (.fill(BufferSlice(buffer, offset: 0, byteCount: 6), word: 0), "whole words"),
    ]
    try queue.run([.fill(slice, word: 9)])
    for (command, reason) in refused {
      let error = #expect(throws: DeviceError.self) { try queue.record([.fill(slice, word: 1), command]) }
      let text = error.map { "\($0)" } ?? ""
      #expect(text.contains(reason), "'\(text)' does not say '\(reason)'")
    }
    #expect(try queue.read(256, from: buffer, initial: UInt32.max).allSatisfy { $0 == 9 })
  }

  @Test("A recording keeps its kernels and buffers, and the driver keeps what still runs")
  func lifetimes() throws {
    let kept = try device.makeBuffer(byteCount: 256)
    var recording: (any Recording)? = try {
      let kernel = try device.makeKernel(OpenCLFixture.affine, name: "short-lived")
      let arena = try device.makeBuffer(byteCount: 4096)
      let slice = BufferSlice(arena, offset: 2048, byteCount: 256)
      let dispatch = Dispatch(
        kernel, bindings: [slice], groupCount: GroupCount(1), pushConstants: [3, 4], label: "short-lived")
      return try queue.record([
        .fill(slice, word: 2), .dispatch(dispatch), .copy(from: slice, to: BufferSlice(kept)),
      ])
    }()
    try recording.map { try queue.submit($0) }
    recording = nil
    #expect(try queue.read(64, from: kept, initial: UInt32.max) == Array(repeating: 10, count: 64))
  }
}
