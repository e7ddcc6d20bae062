import HeklaArrays
import HeklaTensors

/// Takes loops that follow a product element by element, such as a bias and an activation or a residual, into the
/// product's kernel: what lies between is never stored.
///
/// Where nobody else reads the product, and what follows is one array of its type and size.
/// - Parameters:
///   - kernels: In order.
///   - roots: What the computation gives, which is stored in any case.
///   - maxBindings: The most arrays that a kernel reads and writes.
func fuseEpilogues(_ kernels: [FormedKernel], roots: [Node], maxBindings: Int) -> [FormedKernel] {
  var kernels = kernels
  let needed = Set(roots.map(\.base))
  var readers: [Node: Int] = [:]
  for kernel in kernels { for node in Set(kernel.reads) { readers[node, default: 0] += 1 } }
  var producers: [Node: Int] = [:]
  for (index, kernel) in kernels.enumerated() {
    guard case .primitive(let node) = kernel.body, node.primitive.takesEpilogue else { continue }
    producers[node] = index
  }
  var isTaken = [Bool](repeating: false, count: kernels.count)
  for (index, kernel) in kernels.enumerated() {
    guard case .loop(let built) = kernel.body else { continue }
    let pointwise = built.pointwiseReads
    // Of several products the last one, before which the others are computed in any case.
    let candidates = built.reads.enumerated().filter { _, node in
      producers[node] != nil && pointwise.contains(node) && readers[node] == 1 && !needed.contains(node)
        && node.shape.count == built.roots[0].shape.count
        && GLSLEpilogue.canFollow(node.elementType, built)
        && kernels[producers[node] ?? 0].reads.count + built.reads.count <= maxBindings
    }
    let last = candidates.max { (producers[$0.element] ?? 0) < (producers[$1.element] ?? 0) }
    guard let (binding, node) = last, let producer = producers[node] else { continue }
    kernels[index] = FormedKernel(
      body: .fused(node, built, binding: binding),
      reads: kernels[producer].reads + built.reads.filter { $0 != node }, writes: built.roots,
      substitutes: kernels[producer].substitutes)
    isTaken[producer] = true
  }
  return zip(kernels, isTaken).filter { !$1 }.map(\.0)
}
