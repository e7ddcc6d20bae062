import HeklaDevices
import Testing

@testable import HeklaOpenCL

@Suite("GLSL on OpenCL", .enabled(if: OpenCLFixture.isPresent, OpenCLFixture.absence))
struct OpenCLShaderTests {
  /// `y = a * x + y` over the first `count` elements.
  static let axpy = GLSLSource(
    name: "axpy",
    text: """
      #version 450
      layout(local_size_x_id = 0) in;
      layout(set = 0, binding = 0) readonly buffer Left { float x[]; };
      layout(set = 0, binding = 1) buffer Right { float y[]; };
      layout(push_constant) uniform Constants { uint count; float a; };
      void main() {
        uint i = gl_GlobalInvocationID.x;
        if (i < count) y[i] = a * x[i] + y[i];
      }
      """,
    constants: [0: 64])

  /// The sum of each workgroup's 2 * 32 elements, through shared memory.
  static let groupSum = GLSLSource(
    name: "group sum",
    text: """
      #version 450
      #include "double.glsl"
      layout(local_size_x = 32) in;
      layout(set = 0, binding = 0) readonly buffer Values { uint values[]; };
      layout(set = 0, binding = 1) writeonly buffer Sums { uint sums[]; };
      shared uint partial[32];
      void main() {
        uint lane = gl_LocalInvocationID.x;
        uint first = gl_WorkGroupID.x * 64u;
        partial[lane] = values[first + lane] + values[first + 32u + lane];
        barrier();
        for (uint step = 16u; step > 0u; step >>= 1) {
          if (lane < step) partial[lane] += partial[lane + step];
          barrier();
        }
        if (lane == 0u) sums[gl_WorkGroupID.x] = twice(partial[0]);
      }
      """)

  let device: OpenCLDevice
  let queue: any Queue

  init() throws {
    let options = OpenCLOptions(include: { name in
      name == "double.glsl" ? "uint twice(uint x) { return 2u * x; }\n" : nil
    })
    device = try OpenCLPlatform.device(at: 0, options: options)
    queue = try device.makeQueue()
  }

  @Test("A shader with push constants and a specialized workgroup size computes what it says")
  func pushConstants() throws {
    let kernel = try device.makeKernel(.glsl(Self.axpy))
    let (x, y) = (try device.makeBuffer(byteCount: 1024), try device.makeBuffer(byteCount: 1024))
    try queue.write((0..<256).map { Float($0) }, to: x)
    try queue.write([Float](repeating: 1, count: 256), to: y)
    try queue.run([
      .dispatch(
        Dispatch(
          kernel, bindings: [BufferSlice(x), BufferSlice(y)], groupCount: GroupCount(4),
          pushConstants: [200, Float(0.5).bitPattern], label: "axpy"))
    ])
    // Halves of small whole numbers plus one: exact, fused or not.
    let expected = (0..<256).map { $0 < 200 ? 0.5 * Float($0) + 1 : 1 }
    #expect(try queue.read(256, from: y, initial: Float.nan) == expected)
  }

  @Test("A shader with an include, shared memory and barriers reads and writes slices")
  func sharedMemory() throws {
    let kernel = try device.makeKernel(.glsl(Self.groupSum))
    let offset = max(device.capabilities.bufferAlignment, 256)
    let arena = try device.makeBuffer(byteCount: 2 * offset + 4 * 512)
    let values = (0..<512).map { UInt32($0 * $0) }
    try queue.write(values, to: arena, offset: 2 * offset)
    let input = BufferSlice(arena, offset: 2 * offset, byteCount: 4 * 512)
    let output = BufferSlice(arena, offset: offset, byteCount: 32)
    try queue.run([
      .fill(output, word: 0),
      .dispatch(Dispatch(kernel, bindings: [input, output], groupCount: GroupCount(8), label: "sums")),
    ])
    let expected = (0..<8).map { group in 2 * values[(64 * group)..<(64 * group + 64)].reduce(0, +) }
    #expect(try queue.read(8, from: arena, offset: offset, initial: UInt32.max) == expected)
  }

  @Test("The same source gives the same kernel, also to threads that ask at once; another constant another")
  func kernelCache() async throws {
    let kernels = try await withThrowingTaskGroup(of: (any Kernel).self) { group in
      for _ in 0..<4 { group.addTask { try device.makeKernel(.glsl(Self.axpy)) } }
      return try await group.reduce(into: [any Kernel]()) { $0.append($1) }
    }
    let first = try #require(kernels.first)
    #expect(kernels.allSatisfy { $0 === first })
    var wide = Self.axpy
    wide.constants[0] = 128
    #expect(try device.makeKernel(.glsl(wide)) !== first)
  }

  @Test("A shader that does not compile names itself and the line")
  func compilationError() throws {
    var broken = Self.axpy
    broken.text.replace("a * x[i]", with: "undeclared * x[i]")
    let error = #expect(throws: DeviceError.self) { try device.makeKernel(.glsl(broken)) }
    guard case .compilation("axpy", let log) = error else {
      Issue.record("not a compilation error: \(String(describing: error))")
      return
    }
    #expect(log.contains("undeclared"))
  }

  @Test("A dispatch with a word too few or a buffer too few is refused by the shader's own declarations")
  func declarations() throws {
    let kernel = try device.makeKernel(.glsl(Self.axpy))
    let slice = BufferSlice(try device.makeBuffer(byteCount: 1024))
    for (bindings, constants) in [([slice], [200, 0] as [UInt32]), ([slice, slice], [200])] {
      #expect(throws: DeviceError.self) {
        try queue.record([
          .dispatch(
            Dispatch(
              kernel, bindings: bindings, groupCount: GroupCount(4), pushConstants: constants, label: "axpy"))
        ])
      }
    }
  }
}
