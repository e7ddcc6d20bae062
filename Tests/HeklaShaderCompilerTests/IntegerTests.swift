import Testing

private let words: [UInt32] = [
  0, 1, 2, 3, 7, 31, 32, 255, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fff9, 0xffff_ffff, 0x1234_5678,
]
private let pairs = words.flatMap { x in words.map { (x, $0) } }

private func form(_ glsl: String, _ value: @escaping @Sendable (UInt32, UInt32) -> UInt32) -> Form<UInt32> {
  Form(glsl, value)
}

private func signedForm(_ glsl: String, _ value: @escaping @Sendable (Int32, Int32) -> Int32) -> Form<Int32> {
  Form("uint(\(glsl))") { UInt32(bitPattern: value($0, $1)) }
}

@Suite("Integer operations", bothInterfacesArePresent)
struct IntegerTests {
  @Test("Unsigned operations wrap around and compare as unsigned numbers")
  func unsigned() throws {
    try check(
      [
        form("x + y") { $0 &+ $1 }, form("x - y") { $0 &- $1 }, form("x * y") { $0 &* $1 },
        form("x / max(y, 1u)") { $0 / max($1, 1) }, form("x % max(y, 1u)") { $0 % max($1, 1) },
        form("x & y") { $0 & $1 }, form("x | y") { $0 | $1 }, form("x ^ y") { $0 ^ $1 },
        form("~x") { x, _ in ~x },
        form("-x") { x, _ in 0 &- x },
        form("x << (y & 31u)") { $0 << ($1 & 31) }, form("x >> (y & 31u)") { $0 >> ($1 & 31) },
        form("uint(x < y)") { $0 < $1 ? 1 : 0 }, form("uint(x >= y)") { $0 >= $1 ? 1 : 0 },
        form("uint(x == y || x != 3u && y > 2u)") { $0 == $1 || $0 != 3 && $1 > 2 ? 1 : 0 },
        form("min(x, y)") { min($0, $1) }, form("clamp(x, 2u, 255u)") { x, _ in min(max(x, 2), 255) },
        form("x > y ? x - y : y") { $0 > $1 ? $0 - $1 : $1 },
      ], load: "uint x = xs[i], y = ys[i];", pairs: pairs, as: { $0 })
  }

  @Test("Signed operations wrap around too, and divide towards zero")
  func signed() throws {
    let forms = [
      signedForm("x + y") { $0 &+ $1 }, signedForm("x - y") { $0 &- $1 }, signedForm("x * y") { $0 &* $1 },
      signedForm("-x") { x, _ in 0 &- x },
      // The divisor is kept from 0 and -1, where C and SPIR-V define nothing.
      signedForm("x / (abs(y >> 1) + 2)") { x, y in x / (abs(y >> 1) + 2) },
      signedForm("(x & 0x7fffffff) % (abs(y >> 1) + 2)") { x, y in (x & .max) % (abs(y >> 1) + 2) },
      signedForm("x >> (y & 31)") { $0 >> ($1 & 31) }, signedForm("x << (y & 31)") { $0 << ($1 & 31) },
      signedForm("x < y") { $0 < $1 ? 1 : 0 }, signedForm("max(x, y)") { max($0, $1) },
      signedForm("abs(max(x, -2147483647))") { x, _ in abs(max(x, -2_147_483_647)) },
      signedForm("sign(x)") { x, _ in x.signum() },
      signedForm("clamp(x, -5, 7)") { x, _ in min(max(x, -5), 7) },
      signedForm("(x + 2147483647) < y") { x, y in x &+ 2_147_483_647 < y ? 1 : 0 },
    ]
    try check(forms, load: "int x = int(xs[i]), y = int(ys[i]);", pairs: pairs, as: { Int32(bitPattern: $0) })
  }

  @Test("% of a negative number takes the sign of the divisor in OpenCL")
  func signedModulo() throws {
    // Vulkan leaves OpSMod of negative numbers open, and lavapipe gives the remainder; SPIR-V defines it.
    let run = ShaderRun(
      text: """
        layout(local_size_x = 1) in;
        layout(std430, binding = 0) buffer B { int b[]; };
        void main() {
          for (uint i = 0u; i < 3u; ++i) b[i] = b[i] % b[3];
          b[4] = (ivec2(b[4], b[5]) % ivec2(b[3], -4)).x; b[5] = (ivec2(1, b[5]) % ivec2(b[3], -4)).y;
        }
        """, buffers: [[-7, 7, -8, 4, -1, 5].map { UInt32(bitPattern: $0) }])
    for result in try run.results() where result.device.hasPrefix("opencl") {
      #expect(result.buffers[0].map { Int32(bitPattern: $0) } == [1, 3, 0, 4, 3, -3])
    }
  }

  @Test("Bits are counted, found, reversed and moved, at the edges of the word too")
  func bits() throws {
    @Sendable func extract(_ x: UInt32, _ offset: UInt32, _ count: UInt32) -> UInt32 {
      UInt32(truncatingIfNeeded: (UInt64(x) >> offset) & ((1 << count) - 1))
    }
    @Sendable func index(_ count: Int) -> UInt32 { UInt32(bitPattern: Int32(count)) }
    try check(
      [
        form("uint(bitCount(x))") { x, _ in UInt32(x.nonzeroBitCount) },
        form("uint(findMSB(x))") { x, _ in index(31 - x.leadingZeroBitCount) },
        form("uint(findLSB(x))") { x, _ in x == 0 ? .max : index(x.trailingZeroBitCount) },
        form("uint(findMSB(int(x)))") { x, _ in
          index(31 - (x >> 31 == 1 ? ~x : x).leadingZeroBitCount)
        },
        form("bitfieldReverse(x)") { x, _ in
          (0..<32).reduce(0) { $0 | (x >> UInt32($1) & 1) << UInt32(31 - $1) }
        },
        form("bitfieldExtract(x, 4, 9)") { x, _ in extract(x, 4, 9) },
        form("bitfieldExtract(x, 0, 32)") { x, _ in x }, form("bitfieldExtract(x, 5, 0)") { _, _ in 0 },
        form("uint(bitfieldExtract(int(x), 4, 9))") { x, _ in
          UInt32(bitPattern: Int32(bitPattern: extract(x, 4, 9) << 23) >> 23)
        },
        form("bitfieldInsert(x, y, 8, 12)") { x, y in x & ~0xfff00 | (y & 0xfff) << 8 },
        form("bitfieldInsert(x, y, 0, 32)") { _, y in y }, form("bitfieldInsert(x, y, 3, 0)") { x, _ in x },
      ], load: "uint x = xs[i], y = ys[i];", pairs: pairs, as: { $0 })
  }

  @Test("Products of 64 bits, carries and borrows come whole")
  func extended() throws {
    let load = """
      uint x = xs[i], y = ys[i], carry, borrow, high, low; int signedHigh, signedLow;
      uint sum = uaddCarry(x, y, carry); uint difference = usubBorrow(x, y, borrow);
      umulExtended(x, y, high, low); imulExtended(int(x), int(y), signedHigh, signedLow);
      """
    @Sendable func product(_ x: UInt32, _ y: UInt32) -> Int64 {
      Int64(Int32(bitPattern: x)) * Int64(Int32(bitPattern: y))
    }
    try check(
      [
        form("sum") { $0 &+ $1 }, form("carry") { $0.addingReportingOverflow($1).overflow ? 1 : 0 },
        form("difference") { $0 &- $1 }, form("borrow") { $0 < $1 ? 1 : 0 },
        form("high") { $0.multipliedFullWidth(by: $1).high }, form("low") { $0 &* $1 },
        form("uint(signedHigh)") { UInt32(truncatingIfNeeded: product($0, $1) >> 32) },
        form("uint(signedLow)") { UInt32(truncatingIfNeeded: product($0, $1)) },
      ], load: load, pairs: pairs, as: { $0 })
  }

  @Test("Vectors of integers and of truth values work part by part")
  func vectors() throws {
    try check(
      [
        form("uint(dot(vec3(lessThan(v, w)), vec3(1, 2, 4)))") { x, y in
          (x < y ? 1 : 0) + (x / 2 < 7 ? 2 : 0) + (3 < y ? 4 : 0)
        },
        form("uint(any(equal(v, w))) + 2u * uint(all(notEqual(v, w)))") { x, y in
          let equal = [x == y, x / 2 == 7, 3 == y]
          return (equal.contains(true) ? 1 : 0) + (equal.contains(true) ? 0 : 2)
        },
        form("mix(v, w, greaterThan(v, w)).x") { min($0, $1) },
        form("uint(not(lessThan(v, w)).y)") { x, _ in x / 2 < 7 ? 0 : 1 },
        form("(v << uvec3(1, 2, 3)).z + w.zyx.y") { _, _ in 24 + 7 },
        form("uvec4(w.xy, v.zy).w") { x, _ in x / 2 },
      ],
      load: "uint x = xs[i], y = ys[i]; uvec3 v = uvec3(x, x / 2u, 3u), w = uvec3(y, 7u, y);", pairs: pairs,
      as: { $0 })
  }

  @Test("64-bit, 16-bit and 8-bit integers keep their widths")
  func widths() throws {
    let header = """
      #extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
      #extension GL_EXT_shader_explicit_arithmetic_types_int16 : require
      #extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
      """
    try check(
      [
        form("uint((uint64_t(x) * y) >> 32)") { $0.multipliedFullWidth(by: $1).high },
        form("uint(int64_t(int(x)) * int64_t(int(y)) >> 33)") { x, y in
          UInt32(truncatingIfNeeded: (Int64(Int32(bitPattern: x)) * Int64(Int32(bitPattern: y))) >> 33)
        },
        form("uint(uint16_t(x) + uint16_t(y))") {
          UInt32(UInt16(truncatingIfNeeded: $0) &+ UInt16(truncatingIfNeeded: $1))
        },
        form("uint(int(int8_t(x) * int8_t(y)))") { x, y in
          UInt32(bitPattern: Int32(Int8(truncatingIfNeeded: x) &* Int8(truncatingIfNeeded: y)))
        },
        form("uint(uint8_t(x) >> uint8_t(3))") { x, _ in UInt32(UInt8(truncatingIfNeeded: x) >> 3) },
      ], header: header, load: "uint x = xs[i], y = ys[i];", pairs: pairs, as: { $0 })
  }
}
