import HeklaDevices
import Synchronization

/// Compiles GLSL compute shaders, to SPIR-V for Vulkan and onwards to OpenCL C for OpenCL.
///
/// Results are kept in memory and, where a folder is given, on disk; a value may be shared by all threads,
/// and the folder by several processes.
public struct ShaderCompiler: Sendable {
  private let include: @Sendable (String) -> String?
  let disk: DiskCache?
  private let memory = Memory()

  /// A compiler with nothing compiled yet.
  ///
  /// - Parameters:
  ///   - include: The text of the header that `#include "name"` names, or nil when there is none. Must give the
  ///     same text each time.
  ///   - cacheDirectory: Where SPIR-V and OpenCL C are kept between processes; nil keeps nothing. A folder that
  ///     cannot be made, read or written costs time, never an error.
  public init(include: @escaping @Sendable (String) -> String?, cacheDirectory: String?) {
    self.include = include
    disk = cacheDirectory.map { DiskCache(directory: $0) }
  }

  /// The SPIR-V of `source`, with what a device has to know to run it.
  ///
  /// - Throws: `DeviceError.compilation` whose log names file, line and message, also inside headers.
  public func compile(_ source: GLSLSource) throws(DeviceError) -> ShaderModule {
    let parsed = try parsedModule(for: source)
    return try ShaderModule(parsed.module, words: parsed.words, source: source, digest: parsed.digest)
  }
}

extension ShaderCompiler {
  /// A compiled text, before specialization.
  struct ParsedModule {
    var module: SPIRVModule
    var words: [UInt32]
    var digest: String
  }

  /// What makes two sources the same SPIR-V.
  private struct TextKey: Hashable {
    var text: String
    var defines: [String: String]
  }

  /// What was compiled in this process.
  private final class Memory: Sendable {
    let modules = Mutex<[TextKey: ParsedModule]>([:])
  }

  /// The module of `source` from memory, from disk or from the compiler, in this order.
  func parsedModule(for source: GLSLSource) throws(DeviceError) -> ParsedModule {
    let key = TextKey(text: source.text, defines: source.defines)
    if let known = memory.modules.withLock({ $0[key] }) { return known }
    let expanded = try ExpandedSource(source, include: include)
    var hash = SHA256()
    hash.update(GlslangFrontEnd.version)
    hash.update(expanded.text)
    let digest = hash.hexadecimal
    let entry = "\(digest).spv"
    // A file that passes its checksum but is no module (a version of old, say) counts as absent, too.
    if let words = disk?.read(entry).flatMap([UInt32].init(littleEndian:)),
      let module = try? SPIRVModule(words: words, kernel: source.name)
    {
      return remember(ParsedModule(module: module, words: words, digest: digest), for: key)
    }
    let words = try GlslangFrontEnd.compile(expanded, kernel: source.name)
    let module = try SPIRVModule(words: words, kernel: source.name)
    disk?.write(words.littleEndianBytes, as: entry)
    return remember(ParsedModule(module: module, words: words, digest: digest), for: key)
  }

  private func remember(_ parsed: ParsedModule, for key: TextKey) -> ParsedModule {
    memory.modules.withLock { $0[key] = parsed }
    return parsed
  }
}

extension [UInt32] {
  /// The words that `bytes` spell, or nil when they are no whole number of words.
  fileprivate init?(littleEndian bytes: [UInt8]) {
    guard bytes.count.isMultiple(of: 4) else { return nil }
    self = stride(from: 0, to: bytes.count, by: 4).map { start in
      (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
    }
  }

  /// The words' bytes, lowest first.
  fileprivate var littleEndianBytes: [UInt8] {
    flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) } }
  }
}
