import HeklaDevices
import Testing

/// Runs `body`, which sets `r` from `x`, in a group of 8, and compares with `value` for each x.
private func check(
  _ body: String, globals: String = "", sourceLocation: SourceLocation = #_sourceLocation,
  value: (UInt32) -> UInt32
) throws {
  let run = ShaderRun(
    text: """
      layout(local_size_x = 8) in;
      layout(std430, binding = 0) buffer B { uint data[]; };
      \(globals)
      void main() {
        uint x = gl_LocalInvocationID.x, r = 0u;
        \(body)
        data[x] = r;
      }
      """, buffers: [[UInt32](repeating: 0, count: 8)])
  try run.expect((0..<8).map(value), in: 0, sourceLocation: sourceLocation)
}

@Suite("Vectors, arrays and structures", bothInterfacesArePresent)
struct AggregateTests {
  @Test("Components are read and set by constant and by computed index, in variables and in values")
  func components() throws {
    let body = """
      uvec4 v = uvec4(1u, 2u, 3u, 4u); v[x & 3u] += 10u; v.zy = v.yx;
      r = v.x + 100u * v.y + 10000u * v.z + 1000000u * v.w + (v * 2u + 1u)[(x + 1u) & 3u];
      """
    try check(body) { x in
      var v: [UInt32] = [1, 2, 3, 4]
      v[Int(x & 3)] += 10
      (v[2], v[1]) = (v[1], v[0])
      return v[0] + 100 * v[1] + 10000 * v[2] + 1_000_000 * v[3] + v[Int((x + 1) & 3)] * 2 + 1
    }
  }

  @Test("Matrices of columns of four are set, added, multiplied with scalars and taken apart")
  func matrices() throws {
    let body = """
      mat4 m = mat4(float(x)); mat4 n = mat4(vec4(1), vec4(2), vec4(3, 4, 5, 6), vec4(float(x)));
      mat4 sums[2]; sums[0] = mat4(0); sums[1] = n;
      for (uint i = 0u; i < 3u; i++) { sums[0] += float(i) * n; sums[1] += m; }
      mat4 first = sums[0]; precise mat4 other = first * 2.0 + n; other -= n;
      sums[0][1] += vec4(7); sums[1][x & 3u].y = 9.0;
      mat2x4 two = mat2x4(vec4(1), vec4(2)) + mat2x4(vec4(3), vec4(4));
      r = uint(sums[0][2].z) + 100u * uint(sums[0][1].x) + 10000u * uint(sums[1][x & 3u].y)
        + 1000000u * uint(two[1].w) + 10000000u * uint(sums[1][3].w + other[2][1]);
      """
    try check(body) { x in 15 + 100 * 13 + 10_000 * 9 + 1_000_000 * 6 + 10_000_000 * (4 * x + 24) }
  }

  @Test("Vectors of truth values are set, read, chosen by and compared")
  func truthVectors() throws {
    let body = """
      bvec3 t = bvec3(x > 2u, true, x == 5u); t[x % 3u] = !t[x % 3u]; t.y = t.x && t.z;
      bvec2 u = bvec2(t.zx); bvec2 same = equal(u, bvec2(x < 4u));
      r = uint(t.x) + 2u * uint(t.y) + 4u * uint(t.z) + 8u * uint(same.x) + 16u * uint(same.y)
        + 32u * uint(all(u)) + 64u * mix(uvec2(1u, 2u), uvec2(3u, 4u), u).y + uint(vec2(u).x) * 1024u;
      """
    try check(body) { x in
      var t = [x > 2, true, x == 5]
      t[Int(x % 3)].toggle()
      t[1] = t[0] && t[2]
      let u = [t[2], t[0]]
      func bit(_ flag: Bool) -> UInt32 { flag ? 1 : 0 }
      let low =
        bit(t[0]) + 2 * bit(t[1]) + 4 * bit(t[2]) + 8 * bit(u[0] == (x < 4)) + 16 * bit(u[1] == (x < 4))
      return low + 32 * bit(u[0] && u[1]) + 64 * (u[1] ? 4 : 2) + 1024 * bit(u[0])
    }
  }

  @Test("Arrays and structures are copied as values, nested in each other")
  func copies() throws {
    let globals = """
      struct Leaf { uvec3 v; bool flag; };
      struct Tree { Leaf leaves[2]; uint count; };
      Tree grow(Tree t) { t.leaves[1] = t.leaves[0]; t.leaves[1].v.y += 5u; t.count += 1u; return t; }
      """
    let body = """
      Tree a; a.leaves[0] = Leaf(uvec3(x, x + 1u, x + 2u), x > 3u); a.leaves[1].flag = false; a.count = 1u;
      Tree b = grow(a); Tree list[2] = Tree[2](a, b); list[0].count = 7u;
      r = a.leaves[0].v.y + 10u * b.leaves[1].v.y + 1000u * uint(list[1].leaves[1].flag) + 10000u * list[1].count
        + 100000u * list[0].count + 1000000u * a.count;
      """
    try check(body, globals: globals) { x in
      x + 1 + 10 * (x + 6) + (x > 3 ? 1000 : 0) + 20_000 + 700_000 + 1_000_000
    }
  }

  @Test("Global variables and constant tables are each invocation's own")
  func globals() throws {
    let globals = """
      const uint table[5] = uint[5](3u, 1u, 4u, 1u, 5u);
      uint counter = 40u; uvec2 pair;
      void count(uint by) { counter += by; pair.y = counter; }
      """
    try check("count(x); count(table[x % 5u]); pair.x = 1u; r = pair.x + pair.y;", globals: globals) { x in
      41 + x + [3, 1, 4, 1, 5][Int(x % 5)]
    }
  }

  @Test("Shared memory holds vectors, structures and truth values, and is copied whole")
  func shared() throws {
    let globals = """
      struct Cell { vec3 v; uint k; bool on; };
      shared Cell cells[8]; shared uvec2 pairs[4]; shared uint line[8]; shared bool flag;
      """
    let body = """
      cells[x].v = vec3(float(x)); cells[x].k = x * x; cells[x].on = x > 4u; cells[x].v[x % 3u] += 1.0;
      pairs[x / 2u][x & 1u] = x; line[x] = 2u * x; if (x == 3u) flag = true;
      barrier();
      Cell other = cells[7u - x]; uint all[8] = line;
      r = other.k + uint(other.on) + uint(dot(other.v, vec3(1.0))) * 100u + pairs[x / 2u].y * 10000u
        + all[7u - x] * 100000u + uint(flag) * 10000000u;
      """
    try check(body, globals: globals) { x in
      let y = 7 - x
      let low = y * y + (y > 4 ? 1 : 0) + (3 * y + 1) * 100
      return low + (x / 2 * 2 + 1) * 10000 + 2 * y * 100_000 + 10_000_000
    }
  }

  @Test("Barriers in loops that all invocations run alike keep their order")
  func barriersInLoops() throws {
    let globals =
      "shared uint line[8]; uint step_of(uint x, uint by) { uint v = line[(x + by) & 7u]; barrier(); return v; }"
    let body = """
      line[x] = x; barrier();
      for (uint by = 4u; by > 0u; by >>= 1u) {
        uint sum = line[x] + step_of(x, by);
        line[x] = sum;
        barrier();
      }
      r = line[x];
      """
    try check(body, globals: globals) { _ in 28 }
  }
}
