import HeklaDevices
import Testing

/// Runs `body`, which sets `r` from `x`, for x in 0..<32, and compares with `value`.
private func check(
  _ body: String, functions: String = "", sourceLocation: SourceLocation = #_sourceLocation,
  value: (UInt32) -> UInt32
) throws {
  let run = ShaderRun(
    text: """
      layout(local_size_x = 32) in;
      layout(std430, binding = 0) buffer B { uint data[]; };
      \(functions)
      void main() {
        uint x = gl_LocalInvocationID.x, r = 0u;
        \(body)
        data[x] = r;
      }
      """, buffers: [[UInt32](repeating: 0, count: 32)])
  try run.expect((0..<32).map(value), in: 0, sourceLocation: sourceLocation)
}

@Suite("Control flow", bothInterfacesArePresent)
struct ControlFlowTests {
  @Test("if, else if and else choose one way")
  func branches() throws {
    try check("if (x < 4u) { r = 1u; } else if (x < 9u) r = x * 2u; else { r = 7u; if (x == 20u) r += 1u; }")
    {
      $0 < 4 ? 1 : $0 < 9 ? $0 * 2 : $0 == 20 ? 8 : 7
    }
  }

  @Test("A for loop continues with its step and breaks without")
  func forLoop() throws {
    try check("for (uint i = 0u; i < x; ++i) { if (i % 3u == 0u) continue; if (i == 11u) break; r += i; }") {
      x in
      (0..<x).prefix { $0 != 11 }.filter { $0 % 3 != 0 }.reduce(0, +)
    }
  }

  @Test("A for loop whose step is no expression continues with all of it")
  func complexStep() throws {
    let body = "for (uint i = 0u; i < x; i += x > 16u ? 2u : next(i)) { if (i % 3u == 0u) continue; r += i; }"
    try check(
      body,
      functions: "uint next(uint i) { uint s = 1u; for (uint k = 0u; k < i % 2u; ++k) s += 1u; return s; }"
    ) { x in
      var (i, r): (UInt32, UInt32) = (0, 0)
      while i < x {
        if i % 3 != 0 { r += i }
        i += x > 16 ? 2 : 1 + i % 2
      }
      return r
    }
  }

  @Test("do-while runs its body before its condition, and continue goes to the condition")
  func doWhile() throws {
    try check(
      "uint i = 0u; do { i += 1u; if (i == 3u) continue; if (i == 20u) break; r += i; } while (i < x);"
    ) { x in
      (1...max(x, 1)).prefix { $0 != 20 }.filter { $0 != 3 }.reduce(0, +)
    }
  }

  @Test("A while loop whose condition has effects keeps them")
  func whileLoop() throws {
    try check("uint i = x; while (i-- > 0u) { if ((i & 1u) == 1u) continue; r += i * i; }") { x in
      (0..<x).filter { $0 & 1 == 0 }.reduce(0) { $0 + $1 * $1 }
    }
  }

  @Test("Nested loops break out of and continue in the inner one only")
  func nestedLoops() throws {
    try check(
      "for (uint i = 0u; i < 5u; ++i) for (uint j = 0u; ; ++j) { if (j > i) break; if (j == 2u) continue; r += j + x; }"
    ) { x in
      (0..<UInt32(5)).reduce(0) { r, i in r + (0...i).filter { $0 != 2 }.reduce(0) { $0 + $1 + x } }
    }
  }

  @Test("switch falls through, shares bodies and has its default anywhere")
  func switches() throws {
    let body = """
      for (uint i = 0u; i < 2u; ++i) switch (x % 8u) {
        case 0u: r += 1u;
        case 1u: case 2u: r += 10u; break;
        default: r += 100u;
        case 5u: r += 1000u; break;
        case 6u: continue;
        case 7u: if (x > 16u) { r += 5u; break; } r += 7u; break;
      }
      """
    try check(body) { x in
      let once: UInt32
      switch x % 8 {
      case 0: once = 11
      case 1, 2: once = 10
      case 5: once = 1000
      case 6: once = 0
      case 7: once = x > 16 ? 5 : 7
      default: once = 1100
      }
      return 2 * once
    }
  }

  @Test("Short-circuit operators do not evaluate what they need not")
  func shortCircuits() throws {
    let functions = "uint calls = 0u; bool odd(uint v) { calls += 1u; return (v & 1u) == 1u; }"
    let body = """
      bool both = x > 8u && odd(x); bool either = x < 4u || odd(x);
      bool nested = x > 2u && (x < 20u || x == 25u) && data[x] == 0u;
      r = uint(both) + 2u * uint(either) + 4u * calls + 100u * uint(nested);
      """
    try check(body, functions: functions) { x in
      let isOdd = x & 1 == 1
      let calls: UInt32 = (x > 8 ? 1 : 0) + (x < 4 ? 0 : 1)
      let nested: UInt32 = x > 2 && (x < 20 || x == 25) ? 1 : 0
      return (x > 8 && isOdd ? 1 : 0) + (x < 4 || isOdd ? 2 : 0) + 4 * calls + 100 * nested
    }
  }

  @Test("Early returns leave functions and the kernel")
  func returns() throws {
    let functions =
      "uint pick(uint v) { for (uint i = 0u; i < 40u; ++i) { if (i * i > v) return i; } return 99u; }"
    try check("r = pick(x); if (x == 5u) { data[x] = 77u; return; }", functions: functions) { x in
      x == 5 ? 77 : (0..<UInt32(40)).first { $0 * $0 > x } ?? 99
    }
  }

  @Test("Values read before a variable changes keep their old value")
  func readsBeforeWrites() throws {
    try check(
      "uint a = x, b = 3u; uint old = a++; uint t = a + (a = b) * 2u; data[x] = 9u; uint k = data[x]; data[x] = 1u; r = old * 1000u + t + k;"
    ) { x in
      x * 1000 + x + 1 + 6 + 9
    }
  }

  @Test("Functions pass values in, out and both ways")
  func functions() throws {
    let functions = """
      struct Pair { uint a; uvec2 b; };
      void change(inout Pair p, const in uint by, out uint sum) { p.a += by; p.b.y *= 2u; sum = p.a + p.b.x + p.b.y; }
      uint total(Pair p, uint k[3]) { k[1] += p.a; return k[0] + k[1] + k[2]; }
      """
    let body = """
      Pair p = Pair(x, uvec2(2u, 3u)); uint s; change(p, 4u, s);
      uint k[3] = uint[3](1u, 2u, 3u); uint first = total(p, k); k[x % 3u] = 50u;
      Pair q = p; q.a = 1u; r = s + first + k[0] + k[1] + k[2] + p.a + q.b[x & 1u];
      """
    try check(body, functions: functions) { x in
      let s = x + 4 + 2 + 6
      let first = 6 + x + 4
      let k: UInt32 = 56 - [1, 2, 3][Int(x % 3)]
      return s + first + k + x + 4 + [2, 6][Int(x & 1)]
    }
  }
}
