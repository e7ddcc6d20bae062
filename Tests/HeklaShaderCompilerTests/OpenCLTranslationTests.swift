import HeklaDevices
import HeklaOpenCL
import HeklaShaderCompiler
import HeklaShaders
import Testing

private func program(_ text: String, constants: [UInt32: UInt32] = [:]) throws -> OpenCLProgram {
  try ShaderCompiler(include: { ShaderLibrary.include(named: $0) }, cacheDirectory: nil)
    .openCLProgram(for: GLSLSource(name: "sample", text: "#version 450\n\(text)", constants: constants))
}

/// The feature that the translation of `text` is refused for.
private func refusal(_ text: String) throws -> String {
  do {
    _ = try program(text)
  } catch let error as DeviceError {
    if case .unsupported("OpenCL C 1.2", let feature, let remedy) = error {
      #expect(feature.contains("'sample'") && remedy.hasSuffix("."))
      return feature
    }
    Issue.record("another error: \(error)")
    return ""
  }
  Issue.record("it was translated")
  return ""
}

@Suite("Translation to OpenCL C")
struct OpenCLTranslationTests {
  @Test("A small kernel comes out as a person would write it")
  func golden() throws {
    let text = """
      layout(local_size_x_id = 0) in;
      layout(constant_id = 1) const float scale = 1.0;
      layout(std430, binding = 0) readonly buffer X { float x[]; };
      layout(std430, binding = 1) buffer Y { float y[]; };
      layout(push_constant) uniform P { uint count; } p;
      shared float sums[64];
      void main() {
        uint i = gl_GlobalInvocationID.x;
        sums[gl_LocalInvocationIndex] = i < p.count && x[i] > 0.0 ? x[i] * scale : 0.0;
        barrier();
        for (uint k = 0u; k < 3u; k += 1u) {
          y[i] += sums[k];
        }
      }
      """
    let translated = try program(text, constants: [0: 64, 1: Float(2.5).bitPattern])
    #expect(
      translated.text == """
        #pragma OPENCL FP_CONTRACT OFF

        typedef struct {
          uint word[1];
        } PushConstants;

        __kernel __attribute__((reqd_work_group_size(64, 1, 1)))
        void sample(__global const float *x, __global float *y, const PushConstants push) {
          __local float sums[64];
          float variable;
          uint i = (uint)get_global_id(0);
          uint t = (uint)get_local_id(0);
          if (i < push.word[0] && x[i] > 0.0f) {
            variable = x[i] * 2.5f;
          } else {
            variable = 0.0f;
          }
          sums[t] = variable;
          barrier(CLK_LOCAL_MEM_FENCE);
          for (uint k = 0u; k < 3u; k = k + 1u) {
            y[i] = y[i] + sums[k];
          }
        }

        """)
    #expect(translated.entryPoint == "sample" && translated.bindings == [0, 1])
    #expect(translated.pushConstantByteCount == 4 && translated.workgroupSize == GroupCount(64))
    #expect(translated.sharedMemoryByteCount == 256)
  }

  @Test("Sums of matrices are sums of long vectors, fused with a factor unless precise")
  func matrixSums() throws {
    func sum(_ qualifier: String, _ type: String, _ term: String) throws -> String {
      try program(
        """
        layout(local_size_x = 1) in;
        layout(std430, binding = 0) buffer B { vec4 b[]; };
        void main() {
          \(qualifier) \(type) x = \(type)(b[0].x), y = \(type)(b[1].x);
          for (uint i = 2u; i < 9u; i++) { y = y + \(term); }
          b[0] = y[0] + y[1];
        }
        """
      ).text
    }
    #expect(try sum("", "mat4", "b[i].y * x").contains("y = fma((float16)(b[i].y), x, y);"))
    #expect(try sum("", "mat2x4", "b[i].y * x").contains("y = fma((float8)(b[i].y), x, y);"))
    #expect(try sum("", "mat4", "x").contains("y = y + x;"))
    #expect(try !sum("precise", "mat4", "b[i].y * x").contains("fma"))
  }

  @Test("Names that C or OpenCL C have taken are changed")
  func names() throws {
    let text = """
      layout(local_size_x = 1) in;
      layout(std430, binding = 0) buffer B { uint kernel[]; };
      uint popcount(uint int4x) { return int4x + 1u; }
      void main() { uint global = 1u, event_t = 2u, float4 = 3u, __a__b = 4u; kernel[0] = popcount(global + event_t + float4 + __a__b); }
      """
    let translated = try program(text).text
    for name in ["kernel_[0]", "popcount_(", "global_ ", "event_t_ ", "float4_ ", "a_b "] {
      #expect(translated.contains(name), "\(name) in\n\(translated)")
    }
  }

  @Test(
    "What OpenCL C 1.2 cannot say is refused by name",
    arguments: [
      (
        "#extension GL_KHR_shader_subgroup_arithmetic : require", "b[0] = subgroupAdd(1u);", "GroupNonUniform"
      ),
      (
        "#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require",
        "float16_t h = float16_t(float(b[0])); b[0] = uint(float(h * h));", "float16 arithmetic (OpFMul)"
      ),
      ("", "b[0] = b.length();", ".length()"),
      ("", "mat2 m = mat2(float(b[0])); b[0] = uint(m[0][1]);", "matrix types"),
      (
        "#extension GL_EXT_shader_atomic_float : require\nlayout(std430, binding = 1) buffer F { float f[]; };",
        "atomicAdd(f[0], 1.0);", "AtomicFloat32AddEXT"
      ),
      (
        "#extension GL_EXT_buffer_reference : require\nlayout(buffer_reference) buffer R { uint r; };\nlayout(push_constant) uniform P { R p; };",
        "b[0] = p.r;", "PhysicalStorageBufferAddresses"
      ),
    ])
  func refusals(_ header: String, _ body: String, _ feature: String) throws {
    let text =
      "\(header)\nlayout(local_size_x = 1) in;\nlayout(std430, binding = 0) buffer B { uint b[]; };\nvoid main() { \(body) }"
    #expect(try refusal(text).contains(feature))
  }

  @Test("The same source gives the same text, and other constants give another")
  func digest() throws {
    let text = """
      layout(local_size_x = 1) in;
      layout(constant_id = 0) const uint n = 1;
      layout(std430, binding = 0) buffer B { uint b[]; };
      void main() { b[0] = n; }
      """
    let first = try program(text)
    #expect(try program(text).digest == first.digest)
    #expect(try program(text, constants: [0: 2]).digest != first.digest)
  }
}

@Suite("The kernels of the shader library")
struct ShaderLibraryTranslationTests {
  /// The kernels that need nothing OpenCL C 1.2 lacks.
  static let names = ShaderLibrary.kernelNames.filter { name in
    let text = ShaderLibrary.kernel(named: name) ?? ""
    let lacking = [
      "GL_KHR_shader_subgroup", "arithmetic_types_float16", "cooperative_matrix", "shader_atomic_float",
      "buffer_reference", "explicit_arithmetic_types :",
    ]
    return !lacking.contains { text.contains($0) }
  }

  @Test("Every kernel without subgroups and half arithmetic is translated", arguments: names)
  func translates(_ name: String) throws {
    let compiler = ShaderCompiler(include: { ShaderLibrary.include(named: $0) }, cacheDirectory: nil)
    let source = GLSLSource(name: name, text: try #require(ShaderLibrary.kernel(named: name)))
    let module = try compiler.compile(source)
    let translated = try compiler.openCLProgram(for: source)
    #expect(translated.bindings == module.bindings && translated.workgroupSize == module.workgroupSize)
  }

  @Test("Every such kernel builds", bothInterfacesArePresent, arguments: names)
  func builds(_ name: String) throws {
    let options = OpenCLOptions(include: { ShaderLibrary.include(named: $0) })
    let device = try OpenCLPlatform.device(at: 0, options: options)
    _ = try device.makeKernel(
      .glsl(GLSLSource(name: name, text: try #require(ShaderLibrary.kernel(named: name)))))
  }
}
