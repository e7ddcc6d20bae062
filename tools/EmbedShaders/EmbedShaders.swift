import Foundation
import PackagePlugin

/// Turns the GLSL files under `Shaders/` into one Swift file of string literals.
///
/// SwiftPM's own `.embedInCode` spells each byte as a number and takes minutes for what this does in seconds.
@main
struct EmbedShaders: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    guard let target = target as? any SourceModuleTarget else { return [] }
    let folder = target.directoryURL
    let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedShaders.swift")
    let walker = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    let inputs = (walker?.compactMap { $0 as? URL } ?? [])
      .filter { ["comp", "glsl"].contains($0.pathExtension) }
      .sorted { $0.path < $1.path }
    return [
      .buildCommand(
        displayName: "Embedding \(inputs.count) shaders",
        executable: try context.tool(named: "embed-shaders").url,
        arguments: [output.path] + inputs.map(\.path),
        inputFiles: inputs,
        outputFiles: [output])
    ]
  }
}
