import CGlslang
import HeklaDevices

/// The GLSL compiler glslang, in process, for Vulkan 1.1 and SPIR-V 1.3.
///
/// SPIR-V 1.3 is the first with subgroup operations in its core. The optimizer stays off: drivers optimize
/// anyway, and the translation to OpenCL C reads the plain form with local variables and structured branches.
enum GlslangFrontEnd {
  /// The compiler's version and settings; part of every cache key.
  static let version =
    "glslang \(GLSLANG_VERSION_MAJOR).\(GLSLANG_VERSION_MINOR).\(GLSLANG_VERSION_PATCH) vulkan1.1 spirv1.3"

  // glslang counts its users itself; one for the process, never given back, as other threads may compile
  // until the end.
  private static let isInitialized = glslang_initialize_process() != 0

  /// The SPIR-V words of `source`.
  ///
  /// - Throws: `DeviceError.compilation` with file, line and message of each error.
  static func compile(_ source: ExpandedSource, kernel: String) throws(DeviceError) -> [UInt32] {
    guard isInitialized else {
      throw DeviceError.compilation(
        kernel: kernel, log: "glslang could not be initialized; memory may have run out.")
    }
    let outcome = source.text.withCString { code in run(code, source: source) }
    switch outcome {
    case .success(let words): return words
    case .failure(let failure):
      let log = source.locate(failure.log)
      throw DeviceError.compilation(
        kernel: kernel, log: log.isEmpty ? "glslang failed without a message." : log)
    }
  }

  private struct Failure: Error {
    var log: String
  }

  private static func run(_ code: UnsafePointer<CChar>, source: ExpandedSource) -> Result<[UInt32], Failure> {
    let rules = GLSLANG_MSG_SPV_RULES_BIT.rawValue | GLSLANG_MSG_VULKAN_RULES_BIT.rawValue
    var input = glslang_input_t()
    input.language = GLSLANG_SOURCE_GLSL
    input.stage = GLSLANG_STAGE_COMPUTE
    input.client = GLSLANG_CLIENT_VULKAN
    input.client_version = GLSLANG_TARGET_VULKAN_1_1
    input.target_language = GLSLANG_TARGET_SPV
    input.target_language_version = GLSLANG_TARGET_SPV_1_3
    input.code = code
    input.default_version = 450
    input.default_profile = GLSLANG_NO_PROFILE
    input.messages = glslang_messages_t(rawValue: rules)
    input.resource = glslang_default_resource()

    guard let shader = glslang_shader_create(&input) else { return .failure(Failure(log: "")) }
    defer { glslang_shader_delete(shader) }
    guard glslang_shader_preprocess(shader, &input) != 0, glslang_shader_parse(shader, &input) != 0 else {
      return .failure(Failure(log: text(glslang_shader_get_info_log(shader))))
    }
    guard let program = glslang_program_create() else { return .failure(Failure(log: "")) }
    defer { glslang_program_delete(program) }
    glslang_program_add_shader(program, shader)
    guard glslang_program_link(program, Int32(rules)) != 0 else {
      return .failure(Failure(log: text(glslang_program_get_info_log(program))))
    }
    var options = glslang_spv_options_t()
    options.disable_optimizer = true
    glslang_program_SPIRV_generate_with_options(program, GLSLANG_STAGE_COMPUTE, &options)
    let count = glslang_program_SPIRV_get_size(program)
    guard count > 0, let words = glslang_program_SPIRV_get_ptr(program) else {
      return .failure(Failure(log: text(glslang_program_SPIRV_get_messages(program))))
    }
    return .success(Array(UnsafeBufferPointer(start: words, count: count)))
  }

  private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
    pointer.map { String(cString: $0) } ?? ""
  }
}
