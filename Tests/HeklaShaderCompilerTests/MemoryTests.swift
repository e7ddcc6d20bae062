import HeklaDevices
import Testing

@Suite("Memory", bothInterfacesArePresent)
struct MemoryTests {
  @Test("std430 places vec3, structures, nested arrays and runtime arrays at their offsets")
  func std430() throws {
    let run = ShaderRun(
      text: """
        layout(local_size_x = 1) in;
        struct Inner { vec3 v; float w; uint k[3]; };
        layout(std430, binding = 0) buffer B { uint head; vec2 pair; vec3 triple; Inner inner[2]; vec3 rest[]; } b;
        void main() {
          b.head = 1u; b.pair = vec2(2, 3); b.triple = vec3(4, 5, 6);
          for (uint i = 0u; i < 2u; ++i) {
            b.inner[i].v = vec3(10u * i + 7u); b.inner[i].w = 8.0 + i; b.inner[i].k[i + 1u] = 9u + i;
          }
          b.rest[0] = b.triple.zyx; b.rest[1].y = b.inner[1].v[b.head] + b.inner[0].w;
          Inner copy = b.inner[1]; copy.k[0] = 42u; b.inner[0] = copy;
        }
        """, buffers: [[UInt32](repeating: 0, count: 36)])
    // head at 0, pair at 8, triple at 16, inner at 32 with stride 32 and k at 16 within, rest at 96.
    var words = [UInt32](repeating: 0, count: 36)
    func put(_ numbers: [Float], at index: Int) {
      for (i, x) in numbers.enumerated() { words[index + i] = x.bitPattern }
    }
    words[0] = 1
    put([2, 3], at: 2)
    put([4, 5, 6], at: 4)
    put([17, 17, 17, 9], at: 8)
    (words[12], words[13], words[14]) = (42, 0, 10)
    put([17, 17, 17, 9], at: 16)
    words[22] = 10
    put([6, 5, 4], at: 24)
    put([17 + 8], at: 29)
    try run.expect(words, in: 0)
  }

  @Test("Scalar layout packs a vec3 into 12 bytes and aligns vec4 to 4")
  func scalarLayout() throws {
    let run = ShaderRun(
      text: """
        #extension GL_EXT_scalar_block_layout : require
        layout(local_size_x = 1) in;
        layout(scalar, binding = 0) buffer B { float head; vec4 four; vec3 rest[]; } b;
        void main() { b.head = 1.0; b.four = vec4(2, 3, 4, 5); b.rest[1] = b.four.yzw; b.rest[0].z = b.rest[1].x; }
        """, buffers: [[UInt32](repeating: 0, count: 11)])
    let numbers: [Float] = [1, 2, 3, 4, 5, 0, 0, 3, 3, 4, 5]
    try run.expect(numbers.map(\.bitPattern), in: 0)
  }

  @Test("Two views of one binding see each other's writes")
  func aliasedBinding() throws {
    let run = ShaderRun(
      text: """
        layout(local_size_x = 4) in;
        layout(std430, binding = 0) buffer A { float a[]; };
        layout(std430, binding = 0) buffer B { uint b[]; };
        layout(std430, binding = 0) buffer C { vec4 c[]; };
        void main() {
          uint i = gl_LocalInvocationIndex;
          a[i] = float(i) + 1.0; b[i] = b[i] | 1u; a[i] += 1.0; c[i + 1u] = vec4(a[i]); c[i + 1u].z = -1.0;
        }
        """, buffers: [[UInt32](repeating: 0, count: 20)])
    let first = (0..<4).map { (i: Int) -> Float in Float(bitPattern: (Float(i) + 1).bitPattern | 1) + 1 }
    let rest: [Float] = first.flatMap { (x: Float) -> [Float] in [x, x, -1, x] }
    try run.expect((first + rest).map(\.bitPattern), in: 0)
  }

  @Test("float16 and bytes are stored exactly without arithmetic of theirs")
  func narrowStorage() throws {
    let run = ShaderRun(
      text: """
        #extension GL_EXT_shader_16bit_storage : require
        #extension GL_EXT_shader_8bit_storage : require
        layout(local_size_x = 4) in;
        layout(std430, binding = 0) buffer H { float16_t h[]; };
        layout(std430, binding = 1) buffer V { f16vec4 v[]; };
        layout(std430, binding = 2) buffer C { uint8_t c[]; };
        void main() {
          uint i = gl_LocalInvocationIndex;
          h[i] = float16_t(float(h[i]) + 0.5); c[i] = uint8_t(uint(c[i]) * 3u + 250u);
          if (i == 0u) { v[1] = f16vec4(vec4(v[2]) * 2.0); v[0] = f16vec4(vec4(0.0, 1.0, 0.0, 3.0)); }
        }
        """,
      buffers: [
        [0x3c00_4000, 0xbc00_0000], [0, 0, 0, 0, 0x4000_3c00, 0x4400_4200], [0x0403_0201],
      ])
    for result in try run.results() {
      // 2.5, 1.5, 0.5, -0.5 as halves.
      #expect(result.buffers[0] == [0x3e00_4100, 0xb800_3800], "on \(result.device)")
      #expect(
        result.buffers[1] == [0x3c00_0000, 0x4200_0000, 0x4400_4000, 0x4800_4600, 0x4000_3c00, 0x4400_4200],
        "on \(result.device)")
      #expect(result.buffers[2] == [0x0603_00fd], "on \(result.device)")
    }
  }

  @Test("Push constants are words of any 32-bit type, vectors and arrays among them")
  func pushConstants() throws {
    let run = ShaderRun(
      text: """
        layout(local_size_x = 3) in;
        layout(std430, binding = 0) buffer B { float b[]; };
        layout(push_constant) uniform P { uint n; float f; int k; ivec2 pair; float list[3]; } p;
        float used(uint i) { return p.list[i] + p.f; }
        void main() { uint i = gl_LocalInvocationIndex; b[i] = used(i) + float(p.n) + float(p.k) + float(p.pair.y); }
        """, buffers: [[0, 0, 0]],
      pushConstants: [
        5, Float(0.5).bitPattern, UInt32(bitPattern: -2), 0, 0, UInt32(bitPattern: -100), Float(1).bitPattern,
        Float(2).bitPattern, Float(3).bitPattern,
      ])
    // ivec2 is aligned to 8: words 4 and 5; the list follows.
    try run.expect([-95.5, -94.5, -93.5].map { Float($0).bitPattern }, in: 0)
  }

  @Test("Shared memory is seen by functions, sized by specialization constants and kept by barriers")
  func sharedMemory() throws {
    let run = ShaderRun(
      text: """
        layout(local_size_x_id = 0) in;
        layout(constant_id = 1) const uint width = 2;
        shared float tile[width + 1][width];
        shared uint total;
        layout(std430, binding = 0) buffer B { float b[]; };
        layout(std430, binding = 1) buffer T { uint t[]; };
        float turned(uint i) { barrier(); return tile[(i / width)][width - 1u - i % width]; }
        void main() {
          uint i = gl_LocalInvocationIndex, g = gl_WorkGroupID.x * gl_WorkGroupSize.x + i;
          if (i == 0u) total = 0u;
          tile[i / width][i % width] = b[g];
          barrier();
          atomicAdd(total, i);
          b[g] = turned(i);
          barrier();
          if (i == 0u) t[gl_WorkGroupID.x] = total;
        }
        """,
      buffers: [(0..<32).map { (i: Int) -> UInt32 in Float(i).bitPattern }, [0, 0]],
      constants: [0: 16, 1: 4], groupCount: GroupCount(2))
    let turned = (0..<32).map { (i: Int) -> UInt32 in Float(i / 4 * 4 + 3 - i % 4).bitPattern }
    try run.expect(turned, in: 0)
    try run.expect([120, 120], in: 1)
  }

  @Test("Atomics on buffers and shared memory count every invocation once")
  func atomics() throws {
    let run = ShaderRun(
      text: """
        layout(local_size_x = 64) in;
        shared int least;
        layout(std430, binding = 0) buffer B { uint b[8]; int s[4]; };
        void main() {
          uint i = gl_GlobalInvocationID.x;
          if (gl_LocalInvocationIndex == 0u) least = 1000;
          barrier();
          atomicAdd(b[0], 1u); atomicMax(b[1], i); atomicMin(b[2], i + 3u); atomicOr(b[3], 1u << (i & 31u));
          atomicAnd(b[4], ~(1u << (i & 7u))); atomicXor(b[5], i);
          if (atomicCompSwap(b[6], 7u, i + 100u) == 7u) atomicAdd(b[7], 1u);
          atomicMin(s[0], -int(i)); atomicMax(s[1], int(i) - 500); atomicMin(least, 5 - int(i));
          barrier();
          if (gl_LocalInvocationIndex == 0u) atomicAdd(s[2], least);
          if (i == 0u) atomicExchange(s[3], -9);
        }
        """, buffers: [[0, 0, .max, 0, .max, 0, 7, 0, 0, UInt32(bitPattern: -1000), 0, 0]],
      groupCount: GroupCount(2))
    for result in try run.results() {
      let words = result.buffers[0]
      #expect(words[0...2] == [128, 127, 3], "on \(result.device)")
      // The exclusive or of 0..<128 is 0, as each bit is set in half of them.
      #expect(words[3...5] == [.max, 0xffff_ff00, 0], "on \(result.device)")
      #expect((100..<228).contains(words[6]) && words[7] == 1, "on \(result.device)")
      #expect(
        words[8...11].map { Int32(bitPattern: $0) } == [-127, -373, -58 - 122, -9], "on \(result.device)")
    }
  }

  @Test("Built-in variables count workgroups and invocations along all axes")
  func builtIns() throws {
    let run = ShaderRun(
      text: """
        layout(local_size_x = 2, local_size_y = 3, local_size_z = 2) in;
        layout(std430, binding = 0) buffer B { uint b[]; };
        void main() {
          uvec3 size = gl_NumWorkGroups * gl_WorkGroupSize, at = gl_GlobalInvocationID;
          uvec3 sum = gl_WorkGroupID * gl_WorkGroupSize + gl_LocalInvocationID;
          b[(at.z * size.y + at.y) * size.x + at.x] = gl_LocalInvocationIndex + 100u * uint(sum == at) + 1000u * gl_WorkGroupID.y;
        }
        """, buffers: [[UInt32](repeating: 0, count: 4 * 6 * 2)], groupCount: GroupCount(2, 2, 1))
    let words = (0..<48).map { (index: Int) -> UInt32 in
      let (x, y, z) = (index % 4, index / 4 % 6, index / 24)
      let local: Int = x % 2 + 2 * (y % 3) + 6 * z
      return UInt32(local + 100 + 1000 * (y / 3))
    }
    try run.expect(words, in: 0)
  }

  @Test("Specialization constants of every type replace their defaults, in expressions too")
  func specialization() throws {
    let run = ShaderRun(
      text: """
        layout(local_size_x = 1) in;
        layout(constant_id = 0) const uint n = 3;
        layout(constant_id = 1) const float f = 1.5;
        layout(constant_id = 2) const bool flag = false;
        layout(constant_id = 3) const int k = -7;
        layout(constant_id = 4) const uint kept = 11;
        const uint span = flag ? n / 2u : n * 2u;
        layout(std430, binding = 0) buffer B { uint b[]; };
        void main() {
          uint list[span + 1u];
          for (uint i = 0u; i <= span; ++i) list[i] = i;
          b[0] = n; b[1] = floatBitsToUint(f); b[2] = uint(flag); b[3] = uint(k); b[4] = kept; b[5] = list[span];
          b[6] = uint(k % 4); b[7] = uint(-k >> 1) ^ (n << 3u);
        }
        """, buffers: [[UInt32](repeating: 0, count: 8)],
      constants: [0: 9, 1: Float(-2.25).bitPattern, 2: 1, 3: UInt32(bitPattern: -50)])
    // GLSL leaves % of a negative number open; glslang writes OpSMod, which takes the sign of the divisor.
    try run.expect([9, Float(-2.25).bitPattern, 1, UInt32(bitPattern: -50), 11, 4, 2, 25 ^ 72], in: 0)
  }
}
