// swift-tools-version: 6.1
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
]

/// `Hekla` and the modules that it passes on to who imports it.
///
/// Who depends on it names them all: a module is compiled anew when one that it names was, not when one that it only
/// sees through another was, and would go on with the old layout of a struct.
let hekla: [Target.Dependency] = [
  "Hekla", "HeklaArrays", "HeklaDevices", "HeklaTensors", "HeklaRuntime", "HeklaNN", "HeklaData",
]

/// One module of the house: its own folder, the modules it may import and no others.
func layer(_ name: String, on dependencies: Target.Dependency..., and others: [Target.Dependency] = [])
  -> Target
{
  .target(name: name, dependencies: dependencies + others, swiftSettings: settings)
}

/// The tests of one module, in `Tests/<name>Tests`.
func tests(_ name: String, on dependencies: Target.Dependency..., and others: [Target.Dependency] = [])
  -> Target
{
  .testTarget(
    name: "\(name)Tests", dependencies: [.target(name: name), "TestSupport"] + dependencies + others,
    swiftSettings: settings)
}

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "Hekla",
  products: [
    .library(name: "Hekla", targets: ["Hekla"]),
    .executable(name: "hekla", targets: ["hekla-cli"]),
    .executable(name: "gpubench", targets: ["gpubench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // C: headers of what is loaded at run time, glslang and zlib (linked), and SIMD loops.
    .systemLibrary(name: "CVulkan"),
    .systemLibrary(name: "COpenCL"),
    .systemLibrary(name: "CGlslang"),
    .systemLibrary(name: "CZlib"),
    .target(name: "CHostLoops"),

    // The framework; arrows point up only.
    layer("HeklaArrays"),
    layer("HeklaDevices", on: "HeklaArrays"),
    .target(
      name: "HeklaShaders", path: "Shaders", exclude: ["include", "kernels", "README.md"],
      sources: ["ShaderLibrary.swift"],
      swiftSettings: settings, plugins: ["EmbedShaders"]),
    layer("HeklaShaderCompiler", on: "HeklaDevices", "CGlslang"),
    layer("HeklaHost", on: "HeklaArrays", "HeklaDevices", "CHostLoops"),
    layer("HeklaVulkan", on: "HeklaArrays", "HeklaDevices", "HeklaShaderCompiler", "CVulkan"),
    layer("HeklaOpenCL", on: "HeklaArrays", "HeklaDevices", "HeklaShaderCompiler", "COpenCL"),
    layer("HeklaTensors", on: "HeklaArrays", "HeklaDevices"),
    layer(
      "HeklaRuntime",
      on: "HeklaArrays", "HeklaDevices", "HeklaTensors", "HeklaShaders", "HeklaShaderCompiler", "HeklaHost",
      "HeklaVulkan", "HeklaOpenCL"),
    layer("HeklaNN", on: "HeklaArrays", "HeklaDevices", "HeklaTensors"),
    layer("HeklaData", on: "HeklaArrays", "CZlib"),
    layer(
      "Hekla",
      on: "HeklaArrays", "HeklaDevices", "HeklaTensors", "HeklaRuntime", "HeklaNN", "HeklaData"),
    layer("HeklaText"),
    layer("HeklaExperiments", on: "HeklaText", and: hekla),
    layer("HeklaRecipes", on: "HeklaExperiments", and: hekla),

    // The two commands, and what they share.
    layer("HeklaCommands", on: "HeklaArrays", "HeklaDevices", "HeklaRuntime", "HeklaText", argumentParser),
    .executableTarget(
      name: "hekla-cli",
      dependencies: ["HeklaCommands", "HeklaExperiments", "HeklaRecipes", argumentParser] + hekla,
      swiftSettings: settings),
    .executableTarget(
      name: "gpubench",
      dependencies: [
        "HeklaArrays", "HeklaCommands", "HeklaDevices", "HeklaNN", "HeklaRuntime", "HeklaTensors",
        "HeklaText", argumentParser,
      ],
      swiftSettings: settings),

    // Build tool: shaders become string literals, so a binary runs from any folder.
    .plugin(
      name: "EmbedShaders", capability: .buildTool(), dependencies: ["embed-shaders"],
      path: "tools/EmbedShaders"),
    .executableTarget(name: "embed-shaders", path: "tools/embed-shaders", swiftSettings: settings),

    // What tools/parity compares with a peer: development only, no product.
    .executableTarget(
      name: "parity-cases",
      dependencies: [
        "HeklaArrays", "HeklaCommands", "HeklaData", "HeklaDevices", "HeklaNN", "HeklaRuntime",
        "HeklaTensors",
        argumentParser,
      ], path: "tools/parity-cases", swiftSettings: settings),

    // Tests mirror the modules.
    .target(
      name: "TestSupport",
      dependencies: [
        "HeklaArrays", "HeklaDevices", "HeklaShaders", "HeklaHost", "HeklaVulkan", "HeklaOpenCL",
      ],
      path: "Tests/TestSupport", swiftSettings: settings),
    .target(
      name: "RuntimeTestSupport",
      dependencies: [
        "HeklaArrays", "HeklaDevices", "HeklaTensors", "HeklaNN", "HeklaRuntime", "HeklaVulkan",
        "TestSupport",
      ],
      path: "Tests/RuntimeTestSupport", swiftSettings: settings),
    tests("HeklaArrays"),
    tests("HeklaDevices", on: "HeklaArrays"),
    tests("HeklaShaders", on: "HeklaArrays", "HeklaDevices", "HeklaVulkan", "HeklaOpenCL"),
    tests("HeklaShaderCompiler", on: "HeklaDevices", "HeklaVulkan", "HeklaOpenCL", "HeklaShaders"),
    tests("HeklaHost", on: "HeklaArrays", "HeklaDevices", "CHostLoops"),
    tests("HeklaVulkan", on: "HeklaDevices", "HeklaShaders", "CVulkan"),
    tests("HeklaOpenCL", on: "HeklaDevices", "HeklaShaderCompiler", "COpenCL"),
    tests("HeklaTensors", on: "HeklaArrays", "HeklaDevices"),
    tests(
      "HeklaRuntime", on: "HeklaArrays", "HeklaDevices", "HeklaHost", "HeklaNN", "HeklaShaders",
      "HeklaTensors", "RuntimeTestSupport"),
    tests(
      "HeklaNN", on: "HeklaArrays", "HeklaDevices", "HeklaRuntime", "HeklaTensors", "RuntimeTestSupport"),
    tests("HeklaData", on: "HeklaArrays"),
    tests("HeklaText"),
    tests("HeklaExperiments", on: "HeklaText", and: hekla),
    tests("HeklaRecipes", on: "HeklaExperiments", and: hekla),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "hekla-cli", "gpubench", "HeklaCommands", "HeklaExperiments", "HeklaText", "TestSupport",
      ] + hekla, swiftSettings: settings),
    .testTarget(
      name: "ParityCasesTests",
      dependencies: [
        "parity-cases", "HeklaArrays", "HeklaData", "HeklaRuntime", "HeklaTensors", "TestSupport",
      ], swiftSettings: settings),
  ]
)
