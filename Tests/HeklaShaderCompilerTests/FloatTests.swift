import Foundation
import Testing

private let numbers: [Float] = [
  0, -0.0, 1, -1, 0.5, 1.5, 2.5, -2.5, 3.25, -7.75, 100, 1e-3, 1e20, -1e20, .infinity, -.infinity, .nan,
]
private let pairs = numbers.flatMap { x in numbers.map { (x.bitPattern, $0.bitPattern) } }
private let load = "float x = uintBitsToFloat(xs[i]), y = uintBitsToFloat(ys[i]);"

private func form(_ glsl: String, _ value: @escaping @Sendable (Float, Float) -> UInt32) -> Form<Float> {
  Form(glsl, value)
}

private func numberForm(_ glsl: String, _ value: @escaping @Sendable (Float, Float) -> Float) -> Form<Float> {
  Form("floatBitsToUint(\(glsl))") { value($0, $1).bitPattern }
}

/// Equal bits, or both NaN, whose bits are nobody's business; zeros of either sign are equal numbers.
private func sameNumber(_ left: UInt32, _ right: UInt32) -> Bool {
  let (a, b) = (Float(bitPattern: left), Float(bitPattern: right))
  return left == right || (a.isNaN && b.isNaN) || (a == 0 && b == 0)
}

@Suite("Floating-point operations", bothInterfacesArePresent)
struct FloatTests {
  @Test("Sums, products and roundings are the exact ones of IEEE 754")
  func exact() throws {
    let forms = [
      numberForm("x + y") { $0 + $1 }, numberForm("x - y") { $0 - $1 }, numberForm("x * y") { $0 * $1 },
      numberForm("-x") { x, _ in -x },
      numberForm("abs(x)") { x, _ in abs(x) }, numberForm("floor(x)") { x, _ in x.rounded(.down) },
      numberForm("ceil(x)") { x, _ in x.rounded(.up) },
      numberForm("trunc(x)") { x, _ in x.rounded(.towardZero) },
      numberForm("roundEven(x)") { x, _ in x.rounded(.toNearestOrEven) },
    ]
    try check(forms, load: load, pairs: pairs, as: { Float(bitPattern: $0) }, isEqual: sameNumber)
  }

  @Test("Comparisons with NaN are false, and only 'not equal' is true")
  func comparisons() throws {
    try check(
      [
        form("uint(x < y)") { $0 < $1 ? 1 : 0 }, form("uint(x <= y)") { $0 <= $1 ? 1 : 0 },
        form("uint(x > y)") { $0 > $1 ? 1 : 0 }, form("uint(x >= y)") { $0 >= $1 ? 1 : 0 },
        form("uint(x == y)") { $0 == $1 ? 1 : 0 }, form("uint(x != y)") { $0 != $1 ? 1 : 0 },
        form("uint(!(x < y))") { $0 < $1 ? 0 : 1 },
        form("uint(isnan(x)) + 2u * uint(isinf(y))") {
          ($0.isNaN ? 1 : 0) + ($1.isInfinite ? 2 : 0)
        },
        form("uint(x < y ? 5.0 : 6.0)") { $0 < $1 ? 5 : 6 },
        form("uint(all(notEqual(vec2(x, y), vec2(y, x))))") { $0 != $1 ? 1 : 0 },
        form("uint(any(isnan(vec3(x, y, 0.0))))") { $0.isNaN || $1.isNaN ? 1 : 0 },
        form("uint(isnan(x) || x > 1.0 && y > 1.0)") { $0.isNaN || $0 > 1 && $1 > 1 ? 1 : 0 },
      ], load: load, pairs: pairs, as: { Float(bitPattern: $0) })
  }

  @Test("Functions agree with the C library to a few units in the last place")
  func functions() throws {
    let arguments: [Float] = [0.1, 0.25, 0.5, 0.9]
    let pairs = arguments.flatMap { x in arguments.map { (x.bitPattern, $0.bitPattern) } }
    let forms = [
      numberForm("sin(x)") { x, _ in sin(x) }, numberForm("cos(x)") { x, _ in cos(x) },
      numberForm("tan(x)") { x, _ in tan(x) },
      numberForm("asin(x)") { x, _ in asin(x) }, numberForm("acos(x)") { x, _ in acos(x) },
      numberForm("atan(x)") { x, _ in atan(x) },
      numberForm("atan(x, -y)") { atan2($0, -$1) }, numberForm("sinh(x)") { x, _ in sinh(x) },
      numberForm("cosh(x)") { x, _ in cosh(x) },
      numberForm("tanh(x)") { x, _ in tanh(x) }, numberForm("asinh(x)") { x, _ in asinh(x) },
      numberForm("acosh(x + 1.0)") { x, _ in acosh(x + 1) },
      numberForm("atanh(x)") { x, _ in atanh(x) }, numberForm("pow(x, y)") { pow($0, $1) },
      numberForm("exp(x)") { x, _ in exp(x) },
      numberForm("log(x)") { x, _ in log(x) }, numberForm("exp2(x)") { x, _ in exp2(x) },
      numberForm("log2(x)") { x, _ in log2(x) },
      numberForm("sqrt(x)") { x, _ in x.squareRoot() },
      numberForm("inversesqrt(x)") { x, _ in 1 / x.squareRoot() },
      numberForm("x / y") { $0 / $1 }, numberForm("mod(-x, y)") { -$0 - $1 * (-$0 / $1).rounded(.down) },
      numberForm("fract(-x)") { x, _ in 1 - x },
      numberForm("mix(x, y, 0.25)") { $0 * 0.75 + $1 * 0.25 }, numberForm("step(x, y)") { $1 < $0 ? 0 : 1 },
      numberForm("smoothstep(0.0, 1.0, x)") { x, _ in x * x * (3 - 2 * x) },
      numberForm("fma(x, y, 1.0)") { 1 + $0 * $1 },
      numberForm("clamp(x, 0.2, 0.6)") { x, _ in min(max(x, 0.2), 0.6) },
      numberForm("sign(x - 0.5)") { x, _ in x == 0.5 ? 0 : x < 0.5 ? -1 : 1 },
      numberForm("radians(x) + degrees(y)") { $0 * .pi / 180 + $1 * 180 / .pi },
      numberForm("min(x, y) - max(x, y)") { min($0, $1) - max($0, $1) },
      numberForm("ldexp(x, 3)") { x, _ in x * 8 },
      numberForm("length(vec3(x, y, 1.0))") { ($0 * $0 + $1 * $1 + 1).squareRoot() },
      numberForm("distance(vec2(x, y), vec2(0.0))") { ($0 * $0 + $1 * $1).squareRoot() },
      numberForm("dot(vec4(x), vec4(y))") { 4 * $0 * $1 },
      numberForm("normalize(vec2(x, y)).x") { $0 / ($0 * $0 + $1 * $1).squareRoot() },
      numberForm("cross(vec3(x, y, 0.0), vec3(y, x, 0.0)).z") { $0 * $0 - $1 * $1 },
      numberForm("modf(x + 2.0, whole) + 10.0 * whole") { x, _ in x + 20 },
      numberForm("frexp(x * 8.0, exponent) + float(exponent)") { x, _ in
        (x * 8).significand / 2 + Float((x * 8).exponent + 1)
      },
      numberForm("(vec3(x, y, 1.0) * 2.0 + vec3(y)).yzx.z") { 2 * $0 + $1 },
    ]
    // Vulkan allows sin and cos an absolute error of 2^-11 (Vulkan 1.3, precision of SPIR-V instructions), and
    // functions built on them the same; a wrong function is off by far more.
    try check(
      forms,
      load: load + " float whole; int exponent;", pairs: pairs, as: { Float(bitPattern: $0) },
      isEqual: {
        abs(Float(bitPattern: $0) - Float(bitPattern: $1)) <= 1e-3 * max(1, abs(Float(bitPattern: $1)))
      })
  }

  @Test("Numbers convert as C converts them, and pack as GLSL packs them")
  func conversions() throws {
    let numbers: [Float] = [0, 1, -1, 0.25, -0.75, 3.7, 1000.5, 65504, 1e-6]
    let pairs = numbers.map { ($0.bitPattern, ($0 / 2).bitPattern) }
    try check(
      [
        form("uint(int(x))") { x, _ in UInt32(bitPattern: Int32(x)) },
        form("uint(abs(x))") { x, _ in UInt32(abs(x)) },
        form("floatBitsToUint(float(int(x) - 7))") { x, _ in Float(Int32(x) - 7).bitPattern },
        form("floatBitsToUint(float(uint(abs(x)) + 4000000000u))") { x, _ in
          Float(UInt32(abs(x)) + 4_000_000_000).bitPattern
        },
        form("packHalf2x16(vec2(x, y))") { UInt32(half($0)) | UInt32(half($1)) << 16 },
        form("floatBitsToUint(unpackHalf2x16(packHalf2x16(vec2(x, y))).y)") { _, y in
          widened(half(y)).bitPattern
        },
        form("packUnorm4x8(vec4(x, y, 0.0, 1.0))") { x, y in unorm(x) | unorm(y) << 8 | 255 << 24 },
        form("packSnorm4x8(vec4(x, 0.0, 0.0, -1.0)) & 0xff000000u") { _, _ in 0x8100_0000 },
        form("uint(vec2(x, y) == vec2(y, x))") { $0 == $1 ? 1 : 0 },
      ], load: load, pairs: pairs, as: { Float(bitPattern: $0) })
  }

  @Test("Double precision is exact where the device has it")
  func doubles() throws {
    try check(
      [
        form("unpackDouble2x32(double(x) + 1.0e-10LF).x") { x, _ in
          UInt32(truncatingIfNeeded: (Double(x) + 1.0e-10).bitPattern)
        },
        form("floatBitsToUint(float(floor(double(x) * -2.5LF)))") { x, _ in
          Float((Double(x) * -2.5).rounded(.down)).bitPattern
        },
        form("packed.x") { x, y in UInt32(truncatingIfNeeded: (Double(x) * Double(y)).bitPattern) },
        form("packed.y") { x, y in UInt32(truncatingIfNeeded: (Double(x) * Double(y)).bitPattern >> 32) },
        form("uint(double(x) < double(y))") { $0 < $1 ? 1 : 0 },
      ], load: load + " uvec2 packed = unpackDouble2x32(double(x) * double(y));",
      pairs: [(1.25, 2.5), (3.1, -7.7), (100, 0.3)].map { (Float($0.0).bitPattern, Float($0.1).bitPattern) },
      as: { Float(bitPattern: $0) })
  }
}

/// `number` rounded to half precision, to nearest even; finite halves only.
private func half(_ number: Float) -> UInt16 {
  let sign = UInt16(truncatingIfNeeded: number.bitPattern >> 16 & 0x8000)
  // A half has 10 bits behind the point and exponents from -14; below it counts in steps of 2^-24.
  let exponent = max(number == 0 ? -14 : Int(number.exponent), -14)
  let units = (abs(number) * pow(2, Float(10 - exponent))).rounded(.toNearestOrEven)
  return sign | UInt16(units + Float((exponent + 14) * 1024))
}

private func widened(_ half: UInt16) -> Float {
  let exponent = Int(half >> 10 & 31)
  let fraction = Float(half & 1023) / 1024
  let magnitude = exponent == 0 ? fraction * pow(2, -14) : (1 + fraction) * pow(2, Float(exponent - 15))
  return half >> 15 == 1 ? -magnitude : magnitude
}

private func unorm(_ number: Float) -> UInt32 {
  UInt32((min(max(number, 0), 1) * 255).rounded(.toNearestOrEven))
}
