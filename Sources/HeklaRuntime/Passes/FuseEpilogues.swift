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
///   - biasesOnly: Whether kernels take no loop in but the addition of a bias, as those of the host.
func fuseEpilogues(
  _ kernels: [FormedKernel], roots: [Node], maxBindings: Int, biasesOnly: Bool = false
) -> [FormedKernel] {
  var kernels = kernels
  let needed = Set(roots.map(\.base))
  var readers: [Node: Int] = [:]
  for kernel in kernels { for node in Set(kernel.reads) { readers[node, default: 0] += 1 } }
  var producers: [Node: Int] = [:]
  for (index, kernel) in kernels.enumerated() {
    guard case .primitive(let node) = kernel.body,
      biasesOnly ? node.primitive.takesBias : node.primitive.takesEpilogue
    else { continue }
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
        && (biasesOnly ? built.bias(of: node) != nil : GLSLEpilogue.canFollow(node.elementType, built))
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

extension BuiltLoop {
  /// The row that the loop adds to every row of `product`, if that is all that it does.
  func bias(of product: Node) -> Node? {
    guard reads.count == 2, roots.count == 1, roots[0].elementType == product.elementType,
      let binding = reads.firstIndex(of: product), let columns = product.shape.extents.last
    else { return nil }
    let bias = reads[1 - binding]
    // A single row or column is multiplied otherwise.
    guard bias.elementType == product.elementType, bias.shape.count == columns,
      columns > 1, product.shape.count > columns, loop.reads.count == 2, loop.writes.count == 1,
      loop.accumulators.isEmpty, loop.extents.last == columns,
      let sum = loop.body.indices.last, loop.writes[0].value == sum,
      case .apply(.add, let terms, _) = loop.body[sum],
      Set(terms.map { loop.body[$0] }) == [.read(0), .read(1)], loop.body.count == 3
    else { return nil }
    return loop.reads.allSatisfy { read in
      let axis = loop.extents.count - 1
      let along = (0...axis).map { $0 == axis ? 1 : 0 }
      return read.guards.isEmpty && read.index.offset == 0
        && (read.binding == binding ? read.index == loop.writes[0].index : read.index.strides == along)
    } ? bias : nil
  }
}
