/// The GLSL text of every hand-written kernel and of every shared include, embedded at build time.
///
/// A kernel's name is its file's name without folder and extension: `kernels/product/matmul_tiled.comp`
/// is `matmul_tiled`. Names are unique; the build tool refuses two files with one name.
public enum ShaderLibrary {
  /// The text of the kernel `name`, includes not yet expanded, or nil when there is none.
  public static func kernel(named name: String) -> String? { embeddedKernels[name] }

  /// The text of the shared header `name`, as `#include "name"` writes it, or nil when there is none.
  public static func include(named name: String) -> String? { embeddedIncludes[name] }

  /// The names of all kernels, sorted.
  public static var kernelNames: [String] { embeddedKernels.keys.sorted() }
}
