import Glibc
import HeklaDevices
import HeklaShaderCompiler
import Testing

@testable import HeklaOpenCL

/// The device and the kernels that the tests share.
enum OpenCLFixture {
  /// The first OpenCL device, or why there is none.
  static let shared = Result { () throws(DeviceError) in try OpenCLPlatform.device(at: 0) }

  /// Whether tests of devices run: where there is one, and on continuous integration in any case, so that a
  /// missing driver fails there.
  static let isPresent = ((try? shared.get()) != nil) || getenv("CI").map { String(cString: $0) } == "true"

  /// Why they do not run otherwise.
  static let absence: Comment = "there is no OpenCL device on this machine; pocl-opencl-icd is one"

  static func device() throws -> OpenCLDevice { try shared.get() }

  /// `values[i] = values[i] * factor + summand`, 64 invocations to a workgroup.
  static let affine = OpenCLProgram(
    text: """
      struct Constants { uint factor; uint summand; };
      __kernel __attribute__((reqd_work_group_size(64, 1, 1)))
      void affine(__global uint *values, struct Constants constants) {
        uint i = (uint)get_global_id(0);
        values[i] = values[i] * constants.factor + constants.summand;
      }
      """,
    entryPoint: "affine", bindings: [0], pushConstantByteCount: 8, workgroupSize: GroupCount(64),
    sharedMemoryByteCount: 0)

  /// `sums[i] = left[i] + right[i]` with bindings 0, 2 and 3, as if binding 1 were not used.
  static let addition = OpenCLProgram(
    text: """
      __kernel __attribute__((reqd_work_group_size(32, 1, 1)))
      void addition(__global const float *left, __global const float *right, __global float *sums) {
        uint i = (uint)get_global_id(0);
        sums[i] = left[i] + right[i];
      }
      """,
    entryPoint: "addition", bindings: [0, 2, 3], pushConstantByteCount: 0, workgroupSize: GroupCount(32),
    sharedMemoryByteCount: 0)

  /// `values[i]` after `count` steps of a chain in which each has to wait for the one before.
  static let slow = OpenCLProgram(
    text: """
      struct Constants { uint count; };
      __kernel __attribute__((reqd_work_group_size(64, 1, 1)))
      void slow(__global uint *values, struct Constants constants) {
        uint i = (uint)get_global_id(0), value = values[i];
        for (uint k = 0; k < constants.count; ++k) value = value * 1664525u + 1013904223u;
        values[i] = value;
      }
      """,
    entryPoint: "slow", bindings: [0], pushConstantByteCount: 4, workgroupSize: GroupCount(64),
    sharedMemoryByteCount: 0)

  /// Writes each invocation's group and global numbers, to check grids of three axes.
  static let grid = OpenCLProgram(
    text: """
      __kernel __attribute__((reqd_work_group_size(2, 3, 1)))
      void grid(__global uint *values) {
        uint x = (uint)get_global_id(0), y = (uint)get_global_id(1), z = (uint)get_global_id(2);
        uint i = x + (uint)get_global_size(0) * (y + (uint)get_global_size(1) * z);
        values[i] = (uint)get_group_id(0) | (uint)get_group_id(1) << 8 | (uint)get_group_id(2) << 16
          | (uint)get_local_id(1) << 24;
      }
      """,
    entryPoint: "grid", bindings: [0], pushConstantByteCount: 0, workgroupSize: GroupCount(2, 3),
    sharedMemoryByteCount: 0)
}

extension Queue {
  /// Writes `values` to the start of `buffer`.
  func write<Element: BitwiseCopyable>(_ values: [Element], to buffer: any Buffer, offset: Int = 0) throws {
    try values.withUnsafeBytes { bytes in
      try write(bytes, to: BufferSlice(buffer, offset: offset, byteCount: bytes.count))
    }
  }

  /// Reads `count` elements of `buffer`, each `initial` until it is overwritten.
  func read<Element: BitwiseCopyable>(
    _ count: Int, from buffer: any Buffer, offset: Int = 0, initial: Element
  ) throws -> [Element] {
    var values = [Element](repeating: initial, count: count)
    try values.withUnsafeMutableBytes { bytes in
      try read(BufferSlice(buffer, offset: offset, byteCount: bytes.count), into: bytes)
    }
    return values
  }

  /// Records `commands`, runs them once and waits.
  func run(_ commands: [Command]) throws {
    try submit(try record(commands))
    try waitUntilIdle()
  }
}
