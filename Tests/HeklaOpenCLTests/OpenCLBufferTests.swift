import HeklaDevices
import Testing

@testable import HeklaOpenCL

@Suite("OpenCL buffers", .enabled(if: OpenCLFixture.isPresent, OpenCLFixture.absence))
struct OpenCLBufferTests {
  // 100 words go by way of a copy, 100,000 are waited for.
  @Test("What is written is read back, at any offset", arguments: [100, 100_000])
  func roundTrip(count: Int) throws {
    let device = try OpenCLFixture.device()
    let queue = try device.makeQueue()
    let buffer = try device.makeBuffer(byteCount: 4 * count + 64)
    try queue.write([UInt32](repeating: 7, count: count + 16), to: buffer)
    let values = (0..<count).map { UInt32($0) &* 2_654_435_761 }
    try queue.write(values, to: buffer, offset: 20)
    let result = try queue.read(count + 16, from: buffer, initial: UInt32.max)
    #expect(result == Array(repeating: 7, count: 5) + values + Array(repeating: 7, count: 11))
    #expect(try queue.read(count, from: buffer, offset: 20, initial: UInt32.max) == values)
  }

  @Test("The source of a write may be reused at once")
  func writeCopies() throws {
    let device = try OpenCLFixture.device()
    let queue = try device.makeQueue()
    let buffer = try device.makeBuffer(byteCount: 4)
    var values: [UInt32] = [0]
    for round in 0..<200 {
      values[0] = UInt32(round)
      try queue.write(values, to: buffer)
      values[0] = .max
      if round % 50 == 49 { #expect(try queue.read(1, from: buffer, initial: UInt32.max) == [UInt32(round)]) }
    }
  }

  @Test("Writes and reads outside a slice, of another device or of no memory are errors")
  func badSlices() throws {
    let device = try OpenCLFixture.device()
    let queue = try device.makeQueue()
    let buffer = try device.makeBuffer(byteCount: 64)
    let bytes = [UInt8](repeating: 0, count: 64)
    for slice in [
      BufferSlice(buffer, offset: 4, byteCount: 64), BufferSlice(buffer, offset: -4, byteCount: 8),
      BufferSlice(buffer, offset: 2, byteCount: 8), BufferSlice(buffer, offset: 0, byteCount: 8),
      BufferSlice(buffer, offset: Int.max - 3, byteCount: Int.max), BufferSlice(ForeignBuffer()),
    ] {
      #expect(throws: DeviceError.self) { try bytes.withUnsafeBytes { try queue.write($0, to: slice) } }
    }
    #expect(throws: DeviceError.self) { try device.makeBuffer(byteCount: 0) }
  }

  @Test("A buffer larger than the device allows names both sizes")
  func tooLarge() throws {
    let device = try OpenCLFixture.device()
    let allowed = device.capabilities.maxBufferByteCount
    let error = #expect(throws: DeviceError.self) { try device.makeBuffer(byteCount: allowed + 1) }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("\(allowed + 1)"))
    #expect(text.contains("at most \(allowed),"))
  }

  @Test("The memory limit holds, says what is left, and gets back what is let go")
  func memoryLimit() throws {
    let device = try OpenCLPlatform.device(at: 0, options: OpenCLOptions(memoryLimit: 1000))
    var first: (any Buffer)? = try device.makeBuffer(byteCount: 600)
    #expect(first?.byteCount == 600)
    #expect(
      throws: DeviceError.outOfMemory(
        device: "opencl:0", purpose: "a buffer", requestedByteCount: 401, availableByteCount: 400)
    ) { try device.makeBuffer(byteCount: 401) }
    first = nil
    #expect(try device.makeBuffer(byteCount: 1000).byteCount == 1000)
  }
}

/// A buffer that no OpenCL device made.
final class ForeignBuffer: Buffer {
  let byteCount = 64
}
