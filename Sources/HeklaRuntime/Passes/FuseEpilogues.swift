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
    // Of several products the largest, which saves most.
    let candidates = built.reads.enumerated().filter { _, node in
      producers[node] != nil && pointwise.contains(node) && readers[node] == 1 && !needed.contains(node)
        && node.shape.count == built.roots[0].shape.count
        && GLSLEpilogue.canFollow(node.elementType, built)
        && kernels[producers[node] ?? 0].reads.count + built.reads.count <= maxBindings
    }
    guard let (binding, node) = candidates.max(by: { $0.element.flops < $1.element.flops }),
      let producer = producers[node]
    else { continue }
    kernels[index] = FormedKernel(
      body: .fused(node, built, binding: binding),
      reads: kernels[producer].reads + built.reads.filter { $0 != node }, writes: built.roots)
    isTaken[producer] = true
  }
  return zip(kernels, isTaken).filter { !$1 }.map(\.0)
}

extension Node {
  /// How long a product's sums are, all together: of the order of its inputs' sizes.
  fileprivate var flops: Int { inputs.reduce(0) { $0 + $1.shape.count } }
}
