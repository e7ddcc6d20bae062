/// Gives out names that are legal in OpenCL C and not taken.
struct OpenCLNames {
  private var taken: Set<String> = []

  /// A name like `wish` that nobody else has; numbered from 2 when the wish is taken.
  mutating func unique(_ wish: String) -> String {
    let base = Self.sanitized(wish)
    var name = base
    var number = 2
    while !taken.insert(name).inserted {
      name = "\(base)_\(number)"
      number += 1
    }
    return name
  }

  /// `name` up to a parenthesis, with every character an identifier cannot have replaced, and no reserved word.
  static func sanitized(_ name: String) -> String {
    var result = ""
    for character in name.prefix(while: { $0 != "(" }).unicodeScalars {
      let isLegal =
        character.isASCII && (character.properties.isAlphabetic || ("0"..."9").contains(character))
      let next: Character = isLegal ? Character(character) : "_"
      // Two underscores in a row belong to the compiler.
      if next != "_" || result.last != "_" { result.append(next) }
    }
    while result.hasPrefix("_") { result.removeFirst() }
    while result.hasSuffix("_") { result.removeLast() }
    if result.isEmpty { return "value" }
    if result.first?.isNumber == true { result = "n\(result)" }
    let isReserved =
      reserved.contains(result) || reservedPrefixes.contains { result.hasPrefix($0) }
      || vectorized.contains(result.prefix { !$0.isNumber })
    return isReserved ? "\(result)_" : result
  }

  private static let reservedPrefixes = [
    "as_", "convert_", "get_", "atomic_", "atom_", "vload", "vstore", "native_", "half_", "async_", "cl_",
    "CL_",
    "CLK_", "M_", "read_image", "write_image", "hekla_",
  ]

  /// Types that also come with a number of components behind them.
  private static let vectorized: Set<Substring> = [
    "bool", "char", "uchar", "short", "ushort", "int", "uint", "long", "ulong", "half", "float", "double",
    "quad",
  ]

  /// Keywords of C99 and OpenCL C 1.2, and its built-in functions, macros and types (OpenCL 1.2, chapter 6).
  private static let reserved: Set<String> = Set(
    """
    auto break case const continue default do else enum extern for goto if inline register restrict return signed
    sizeof static struct switch typedef union unsigned void volatile while complex imaginary true false NULL
    kernel global local constant private read_only write_only read_write generic pipe size_t ptrdiff_t intptr_t
    uintptr_t event_t sampler_t image1d_t image2d_t image3d_t image1d_array_t image2d_array_t image1d_buffer_t
    acos acosh acospi asin asinh asinpi atan atan2 atanh atanpi atan2pi cbrt ceil copysign cos cosh cospi erfc erf
    exp exp2 exp10 expm1 fabs fdim floor fma fmax fmin fmod fract frexp hypot ilogb ldexp lgamma lgamma_r log log2
    log10 log1p logb mad maxmag minmag modf nan nextafter pow pown powr remainder remquo rint rootn round rsqrt
    sin sincos sinh sinpi sqrt tan tanh tanpi tgamma trunc abs abs_diff add_sat hadd rhadd clamp clz mad_hi mad_sat
    max min mul_hi rotate sub_sat upsample popcount mad24 mul24 degrees mix radians step smoothstep sign cross dot
    distance length normalize fast_distance fast_length fast_normalize isequal isnotequal isgreater isgreaterequal
    isless islessequal islessgreater isfinite isinf isnan isnormal isordered isunordered signbit any all
    bitselect select shuffle shuffle2 barrier mem_fence read_mem_fence write_mem_fence prefetch vec_step printf
    wait_group_events work_group_barrier ctz main linux unix asm typeof alignof
    HUGE_VAL HUGE_VALF INFINITY NAN MAXFLOAT FLT_MAX FLT_MIN FLT_EPSILON DBL_MAX DBL_MIN INT_MAX INT_MIN UINT_MAX
    """.split { $0 == " " || $0 == "\n" }.map(String.init))
}
